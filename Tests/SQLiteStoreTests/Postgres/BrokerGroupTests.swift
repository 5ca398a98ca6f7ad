import Broker
import Formats
import Foundation
import PostgresStore
import Secrets
import Testing

/// The keys of processes, which brokers of one database hand each other.
@Suite struct BrokerGroupTests {
    private let database = PostgresDatabase()
    private static let context = Array("test".utf8)

    private struct Member {
        let store: PostgresStore
        let key: KeyRing
        let group: BrokerGroup

        func seal(_ text: String) -> Sealed<UnredeemedToken> {
            key.seal(SecretBytes(Array(text.utf8)), as: Label("test"), context: context)
        }

        func open(_ sealed: Sealed<UnredeemedToken>) -> String? {
            (try? key.open(sealed, as: Label("test"), context: context)).map { bytes in
                bytes.expose { String(decoding: $0, as: UTF8.self) }
            }
        }
    }

    private func member(_ masterKeys: String = Installation.firstKey) throws -> Member {
        let (store, key) = (try database.open(), BrokerGroup.processKey())
        return Member(
            store: store, key: key,
            group: BrokerGroup(store: store, masterKeys: try KeyRing(masterKeys), processKey: key))
    }

    /// Each says that it is there, hands over, and takes.
    private func meet(_ members: [Member]) async throws {
        for _ in 0..<3 { for member in members { try await member.group.meet() } }
    }

    @Test func `what one broker sealed opens for every other, also after it is gone and for those that came later`()
        async throws
    {
        let (one, two) = (try member(), try member())
        let sealed = one.seal("token")
        #expect(two.open(sealed) == nil)
        try await meet([one, two])
        #expect(two.open(sealed) == "token" && one.open(two.seal("other")) == "other")
        await one.store.close()
        let three = try member()
        try await meet([two, three])
        #expect(three.open(sealed) == "token")
    }

    @Test func `whoever has not the master key is handed nothing`() async throws {
        let (one, thief) = (try member(), try member(KeyRing.newLine(id: #require(KeyRing.KeyID("k1")))))
        let sealed = one.seal("token")
        try await meet([one, thief])
        #expect(thief.open(sealed) == nil && one.open(thief.seal("x")) == nil)
        #expect(try database.value("SELECT count(*) FROM handovers WHERE recipient = '\(thief.key.primary)'") == "0")
    }

    @Test func `nothing of a process's key is in the database`() async throws {
        let (one, two) = (try member(), try member())
        try await meet([one, two])
        for (_, key) in one.key.all {
            let (text, hex) = key.expose { ($0, $0.map { String(format: "%02x", $0) }.joined()) }
            #expect(
                try database.value("SELECT count(*) FROM handovers WHERE encode(sealed, 'hex') LIKE '%\(hex)%'") == "0")
            #expect(
                try database.value(
                    "SELECT count(*) FROM handovers WHERE encode(sealed, 'escape') LIKE '%\(Base64URL.encode(text))%'")
                    == "0")
        }
    }
}
