package import CoreMetrics
package import Formats
import HTTPTypes
package import Hummingbird
import JOSE
import Secrets

/// Verifies the bearer tokens of calls (RFC 6750 § 2.1): signature, issuer, audience and times of a JWT
/// (RFC 7519 § 7.2, RFC 8725 § 3), then tenant and scope.
public final class BearerTokenVerifier: Sendable {
    /// The claims that a token must have.
    public struct Rules: Sendable {
        /// Compared with `iss` byte for byte (RFC 7519 § 4.1.1).
        public var issuer: String
        /// `aud` must be this, or a list that holds it (RFC 7519 § 4.1.3).
        public var audience: String
        /// The claim that names the caller's tenants: text or a list of texts.
        public var tenantClaim: String
        /// The claim that names the caller's scopes: text with spaces between them (RFC 8693 § 4.2), or a list of
        /// texts.
        public var scopeClaim: String

        /// Checks nothing; the configuration's reader does.
        public init(
            issuer: String, audience: String, tenantClaim: String = "tenant", scopeClaim: String = "scope"
        ) {
            self.issuer = issuer
            self.audience = audience
            self.tenantClaim = tenantClaim
            self.scopeClaim = scopeClaim
        }
    }

    private let rules: Rules
    private let keys: IssuerKeys
    private let verified = VerifiedTokenCache()
    private let now: @Sendable () -> Timestamp
    private let steady: @Sendable () -> ContinuousClock.Instant

    /// The counter of callers' tokens, by whether they were known (`hit`) or had to be verified (`miss`).
    package static let tokens = "cloakroom_caller_tokens_total"
    private let hits: Counter
    private let misses: Counter

    /// Longer than any sane token; what is longer is not even hashed.
    private static let longestToken = 16 * 1024

    /// - Parameters:
    ///   - keys: fetched, where they are at an address, once a token needs them.
    ///   - factory: counts the tokens that were known, and those that had to be verified.
    ///   - now: the time of day, for what tokens say of it.
    ///   - steady: a monotonic clock, for the ages of keys and of verified tokens.
    ///   - tell: told where the issuer's keys cannot be fetched, at most once a minute of each kind of outage.
    package init(
        rules: Rules, keys: KeySource, factory: any MetricsFactory = NOOPMetricsHandler.instance,
        now: @escaping @Sendable () -> Timestamp, steady: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        tell: @escaping @Sendable (IssuerOutage) -> Void = { _ in }
    ) {
        hits = Counter(label: Self.tokens, dimensions: [("cache", "hit")], factory: factory)
        misses = Counter(label: Self.tokens, dimensions: [("cache", "miss")], factory: factory)
        self.rules = rules
        self.keys = IssuerKeys(keys, now: steady, tell: tell)
        self.now = now
        self.steady = steady
    }

    /// The claims of the request's token, if it is sound, for this tenant (`nil`: for any), and has one of `scopes`, of which the
    /// first is named where it has none.
    package func verify(
        _ request: Request, for tenant: TenantID?, anyOf scopes: [Scope]
    ) async throws(BearerTokenError) -> AccessTokenClaims {
        let claims = try await claims(of: try Self.token(of: request))
        if let tenant, !claims.tenants.contains(exactly: tenant.description) { throw .wrongTenant }
        guard scopes.contains(where: { claims.scopes.contains(exactly: $0.name) }) else {
            throw .insufficientScope(wanted: scopes.first?.name ?? "", granted: claims.scopes)
        }
        return claims
    }

    /// RFC 6750 § 2.1.
    private static func token(of request: Request) throws(BearerTokenError) -> String {
        let fields = request.headers[values: .authorization]
        guard let field = fields.first else { throw .tokenMissing }
        // RFC 9110 § 11.1: the scheme's case does not matter.
        let scheme = String(decoding: field.utf8.prefix(7), as: UTF8.self)
        guard fields.count == 1, field.utf8.count > 7, scheme.isExactly("bearer ", inAnyCase: true) else {
            throw .tokenInvalid("the Authorization header is not one Bearer token")
        }
        let token = String(decoding: field.utf8.dropFirst(7), as: UTF8.self)
        guard token.utf8.count <= longestToken else { throw .tokenInvalid("it is too long") }
        return token
    }

    private func claims(of token: String) async throws(BearerTokenError) -> AccessTokenClaims {
        let digest = Digest(of: token)
        if let known = verified[digest, at: steady()], seconds < known.claims.expiresAt + VerifiedClaims.leeway,
            await keys.generation == known.generation
        {
            hits.increment()
            return known.claims
        }
        misses.increment()
        let proven = try await verify(token)
        verified.keep(proven, for: digest)
        return proven.claims
    }

    /// Since 1970.
    private var seconds: Double { Double(now().milliseconds) / 1000 }

    private func verify(_ token: String) async throws(BearerTokenError) -> VerifiedTokenCache.Entry {
        let signed: JSONWebSignature
        do {
            signed = try JSONWebSignature(token)
        } catch {
            throw .tokenInvalid(error.reason)
        }
        // RFC 8725 § 3.11, RFC 9068 § 2.1: an id_token that says so, a logout token or a proof of possession is none.
        guard signed.type == nil || signed.isTyped("JWT", "at+jwt") else {
            throw .tokenInvalid("its typ is another kind of token's")
        }
        let (claims, generation) = try await keys.claims(of: signed)
        return .init(claims: try check(claims), generation: generation, verifiedAt: steady())
    }

    private func check(_ claims: VerifiedClaims) throws(BearerTokenError) -> AccessTokenClaims {
        guard claims.isIssued(by: rules.issuer) else {
            let isSlip = claims["iss"]?.string?.differsBySlash(from: rules.issuer) == true
            throw .tokenInvalid(
                isSlip ? "iss differs from auth.issuer by the trailing slash alone" : "iss is not the configured issuer"
            )
        }
        guard Self.list(claims["aud"]).contains(exactly: rules.audience) else {
            throw .tokenInvalid("aud does not hold the configured audience")
        }
        let time = seconds
        guard let expiry = claims.moment("exp"), expiry.isFinite, abs(expiry) < 1e12 else {
            throw .tokenInvalid("exp is missing or not a number")
        }
        guard time < expiry + VerifiedClaims.leeway else { throw .tokenInvalid("it has expired") }
        guard !claims.isEarly(at: time) else {
            throw .tokenInvalid(claims.moment("nbf") == nil ? "nbf is not a number" : "it is not valid yet")
        }
        let scopes =
            switch claims.members[exactly: rules.scopeClaim] {
            // RFC 8693 § 4.2. By bytes: a space with a mark upon it is another character.
            case .string(let text)?: text.utf8.split(separator: 0x20).compactMap(String.init)
            default: Self.list(claims.members[exactly: rules.scopeClaim])
            }
        return AccessTokenClaims(
            subject: claims["sub"]?.string, tokenID: claims["jti"]?.string,
            tenants: Self.list(claims.members[exactly: rules.tenantClaim]), scopes: scopes, expiresAt: expiry)
    }

    /// A claim that is text or a list of texts.
    private static func list(_ claim: JSONValue?) -> [String] {
        switch claim {
        case .string(let text)?: [text]
        case .array(let values)?: values.compactMap(\.string)
        default: []
        }
    }
}

extension JSONWebSignature.Fault {
    fileprivate var reason: String {
        switch self {
        case .tooLong: "it is too long"
        case .notThreeParts, .notBase64URL, .headerMalformed: "it is not a signed JWT"
        case .memberRepeated: "a member of its header comes twice"
        case .criticalExtension: "its header has a critical extension"
        case .unprotected: "it is not signed"
        }
    }
}
