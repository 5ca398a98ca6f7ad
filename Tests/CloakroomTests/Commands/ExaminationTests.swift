import Broker
import Foundation
import SQLiteStore
import Testing
import Transport

@testable import cloakroom

/// `cloakroom doctor`, as far as it asks nobody.
@Suite struct ExaminationTests {
    private let installation: Installation

    init() throws { installation = try Installation() }

    private func findings(_ changes: [String: String?] = [:]) throws -> [Finding] {
        let examination = Examination(try installation.configuration(changes))
        return examination.secretFiles() + examination.database()
    }

    private static func levels(_ findings: [Finding], _ subject: String) -> [Finding.Level] {
        findings.filter { $0.subject == subject }.map(\.level)
    }

    @Test func `an installation that was never started is well`() throws {
        let findings = try findings()
        #expect(Self.levels(findings, "master keys") == [.ok] && Self.levels(findings, "database") == [.ok])
        #expect(findings.allSatisfy { $0.level == .ok || $0.subject == "disk" }, "\(findings)")
        #expect(!FileManager.default.fileExists(atPath: installation.path("cloakroom.db")))
    }

    @Test func `master keys that others can read are told`() throws {
        try installation.write("master.key", "first:\(Installation.key(1))\n", mode: 0o640)
        let found = try findings().filter { $0.subject == "master keys" }
        #expect(found.map(\.level) == [.fail] && found.first?.hint?.contains("chmod 600") == true)
    }

    @Test func `a sound database is told as such, one that others can read with what to do`() async throws {
        let configuration = try installation.configuration()
        let store = try SQLiteStore(path: #require(configuration.storePath), keyRing: configuration.keyRing)
        await store.close()
        #expect(Self.levels(try findings(), "database") == [.ok])
        #expect(Self.levels(try findings(), "audit trail") == [.ok])
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644], ofItemAtPath: #require(configuration.storePath))
        let found = try findings().filter { $0.subject == "database" }
        #expect(found.map(\.level) == [.ok, .fail] && found.last?.hint?.contains("chmod 600") == true)
    }

    @Test func `a file that is no database is left alone and told`() throws {
        try installation.write("cloakroom.db", String(repeating: "no database ", count: 100))
        let found = try findings().filter { $0.subject == "database" }
        #expect(found.map(\.level) == [.fail] && found.first?.hint != nil)
        #expect(try installation.read("cloakroom.db").hasPrefix("no database"))
    }

    /// RFC 9110 § 5.6.7. Half of the leeway that tokens get.
    @Test(
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Finding.Level.ok), ("Sun, 06 Nov 1994 08:50:07 GMT", .ok),
            ("Sun, 06 Nov 1994 08:50:08 GMT", .fail), ("Sun, 06 Nov 1994 08:49:06 GMT", .fail), ("yesterday", nil),
            (nil, nil),
        ] as [(String?, Finding.Level?)])
    func `a clock that is wrong is told by another's`(_ date: String?, _ level: Finding.Level?) throws {
        let now = Date(timeIntervalSince1970: 784_111_777)
        let headers = date.map { [(name: "date", value: $0)] } ?? []
        let response = TransportResponse(status: 200, headers: headers)
        #expect(Examination.clock(response, of: "issuer", now: now)?.level == level)
    }

    @Test func `a clock that is off by more than a number holds is told too`() {
        let response = TransportResponse(status: 200, headers: [(name: "date", value: "Sun, 06 Nov 1994 08:49:37 GMT")])
        let finding = Examination.clock(response, of: "issuer", now: Date(timeIntervalSince1970: 1e300))
        #expect(finding?.level == .fail)
    }

    @Test func `marks are of one width`() {
        #expect(Set([Finding.Level.ok, .warn, .fail].map(\.mark.count)) == [4])
    }
}
