import Formats
import Secrets
import TestSupport
import Testing

@testable import JOSE

@Suite struct JWSSignerTests {
    private func read(_ text: String, keyID: String? = nil) -> JWSSigner? {
        JWSSigner(file: SecretBytes(Array(text.utf8)), keyID: keyID)
    }

    /// RFC 7515 § A.3.1, with more members.
    private static func jwk(_ more: String = "") -> String {
        """
        {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
         "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"\(more)}
        """
    }

    private static let ed25519JWK = """
        {"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
         "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"Ed25519"}
        """

    @Test(arguments: [
        (PublishedKey.rsa, SignatureAlgorithm.RS256), (PublishedKey.p256, .ES256), (TestKey.p384, .ES384),
        (PublishedKey.p521, .ES512), (PublishedKey.ed25519, .EdDSA), (PublishedKey.ed448, .EdDSA), (jwk(), .ES256),
        (jwk(#","alg":"ES256","use":"sig""#), .ES256), (jwk(#","key_ops":["sign","verify"]"#), .ES256),
        (ed25519JWK, .Ed25519),
    ])
    func `a key in PEM or as a JWK signs with its algorithm`(_ text: String, _ algorithm: SignatureAlgorithm) throws {
        let signer = try #require(read(text))
        #expect(signer.algorithm == algorithm)
        let token = try #require(signer.sign(type: "JWT", claims: ["sub": .string("s")]))
        let key = try #require(VerificationKey(jwk: signer.key.publicJWK))
        #expect(try JSONWebSignature(token).isSigned(by: key, with: algorithm))
    }

    @Test func `a JWK's own id counts unless another is given`() throws {
        let own = Self.jwk(#","kid":"own""#)
        #expect(read(own)?.keyID == "own" && read(own, keyID: "given")?.keyID == "given")
        #expect(
            try #require(read(Self.jwk())).keyID == nil && read(PublishedKey.p256, keyID: "given")?.keyID == "given")
        let token = try #require(read(own)?.sign(type: "JWT", claims: [:]))
        let (header, _) = try Forge.parts(token)
        #expect(header == ["alg": .string("ES256"), "typ": .string("JWT"), "kid": .string("own")])
    }

    @Test(arguments: [
        "", "key", "{}", "[]", jwk(#","use":"enc""#), jwk(#","alg":"RS256""#), jwk(#","alg":"none""#),
        jwk(#","alg":5"#), jwk(#","key_ops":["verify"]"#), jwk(#","key_ops":"sign""#),
        jwk(#","kid":"a","kid":"b""#), jwk(#","d":"x""#), #"{"kty":"oct","k":"AAAA"}"#,
        #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}"#,
    ])
    func `what is no private key to sign with is none`(_ text: String) {
        #expect(read(text) == nil)
    }
}
