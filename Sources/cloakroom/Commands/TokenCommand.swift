import ArgumentParser
import Broker
import BrokerServer
import Catalog
import Daemon
import Formats
import Foundation
import JOSE
import Secrets
import StrictYAML

/// Mints a caller's token by the issuer's own private key, for trials. Of the configuration it reads the claims' names,
/// issuer and audience alone, so that it runs where nothing else of it is.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Mint a JWT for trials.",
        discussion: """
            The key's public half must be in the JWK set that the broker is configured with. Issuer, audience and the \
            names of the tenant and scope claims come from the configuration.
            """)

    @Option(name: .long, help: "A private key: PEM or JWK; EC P-256, P-384 or P-521, Ed25519, Ed448, or RSA.")
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

    func run() throws {
        let findings = Findings()
        guard
            let settings = Settings(
                file: options.config, environment: ProcessInfo.processInfo.environment, names: .broker,
                findings: findings)
        else { throw Refusal(findings.lines) }
        // Only these three: a token can be minted where the rest of the configuration is not at hand.
        let auth = settings.top.section("auth") ?? settings.top.emptySection("auth")
        let issuer = auth.required("issuer", "the iss of callers' tokens")
        let audience = auth.required("audience", "the aud of callers' tokens")
        let claims = claims(issuer: issuer ?? "", audience: audience ?? "", auth)
        try findings.refuse()

        let bytes = try UnreadableFile.refused(
            "the key file \"\(key)\"", hint: "name a file with a private key in PEM or JWK"
        ) { () throws(UnreadableFile) in try ReadFile(key).bytes }
        guard let signer = JWSSigner(file: SecretBytes(bytes), keyID: kid) else {
            throw Refusal(
                "the file \"\(key)\" holds no private key that can sign",
                hint: "use an EC (P-256, P-384, P-521), Ed25519, Ed448 or RSA key in PEM or as a JWK")
        }
        guard let token = signer.sign(type: "JWT", claims: claims) else {
            throw Refusal("the file \"\(key)\" holds a key that does not sign")
        }
        Terminal.result(token)
    }

    private func claims(issuer: String, audience: String, _ auth: YAMLReader) -> [String: JSONValue] {
        let now = Timestamp.now
        var claims: [String: JSONValue] = [
            "iss": .string(issuer), "aud": .string(audience), "iat": .seconds(now),
            "exp": .seconds(now.adding(seconds: Int64(lifetime))),
        ]
        add(.string(scope.joined(separator: " ")), under: "scopeClaim", or: "scope", of: auth, to: &claims)
        let tenants: JSONValue? =
            tenant.count > 1 ? .array(tenant.map(JSONValue.string)) : tenant.first.map(JSONValue.string)
        add(tenants, under: "tenantClaim", or: "tenant", of: auth, to: &claims)
        // Where the tenant is the subject, it is that.
        if claims["sub"] == nil { claims["sub"] = .string(subject) }
        return claims
    }

    /// Adds a claim by the name that a setting gives it; a finding where another claim has that name.
    private func add(
        _ value: JSONValue?, under setting: String, or usual: String, of auth: YAMLReader,
        to claims: inout [String: JSONValue]
    ) {
        let name = auth.string(setting) ?? usual
        guard claims[name] == nil else {
            auth.problem(setting, found: name.quoted, wanted: "the name of a claim that no other one of the token has")
            return
        }
        claims[name] = value
    }
}
