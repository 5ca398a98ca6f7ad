import Broker
public import CoreMetrics
public import Formats
import HTTPTypes
import Hummingbird
import Secrets

/// Checks who calls: signature, issuer, audience and times of a JWT (RFC 7519, RFC 8725), then tenant and scope.
public final class Callers: Sendable {
    /// What a token must say.
    public struct Rules: Sendable {
        public var issuer: String
        public var audience: String
        /// The claim that names the caller's tenants.
        public var tenantClaim: String
        /// The claim that names what the caller may do.
        public var scopeClaim: String

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
    private let keys: KnownKeys
    private let verified = VerifiedTokens()
    private let now: @Sendable () -> Timestamp
    private let steady: @Sendable () -> ContinuousClock.Instant

    static let tokens = "cloakroom_caller_tokens_total"
    private let hits: Counter
    private let misses: Counter

    /// Seconds by which clocks may differ.
    private static let leeway = 60.0
    /// Longer than any sane token; what is longer is not even hashed.
    private static let longestToken = 16 * 1024

    /// - Parameters:
    ///   - factory: counts how many tokens were known.
    ///   - now: the time of day, for what tokens say of it.
    ///   - steady: for ages, which no clock that is set may prolong.
    public init(
        rules: Rules, keys: KeySource, factory: any MetricsFactory = NOOPMetricsHandler.instance,
        now: @escaping @Sendable () -> Timestamp, steady: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        hits = Counter(label: Self.tokens, dimensions: [("cache", "hit")], factory: factory)
        misses = Counter(label: Self.tokens, dimensions: [("cache", "miss")], factory: factory)
        self.rules = rules
        self.keys = KnownKeys(keys, now: steady)
        self.now = now
        self.steady = steady
    }

    /// The caller, if the request's token is sound, for this tenant (`nil`: for any), and has one of `scopes`.
    func caller(_ request: Request, of tenant: TenantID?, anyOf scopes: [Scope]) async throws(CallerError) -> Caller {
        let caller = try await caller(request)
        if let tenant, !caller.tenants.contains(exactly: tenant.description) { throw .wrongTenant }
        guard scopes.contains(where: { caller.scopes.contains(exactly: $0.rawValue) }) else {
            throw .insufficientScope(wanted: scopes[0].rawValue, granted: caller.scopes)
        }
        return caller
    }

    private func caller(_ request: Request) async throws(CallerError) -> Caller {
        let fields = request.headers[values: .authorization]
        guard let field = fields.first else { throw .tokenMissing }
        // RFC 9110 § 11.1: the scheme's case does not matter.
        let scheme = String(decoding: field.utf8.prefix(7), as: UTF8.self)
        guard fields.count == 1, field.utf8.count > 7, scheme.isExactly("bearer ", inAnyCase: true) else {
            throw .tokenInvalid("the Authorization header is not one Bearer token")
        }
        let token = String(decoding: field.utf8.dropFirst(7), as: UTF8.self)
        guard token.utf8.count <= Self.longestToken else { throw .tokenInvalid("it is too long") }
        let digest = Digest(of: token)
        if let known = verified[digest, at: steady()], isAlive(known.caller),
            await keys.believed()?.number == known.generation
        {
            hits.increment()
            return known.caller
        }
        misses.increment()
        let proven = try await verify(token)
        verified.keep(proven, digest)
        return proven.caller
    }

    private func isAlive(_ caller: Caller) -> Bool { seconds < caller.expiresAt + Self.leeway }

    /// Since 1970.
    private var seconds: Double { Double(now().milliseconds) / 1000 }

    private func verify(_ token: String) async throws(CallerError) -> VerifiedTokens.Entry {
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
        guard let believed = await keys.believed(where: { $0.haveKey(of: signed) }) else {
            throw .keysUnavailable(keys.lastFailure)
        }
        switch believed.keys.verdict(on: signed) {
        case .signed: break
        case .unknownKey: throw .tokenInvalid("no key of the issuer fits its kid and alg")
        case .signatureWrong: throw .tokenInvalid("its signature does not fit")
        }
        // What was verified is read here, by the one reader that there is, and refused where another could read
        // something else in it.
        let claims: [String: JSONValue]
        do {
            claims = try StrictJSON.object(signed.payload)
        } catch {
            throw .tokenInvalid(
                error == .memberRepeated ? "a claim comes twice" : "its claims are not a JSON object")
        }
        return .init(caller: try caller(claims), generation: believed.number, verifiedAt: steady())
    }

    private func caller(_ claims: [String: JSONValue]) throws(CallerError) -> Caller {
        guard claims["iss"]?.string?.isExactly(rules.issuer) == true else {
            throw .tokenInvalid("iss is not the configured issuer")
        }
        guard Self.list(claims["aud"]).contains(exactly: rules.audience) else {
            throw .tokenInvalid("aud does not hold the configured audience")
        }
        let time = seconds
        guard case .number(let expiry)? = claims["exp"], expiry.isFinite, abs(expiry) < 1e12 else {
            throw .tokenInvalid("exp is missing or not a number")
        }
        guard time < expiry + Self.leeway else { throw .tokenInvalid("it has expired") }
        switch claims["nbf"] {
        case nil, .null?: break
        case .number(let start)? where start <= time + Self.leeway: break
        case .number?: throw .tokenInvalid("it is not valid yet")
        default: throw .tokenInvalid("nbf is not a number")
        }
        let scopes =
            switch claims[exactly: rules.scopeClaim] {
            // RFC 8693 § 4.2. By bytes: a space with a mark upon it is another character.
            case .string(let text)?: text.utf8.split(separator: 0x20).compactMap(String.init)
            default: Self.list(claims[exactly: rules.scopeClaim])
            }
        return Caller(
            subject: claims["sub"]?.string, tokenID: claims["jti"]?.string,
            tenants: Self.list(claims[exactly: rules.tenantClaim]), scopes: scopes, expiresAt: expiry)
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
