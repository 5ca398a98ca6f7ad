import Formats
package import JOSE
public import Secrets

/// The way in which a service proves to the broker who it is.
public struct BrokerAuthorization: Sendable {
    private enum Kind: Sendable {
        case anonymous
        case signing(ServiceTokens)
        case file(TokenFile)
    }

    private let kind: Kind

    /// No token: for services that only redeem.
    public static let anonymous = BrokerAuthorization(kind: .anonymous)

    /// A JWT of a minute, for one tenant and with just the scope that a call needs. The public half of the key must be in
    /// the JWK set that the broker is configured with.
    ///
    /// - Parameters:
    ///   - keyID: the key's name in that set (RFC 7515 § 4.1.4).
    ///   - issuer: the broker's `auth.issuer`.
    ///   - audience: the broker's `auth.audience`.
    ///   - subject: the service's name in the broker's trail.
    ///   - tenantClaim: the broker's `auth.tenantClaim`.
    ///   - scopeClaim: the broker's `auth.scopeClaim`.
    public static func signing(
        _ key: SigningKey, keyID: String?, issuer: String, audience: String, subject: String? = nil,
        tenantClaim: String = "tenant", scopeClaim: String = "scope"
    ) -> BrokerAuthorization {
        // Every kind of key has an algorithm.
        let signer = JWSSigner(key: key, algorithm: key.algorithms.first ?? .ES256, keyID: keyID)
        return signing(
            signer, issuer: issuer, audience: audience, subject: subject, tenantClaim: tenantClaim,
            scopeClaim: scopeClaim)
    }

    /// The same by a key that was read with its algorithm and name, as a JSON Web Key has them.
    package static func signing(
        _ signer: JWSSigner, issuer: String, audience: String, subject: String? = nil,
        tenantClaim: String = "tenant", scopeClaim: String = "scope"
    ) -> BrokerAuthorization {
        let claims = ServiceTokens.Claims(
            issuer: issuer, audience: audience, subject: subject, tenantClaim: tenantClaim, scopeClaim: scopeClaim)
        return BrokerAuthorization(kind: .signing(ServiceTokens(signer: signer, claims: claims)))
    }

    /// The token in a file, such as one that an orchestrator mounts and renews: read again for each call, so that a
    /// changed file counts from the next call on. It must hold one token, and be for all tenants that the service calls
    /// for. While the file is missing or malformed, the last good token serves.
    public static func tokenFile(_ path: String) -> BrokerAuthorization {
        BrokerAuthorization(kind: .file(TokenFile(path: path)))
    }

    /// A reason why there is no token.
    public enum Fault: String, Error, Hashable, Sendable, CustomStringConvertible {
        /// The call needs one, and the client has none.
        case anonymous
        case fileUnreadable
        /// The file does not hold just one token.
        case fileMalformed
        /// The algorithm is not the key's.
        case keyCannotSign

        public var description: String {
            switch self {
            case .anonymous: "the client is anonymous"
            case .fileUnreadable: "the token's file cannot be read"
            case .fileMalformed: "the token's file does not hold just one token"
            case .keyCannotSign: "the key cannot sign with its algorithm"
            }
        }
    }

    func token(
        for tenant: TenantID, scope: BrokerScope, at now: Timestamp
    ) async throws(BrokerError) -> Secret<Use.BearerToken> {
        switch kind {
        case .anonymous: throw .noToken(.anonymous)
        case .signing(let tokens):
            guard let token = tokens.token(for: tenant, scope: scope, at: now) else { throw .noToken(.keyCannotSign) }
            return token
        case .file(let file):
            do { return try await file.token() } catch { throw .noToken(error) }
        }
    }
}

extension BrokerAuthorization: Redacted {}
