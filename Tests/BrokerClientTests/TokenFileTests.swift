import Foundation
import Secrets
import Testing
import Transport

@testable import BrokerClient

@Suite struct TokenFileTests {
    /// A folder that is gone after the test.
    private final class Folder {
        let url = FileManager.default.temporaryDirectory.appending(path: "broker-client-\(UUID())")

        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

        deinit { try? FileManager.default.removeItem(at: url) }

        var token: String { url.appending(path: "token").path }

        func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: token)) }
    }

    private let folder: Folder
    private let broker = ScriptedBroker(200, Sample.credentials)
    private let client: BrokerClient

    init() throws {
        folder = try Folder()
        client = try Sample.client(broker, .tokenFile(folder.token))
    }

    private func refresh() async throws -> String? {
        _ = try await client.refresh(RefreshToken("r"), of: "notion", for: Sample.tenant)
        return broker.requests.last?.header("authorization")
    }

    private var fault: BrokerError? {
        get async {
            await BrokerClientTests.fault { () throws(BrokerError) in
                try await client.refresh(RefreshToken("r"), of: "notion", for: Sample.tenant)
            }
        }
    }

    @Test(arguments: ["t0ken", "t0ken\n", "\r\n t0ken \r\n\t"])
    func `the file's token is sent without the white space around it`(_ text: String) async throws {
        try folder.write(text)
        #expect(try await refresh() == "Bearer t0ken")
    }

    @Test func `a file that changed counts at the next call`() async throws {
        try folder.write("one")
        _ = try await refresh()
        try folder.write("two")
        #expect(try await refresh() == "Bearer two")
    }

    @Test func `a link that leads elsewhere counts at the next call`() async throws {
        for name in ["one", "two"] { try Data(name.utf8).write(to: folder.url.appending(path: name)) }
        try FileManager.default.createSymbolicLink(atPath: folder.token, withDestinationPath: "one")
        #expect(try await refresh() == "Bearer one")
        try FileManager.default.removeItem(atPath: folder.token)
        try FileManager.default.createSymbolicLink(atPath: folder.token, withDestinationPath: "two")
        #expect(try await refresh() == "Bearer two")
    }

    @Test func `the last good token serves while the file is missing or half written`() async throws {
        try folder.write("one")
        _ = try await refresh()
        try folder.write("")
        #expect(try await refresh() == "Bearer one")
        try FileManager.default.removeItem(atPath: folder.token)
        #expect(try await refresh() == "Bearer one")
    }

    @Test func `without a file nothing is sent`() async {
        #expect(await fault == .noToken(.fileUnreadable))
        #expect(broker.requests.isEmpty)
    }

    @Test(arguments: ["", " \n", "two words", "tökën", "a\u{0}b", String(repeating: "a", count: 20_000)])
    func `a file that does not hold just one token sends nothing`(_ text: String) async throws {
        try folder.write(text)
        #expect(await fault == .noToken(.fileMalformed))
        #expect(broker.requests.isEmpty)
    }

    @Test func `a folder is no token`() async throws {
        try FileManager.default.createDirectory(atPath: folder.token, withIntermediateDirectories: true)
        #expect(await fault == .noToken(.fileUnreadable))
    }

    @Test func `a pipe that nobody writes to holds nothing up`() async throws {
        #expect(mkfifo(folder.token, 0o600) == 0)
        #expect(await fault == .noToken(.fileMalformed))
    }
}
