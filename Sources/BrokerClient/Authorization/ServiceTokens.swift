import Formats
import JOSE
import Secrets

/// Mints the service's own tokens, and keeps each for most of its minute.
final class ServiceTokens: Sendable {
    struct Claims: Sendable {
        var issuer: String
        var audience: String
        var subject: String?
        var tenantClaim: String
        var scopeClaim: String
    }

    private struct Purpose: Hashable, Sendable {
        let tenant: TenantID
        let scope: BrokerScope
    }

    private struct Minted: Sendable {
        let token: Secret<Use.BearerToken>
        let at: Timestamp

        /// Not before its making either: a clock that was set back would make an old one look young.
        func serves(at now: Timestamp) -> Bool {
            at <= now && now < at.adding(seconds: ServiceTokens.lifetime - ServiceTokens.margin)
        }
    }

    /// In seconds.
    static let lifetime: Int64 = 60
    /// The time in which a token must reach the broker, in seconds.
    static let margin: Int64 = 15
    /// The most tokens that are kept; more tenants than these are served all the same.
    private static let mostKept = 1000

    private let signer: JWSSigner
    private let claims: Claims
    private let kept = Locked<[Purpose: Minted]>([:])

    init(signer: JWSSigner, claims: Claims) {
        self.signer = signer
        self.claims = claims
    }

    var count: Int { kept.withLock { $0.count } }

    /// `nil` where the key cannot sign.
    func token(for tenant: TenantID, scope: BrokerScope, at now: Timestamp) -> Secret<Use.BearerToken>? {
        let purpose = Purpose(tenant: tenant, scope: scope)
        if let minted = kept.withLock({ $0[purpose] }), minted.serves(at: now) { return minted.token }
        guard let token = mint(purpose, at: now) else { return nil }
        kept.withLock { kept in
            if kept.count >= Self.mostKept { kept = kept.filter { $0.value.serves(at: now) } }
            if kept.count >= Self.mostKept { kept = [:] }
            kept[purpose] = Minted(token: token, at: now)
        }
        return token
    }

    private func mint(_ purpose: Purpose, at now: Timestamp) -> Secret<Use.BearerToken>? {
        var claims: [String: JSONValue] = [
            "iss": .string(self.claims.issuer), "aud": .string(self.claims.audience), "iat": .seconds(now),
            "exp": .seconds(now.adding(seconds: Self.lifetime)), "jti": .randomID(),
        ]
        if let subject = self.claims.subject { claims["sub"] = .string(subject) }
        claims[self.claims.scopeClaim] = .string(purpose.scope.rawValue)
        // Last: where the broker is told that the subject is the tenant, it is that.
        claims[self.claims.tenantClaim] = .string(purpose.tenant.description)
        return signer.sign(type: "JWT", claims: claims).map { Secret($0) }
    }
}
