import ArgumentParser
import Broker
import BrokerServer
import Foundation
import JWTKit
import Secrets

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Mint a JWT for trials.",
        discussion: """
            The key's public half must be in the JWK set that the broker is configured with. Issuer, audience and the \
            name of the tenant claim come from the configuration.
            """)

    @Option(name: .long, help: "A private key: PEM or JWK; EC P-256 or P-384, Ed25519, or RSA.")
    var key: String

    @Option(name: .long, parsing: .upToNextOption, help: "The tenants to put into the token.")
    var tenant: [String] = []

    @Option(name: .long, parsing: .upToNextOption, help: "The scopes, such as assets:write.")
    var scope: [String] = []

    @OptionGroup var options: ConfigurationOption

    @Option(name: .long, help: "The key's id in the JWK set; by default the JWK's own.")
    var kid: String?

    @Option(name: .long, help: "Seconds until it expires.")
    var lifetime: Int = 3600

    @Option(name: .long, help: "The subject.")
    var subject = "cloakroom-token"

    func validate() throws {
        guard (1...86_400 * 365).contains(lifetime) else {
            throw ValidationError("lifetime must be 1 to 31536000 seconds")
        }
    }

    func run() async throws {
        let findings = Findings()
        guard
            let settings = Settings(
                file: options.config, environment: ProcessInfo.processInfo.environment, findings: findings)
        else { throw Refusal(findings.lines) }
        // Only these three: a token can be minted where the rest of the configuration is not at hand.
        let auth = settings.top.section("auth") ?? settings.top.emptySection("auth")
        guard let issuer = auth.required("issuer", "the iss of callers' tokens"),
            let audience = auth.required("audience", "the aud of callers' tokens")
        else { throw Refusal(findings.lines) }

        guard let text = try? String(contentsOfFile: key, encoding: .utf8) else {
            throw Refusal(
                "the key file \"\(key)\" cannot be read", hint: "name a file with a private key in PEM or JWK")
        }
        guard let signing = await TokenKey(text, id: kid) else {
            throw Refusal(
                "the file \"\(key)\" holds no private key that can sign",
                hint: "use an EC (P-256, P-384), Ed25519 or RSA key in PEM or as a JWK")
        }
        let now = Int(Timestamp.now.milliseconds / 1000)
        var claims: [String: JSONValue] = [
            "iss": .string(issuer), "aud": .string(audience), "sub": .string(subject),
            "iat": .number(Double(now)), "exp": .number(Double(now + lifetime)),
            auth.string("scopeClaim") ?? "scope": .string(scope.joined(separator: " ")),
        ]
        let claim = auth.string("tenantClaim") ?? "tenant"
        switch tenant.count {
        case 0: break
        case 1: claims[claim] = .string(tenant[0])
        default: claims[claim] = .array(tenant.map { .string($0) })
        }
        Terminal.result(try await signing.sign(Claims(members: claims)))
    }
}

/// The claims of a token that we make. Nothing is verified with it.
struct Claims: JWTPayload {
    let members: [String: JSONValue]

    init(members: [String: JSONValue]) { self.members = members }

    init(from decoder: any Decoder) throws { members = try [String: JSONValue](from: decoder) }

    func encode(to encoder: any Encoder) throws { try members.encode(to: encoder) }

    func verify(using _: some JWTAlgorithm) async throws {}
}

/// A private key that signs test tokens.
struct TokenKey {
    private let keys: JWTKeyCollection
    private let id: JWKIdentifier?
    /// What names it in the token; `nil` where nothing does.
    private let header: JWTHeader

    func sign(_ claims: Claims) async throws -> String {
        try await keys.sign(claims, kid: id, header: header)
    }

    /// `nil` where `text` is no private key.
    init?(_ text: String, id given: String?) async {
        let keys = JWTKeyCollection()
        if text.contains("-----BEGIN") {
            let id = given.map { JWKIdentifier(string: $0) }
            if let key = try? ES256PrivateKey(pem: text) {
                await keys.add(ecdsa: key, kid: id)
            } else if let key = try? ES384PrivateKey(pem: text) {
                await keys.add(ecdsa: key, kid: id)
            } else if let key = try? EdDSA.PrivateKey(pem: text) {
                await keys.add(eddsa: key, kid: id)
            } else if let key = try? Insecure.RSA.PrivateKey(pem: text) {
                await keys.add(rsa: key, digestAlgorithm: .sha256, kid: id)
            } else {
                return nil
            }
            self.keys = keys
            self.id = id
            header = JWTHeader()
            return
        }
        guard var jwk = try? JWK(json: text), jwk.privateExponent != nil else { return nil }
        let own = given ?? jwk.keyIdentifier?.string
        let id = JWKIdentifier(string: own ?? "key")
        jwk.keyIdentifier = id
        if jwk.algorithm == nil { jwk.algorithm = Self.algorithm(jwk) }
        guard let algorithm = jwk.algorithm, (try? await keys.add(jwk: jwk)) != nil else { return nil }
        self.keys = keys
        self.id = id
        var header = JWTHeader()
        header.alg = algorithm.rawValue
        self.header = header
    }

    private static func algorithm(_ jwk: JWK) -> JWK.Algorithm? {
        switch (jwk.keyType, jwk.curve?.rawValue) {
        case (.rsa, _): .rs256
        case (_, "P-256"): .es256
        case (_, "P-384"): .es384
        case (_, "Ed25519"): .eddsa
        default: nil
        }
    }
}
