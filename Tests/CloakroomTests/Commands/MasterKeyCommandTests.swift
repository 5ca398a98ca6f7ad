import ArgumentParser
import Broker
import Daemon
import Testing

@testable import cloakroom

@Suite struct MasterKeyCommandTests {
    private static func name(_ arguments: [String] = []) throws -> MasterKeyCommand.NameOption {
        try #require(Cloakroom.parseAsRoot(["master-key", "new"] + arguments) as? MasterKeyCommand.New).name
    }

    @Test func `a new key is named after the day, and no two are alike`() throws {
        let ids = try (0..<50).map { _ in try Self.name().made().description }
        #expect(ids.allSatisfy { $0.wholeMatch(of: /20[0-9]{6}-[A-Za-z0-9x-]{4}/) != nil }, "\(ids)")
        #expect(Set(ids).count > 45)
    }

    @Test(arguments: ["with space", "a:b", "", String(repeating: "x", count: 33), "ü"])
    func `a name that would not be read again is bad usage`(_ id: String) throws {
        let option = try Self.name(["--id", id])
        let error = #expect(throws: ValidationError.self) { try option.made() }
        #expect(error.map { Program.exitStatus(for: $0, of: Cloakroom.self) } == 2)
    }

    @Test func `what needs a key is told in words, and nothing as none`() {
        #expect(MasterKeyUses().words == nil)
        var uses = MasterKeyUses()
        uses.flows = 2
        uses.auditTrail = true
        #expect(uses.words == "2 flows, the audit trail")
        uses.flows = 1
        uses.clients = 1
        #expect(uses.words == "1 flow, 1 client of tenants or of the broker's own, the audit trail")
    }
}
