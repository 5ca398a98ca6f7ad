public import Broker
public import CoreMetrics
import Foundation
import HTTPTypes
import Hummingbird
import JWTKit
import Secrets

/// Checks who calls: signature, issuer, audience and times of a JWT (RFC 7519, RFC 8725), then tenant and scope.
///
/// `@unchecked Sendable`: `verified` is guarded by `lock`; the rest never changes.
public final class Callers: @unchecked Sendable {
    /// What a token must say.
    public struct Rules: Sendable {
        public var issuer: String
        public var audience: String
        /// The claim that names the caller's tenants.
        public var tenantClaim: String

        public init(issuer: String, audience: String, tenantClaim: String = "tenant") {
            self.issuer = issuer
            self.audience = audience
            self.tenantClaim = tenantClaim
        }
    }

    private let rules: Rules
    private let keys: KnownKeys
    private let now: @Sendable () -> Timestamp

    /// Callers by their token's digest, until a token expires, at most a minute.
    private let lock = NSLock()
    private var verified: [Digest: (caller: Caller, until: Int64)] = [:]

    static let tokens = "cloakroom_caller_tokens_total"
    private let hits: Counter
    private let misses: Counter

    private static let mostVerified = 10_000
    private static let longestVerified: Int64 = 60_000
    /// Seconds by which clocks may differ.
    private static let leeway = 60.0
    /// Longer than any sane token; what is longer is not even hashed.
    private static let longestToken = 16 * 1024

    /// - Parameter factory: counts how many tokens were known.
    public init(
        rules: Rules, keys: KeySource, factory: any MetricsFactory = NOOPMetricsHandler.instance,
        now: @escaping @Sendable () -> Timestamp
    ) {
        hits = Counter(label: Self.tokens, dimensions: [("cache", "hit")], factory: factory)
        misses = Counter(label: Self.tokens, dimensions: [("cache", "miss")], factory: factory)
        self.rules = rules
        self.keys = KnownKeys(keys)
        self.now = now
    }

    /// The caller, if the request's token is sound, for this tenant (`nil`: for any), and has one of `scopes`.
    func caller(_ request: Request, of tenant: TenantID?, anyOf scopes: [Scope]) async throws(CallerError) -> Caller {
        let caller = try await caller(request)
        if let tenant, !caller.tenants.contains(tenant.description) { throw .wrongTenant }
        guard scopes.contains(where: { caller.scopes.contains($0.rawValue) }) else {
            throw .insufficientScope(wanted: scopes[0].rawValue)
        }
        return caller
    }

    private func caller(_ request: Request) async throws(CallerError) -> Caller {
        let fields = request.headers[values: .authorization]
        guard let field = fields.first else { throw .tokenMissing }
        // RFC 9110 § 11.1: the scheme's case does not matter.
        guard fields.count == 1, field.utf8.count > 7, field.prefix(7).lowercased() == "bearer " else {
            throw .tokenInvalid("the Authorization header is not one Bearer token")
        }
        let token = field.dropFirst(7)
        guard token.utf8.count <= Self.longestToken else { throw .tokenInvalid("it is too long") }
        let digest = Digest(of: String(token))
        let time = now().milliseconds
        if let known = lock.withLock({ verified[digest] }), time < known.until {
            hits.increment()
            return known.caller
        }
        misses.increment()

        let caller = try await verify(token)
        let until = min(time + Self.longestVerified, Int64((caller.expiresAt + Self.leeway) * 1000))
        lock.withLock {
            // All at once, not the oldest first: no bookkeeping on the way of every request.
            if verified.count >= Self.mostVerified { verified.removeAll(keepingCapacity: true) }
            verified[digest] = (caller, until)
        }
        return caller
    }

    private struct Header: Decodable {
        let alg: String
        let kid: String?
        let crit: [String]?
    }

    private func verify(_ token: Substring) async throws(CallerError) -> Caller {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let headerBytes = Base64URL.decode(parts[0]),
            let claimBytes = Base64URL.decode(parts[1]), let signature = Base64URL.decode(parts[2]),
            let header = try? JSONDecoder().decode(Header.self, from: Data(headerBytes))
        else { throw .tokenInvalid("it is not a signed JWT") }
        // RFC 7515 § 4.1.11: what is critical and not understood makes the token invalid.
        guard header.crit == nil else { throw .tokenInvalid("its header has a critical extension") }

        // We choose the key by `kid` and `alg` before anything is verified, so that a token cannot (RFC 8725 § 3.1).
        let known = await keys.keys { $0.key(id: header.kid, algorithm: header.alg) != nil }
        guard let known else { throw .keysUnavailable }
        guard let key = known.key(id: header.kid, algorithm: header.alg) else {
            throw .tokenInvalid("no key of the issuer fits its kid and alg")
        }
        let signed = Array(parts[0].utf8) + [UInt8(ascii: ".")] + Array(parts[1].utf8)
        guard (try? key.verify(signature, signs: signed)) == true else {
            throw .tokenInvalid("its signature does not fit")
        }
        guard case .object(let claims)? = JSONValue(json: claimBytes) else {
            throw .tokenInvalid("its claims are not a JSON object")
        }
        return try caller(claims)
    }

    private func caller(_ claims: [String: JSONValue]) throws(CallerError) -> Caller {
        guard claims["iss"]?.string == rules.issuer else { throw .tokenInvalid("iss is not the configured issuer") }
        guard Self.list(claims["aud"]).contains(rules.audience) else {
            throw .tokenInvalid("aud does not hold the configured audience")
        }
        let time = Double(now().milliseconds) / 1000
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
            switch claims["scope"] {
            case .string(let text)?: text.split(separator: " ").map(String.init)
            default: Self.list(claims["scope"])
            }
        return Caller(
            subject: claims["sub"]?.string, tokenID: claims["jti"]?.string,
            tenants: Self.list(claims[rules.tenantClaim]), scopes: Set(scopes),
            expiresAt: expiry)
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
