import Catalog
import Formats
import Secrets
import Testing

@testable import Broker

@Suite struct CredentialKeyTests {
    @Test func `a new key is a prefix and 32 random bytes, new each time`() {
        let keys = (0..<100).map { _ in CredentialKey.make().expose { $0 } }
        #expect(Set(keys).count == keys.count)
        for key in keys {
            #expect(key.hasPrefix("ckr_"))
            #expect(Base64URL.decode(key.dropFirst(4))?.count == 32)
        }
    }
}

@Suite struct VaultTests {
    private let vault: Vault
    private let key = CredentialKey.make()
    private let secret = OutcomeSecret(bytes: SecretBytes(Random.bytes(32)))
    private let content = SecretBytes(Array("{}".utf8))

    init() throws {
        vault = Vault(keyRing: try KeyRing("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))
    }

    @Test func `credentials open with their key in their place`() throws {
        let sealed = vault.seal(content, at: try place(), under: key)
        #expect(try vault.open(sealed, at: place(), under: key).expose { $0 } == Array("{}".utf8))
    }

    @Test func `credentials do not open with another key`() throws {
        let sealed = vault.seal(content, at: try place(), under: key)
        #expect(throws: OpenError.notAuthentic) { try vault.open(sealed, at: place(), under: .make()) }
    }

    @Test(arguments: [("other", "example", "s"), ("acme", "other", "s"), ("acme", "example", "t")])
    func `a sealed row does not open under another tenant, source type or flow`(
        _ tenant: String, _ type: String, _ state: String
    ) throws {
        let sealed = vault.seal(content, at: try place(), under: key)
        #expect(throws: OpenError.notAuthentic) { try vault.open(sealed, at: place(tenant, type, state), under: key) }
    }

    @Test func `a sealed credential key opens in its place alone`() throws {
        let sealed = vault.seal(key, at: try place(), under: secret)
        #expect(try vault.open(sealed, at: place(), under: secret).matches(key))
        #expect(throws: OpenError.notAuthentic) {
            try vault.open(sealed, at: place("other", "example", "s"), under: secret)
        }
    }

    @Test(arguments: [[], [UInt8](repeating: 0, count: 32), Array("acme".utf8)])
    func `a sealed credential key does not open with the master key alone`(_ other: [UInt8]) throws {
        let sealed = vault.seal(key, at: try place(), under: secret)
        let other = OutcomeSecret(bytes: SecretBytes(other))
        #expect(throws: OpenError.notAuthentic) { try vault.open(sealed, at: place(), under: other) }
    }

    @Test func `a sealed credential key does not open as credentials`() throws {
        let sealed = vault.seal(key, at: try place(), under: secret)
        #expect(throws: OpenError.notAuthentic) {
            try vault.open(Sealed<Credentials>(stored: sealed.bytes), at: place(), under: key)
        }
    }

    @Test func `two places never have the same context`() throws {
        let contexts = [
            try place("a", "bc", "s"), try place("ab", "c", "s"), try place("a", "b", "s"), try place("a", "bc", "t"),
        ].map(\.context)
        #expect(Set(contexts).count == contexts.count)
    }

    private func place(_ tenant: String = "acme", _ type: String = "example", _ state: String = "s") throws -> Placement
    {
        Placement(
            tenant: try #require(TenantID(tenant)), sourceType: try #require(SourceType.ID(type)),
            flow: FlowID(of: State(state)))
    }
}
