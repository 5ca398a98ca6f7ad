import Secrets
import Testing

@testable import Broker

/// The secret that a flow's copied key waits under, and the cookie that brings it to the callback.
@Suite struct BrowserBindingTests {
    private static let first = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    private static let second = "k2://////////////////////////////////////////8="

    private let ring: KeyRing
    private let secrets: FlowSecrets
    private let flow = FlowID(of: State.random())
    private let verifier = ExchangeVerifier.random()

    init() throws {
        ring = try KeyRing("\(Self.first)\n\(Self.second)")
        secrets = FlowSecrets(keyRing: ring)
    }

    @Test func `the secret can be made again, from verifier, flow and master key alone`() throws {
        let again = FlowSecrets(keyRing: try KeyRing(Self.first))
        #expect(try bytes(secrets) == bytes(again))
    }

    @Test func `another verifier, flow or master key gives another secret`() throws {
        let secret = try bytes(secrets)
        #expect(try bytes(secrets, verifier: .random()) != secret)
        #expect(try bytes(secrets, flow: FlowID(of: State.random())) != secret)
        #expect(try bytes(secrets, key: ring.ids[1]) != secret)
    }

    @Test func `without the master key there is neither secret nor cookie`() throws {
        let missing = try #require(KeyRing.KeyID("k3"))
        #expect(secrets.outcomeSecret(of: verifier, for: flow, key: missing) == nil)
        #expect(secrets.bindingCookie(with: try secret(), of: flow, key: missing) == nil)
    }

    @Test func `the cookie brings the secret, whichever master key of the ring the flow began under`() throws {
        for id in ring.ids {
            let secret = try #require(secrets.outcomeSecret(of: verifier, for: flow, key: id))
            let cookie = try #require(secrets.bindingCookie(with: secret, of: flow, key: id))
            #expect(secrets.outcomeSecret(in: cookie, of: flow).map(bytes) == bytes(secret))
        }
    }

    @Test func `the cookie of a master key that is gone binds nothing`() throws {
        let cookie = try cookie()
        #expect(FlowSecrets(keyRing: try KeyRing(Self.second)).outcomeSecret(in: cookie, of: flow) == nil)
    }

    @Test func `another flow's cookie binds nothing`() throws {
        #expect(secrets.outcomeSecret(in: try cookie(), of: FlowID(of: State.random())) == nil)
    }

    /// The secret can be replaced by one that the forger knows, but the code over it not.
    @Test func `a secret of somebody else's making binds nothing`() throws {
        let text = try cookie().expose { $0 }
        let code = try #require(Base64URL.decode(text)).suffix(32)
        for forged in [Random.bytes(32), [UInt8](repeating: 0, count: 32)] {
            for cookie in [
                forged + code, forged + forged, forged + HMACSHA256.code(of: forged, key: SecretBytes(forged)),
            ] {
                #expect(secrets.outcomeSecret(in: BindingCookie(Base64URL.encode(cookie)), of: flow) == nil)
            }
        }
    }

    @Test func `a cookie that was altered in any place binds nothing`() throws {
        let bytes = try #require(Base64URL.decode(try cookie().expose { $0 }))
        for index in bytes.indices {
            var altered = bytes
            altered[index] ^= 1
            #expect(secrets.outcomeSecret(in: BindingCookie(Base64URL.encode(altered)), of: flow) == nil)
        }
    }

    @Test func `a cookie of another length or spelling binds nothing`() throws {
        let text = try cookie().expose { $0 }
        for other in [
            "", String(text.dropLast()), text + "A", text + "=", "\(text) ", String(repeating: "A", count: 65_536),
        ] {
            #expect(secrets.outcomeSecret(in: BindingCookie(other), of: flow) == nil)
        }
    }

    @Test func `the cookie holds neither the verifier nor its challenge`() throws {
        let bytes = try #require(Base64URL.decode(try cookie().expose { $0 }))
        let parts = [Array(bytes.prefix(32)), Array(bytes.suffix(32))]
        #expect(verifier.expose { text in parts.allSatisfy { $0 != Base64URL.decode(text) } })
        #expect(!parts.contains(verifier.digest.bytes))
    }

    private func secret(verifier: ExchangeVerifier? = nil) throws -> OutcomeSecret {
        try #require(secrets.outcomeSecret(of: verifier ?? self.verifier, for: flow, key: ring.primary))
    }

    private func cookie() throws -> BindingCookie {
        try #require(secrets.bindingCookie(with: secret(), of: flow, key: ring.primary))
    }

    private func bytes(_ secret: OutcomeSecret) -> [UInt8] { secret.bytes.expose { $0 } }

    private func bytes(
        _ secrets: FlowSecrets, verifier: ExchangeVerifier? = nil, flow: FlowID? = nil, key: KeyRing.KeyID? = nil
    ) throws -> [UInt8] {
        bytes(
            try #require(
                secrets.outcomeSecret(
                    of: verifier ?? self.verifier, for: flow ?? self.flow, key: key ?? ring.primary)))
    }
}
