import Secrets
import Testing

@testable import Broker

@Suite struct ProofKeyTests {
    private static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    private static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    @Test func `the challenge matches RFC 7636 appendix B`() {
        #expect(ProofKeyChallenge(of: CodeVerifier(Self.verifier)).text == Self.challenge)
        #expect(ProofKeyChallenge(of: ExchangeVerifier(Self.verifier)) == ProofKeyChallenge(Self.challenge))
    }

    /// RFC 7636 § 4.2: base64url of 32 bytes, in its one spelling.
    @Test(arguments: [
        "", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c\n", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMM",
        "13d31e961a1ad8ec2f16b10c4c982e0876a878ad6df144566ee1894acb70f9c3",
    ])
    func `a text of another shape is no challenge`(_ text: String) {
        #expect(ProofKeyChallenge(text) == nil)
    }

    /// RFC 7636 § 4.1: 43 to 128 unreserved characters.
    @Test(arguments: [
        verifier, String(repeating: "a", count: 43), String(repeating: "~", count: 128),
        String(repeating: "A-._~9", count: 10),
    ])
    func `a verifier of the shape of RFC 7636 is taken as it is`(_ text: String) {
        #expect(ExchangeVerifier(checking: text)?.expose { $0 } == text)
    }

    @Test(arguments: [
        "", String(repeating: "a", count: 42), String(repeating: "a", count: 129),
        String(repeating: "a", count: 43) + "=",
        String(repeating: "a", count: 43) + " ", String(repeating: "a", count: 43) + "\n",
        String(repeating: "a", count: 43) + "+",
        String(repeating: "a", count: 43) + "%", String(repeating: "\u{E9}", count: 43),
        String(repeating: "\u{661}", count: 43),
        String(repeating: "a", count: 42) + "a\u{301}",
    ])
    func `a text of another shape is no verifier`(_ text: String) {
        #expect(ExchangeVerifier(checking: text) == nil)
    }
}

@Suite struct FlowSecretsTests {
    private let ring: KeyRing
    private let secrets: FlowSecrets
    private let state = State("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")

    init() throws {
        ring = try KeyRing(
            """
            k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
            k2://////////////////////////////////////////8=
            """)
        secrets = FlowSecrets(keyRing: ring)
    }

    /// RFC 7636 § 4.1: at least 43 unreserved characters.
    @Test func `the code verifier has the shape of RFC 7636`() throws {
        let text = try #require(secrets.codeVerifier(of: state, key: ring.primary)?.expose { $0 })
        #expect(ExchangeVerifier(checking: text) != nil)
        #expect(text.utf8.count == 43)
    }

    @Test func `the code verifier can be made again, from the state and the key alone`() throws {
        let first = try #require(secrets.codeVerifier(of: state, key: ring.primary))
        let again = try #require(FlowSecrets(keyRing: ring).codeVerifier(of: state, key: ring.primary))
        #expect(first.matches(again))
    }

    @Test func `another state or key gives another code verifier`() throws {
        let first = try #require(secrets.codeVerifier(of: state, key: ring.ids[0]))
        #expect(secrets.codeVerifier(of: State.random(), key: ring.ids[0])?.matches(first) == false)
        #expect(secrets.codeVerifier(of: state, key: ring.ids[1])?.matches(first) == false)
    }

    @Test func `without the key there is no code verifier`() throws {
        let missing = try #require(KeyRing.KeyID("k3"))
        #expect(secrets.codeVerifier(of: state, key: missing) == nil)
    }
}
