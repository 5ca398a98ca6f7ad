import Formats
import HTTPService
public import JOSE
import OTLPTracing
import Secrets
import ServiceContextModule
public import Transport

/// Where the keys for callers' tokens come from.
public enum KeySource: Sendable {
    case fixed(VerificationKeys)
    /// A JWK set at an https address.
    case address(String, any HTTPTransport)
}

/// The keys for callers' tokens as they are believed now.
struct IssuerKeys: Sendable {
    private enum Source {
        case fixed(VerificationKeys)
        case remote(RemoteKeySet, RemoteKeySet.Fetch)
    }

    private let source: Source

    /// - Parameter now: a clock that nobody can set: one set back would prolong what was withdrawn.
    init(_ source: KeySource, now: @escaping @Sendable () -> ContinuousClock.Instant) {
        switch source {
        case .fixed(let keys): self.source = .fixed(keys)
        case .address(let url, let transport):
            self.source = .remote(RemoteKeySet(.callers, now: now)) { () async throws(TransportError) in
                var request = TransportRequest(method: .get, url: url, headers: [("Accept", "application/json")])
                // The issuer is the operator's own: what it does for us belongs to the same trace.
                request.headers += ServiceContext.current?.trace?.headers ?? []
                return try await transport.send(request)
            }
        }
    }

    /// Numbers the keys that are believed now; `nil` where there are none.
    var generation: Int? {
        get async {
            switch source {
            case .fixed: 0
            case .remote(let set, let fetch): try? await set.believed(fetch: fetch).number
            }
        }
    }

    /// What a token claims, if it is signed with these keys, and which they were.
    func claims(of token: JSONWebSignature) async throws(BearerTokenError) -> (claims: VerifiedClaims, generation: Int)
    {
        switch source {
        case .fixed(let keys):
            do {
                return (try keys.claims(of: token), 0)
            } catch {
                throw BearerTokenError(error)
            }
        case .remote(let set, let fetch):
            let believed: RemoteKeySet.Generation
            do {
                believed = try await set.believed(where: { $0.hasKey(of: token) }, fetch: fetch)
            } catch {
                throw .keysUnavailable(error)
            }
            do {
                return (try believed.keys.claims(of: token), believed.number)
            } catch {
                throw BearerTokenError(error)
            }
        }
    }
}

extension BearerTokenError {
    private static let algorithms = SignatureAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")

    fileprivate init(_ fault: VerifiedClaims.Fault) {
        self =
            switch fault {
            // Without the token's own word: RFC 6750 § 3 has no room for others' text.
            case .unknownAlgorithm:
                .tokenInvalid(
                    "its alg is not accepted: \(Self.algorithms) with a JWKS, HS256 with a shared secret alone")
            case .unknownKey: .tokenInvalid("no key of the issuer fits its kid and alg")
            case .ambiguousKey: .tokenInvalid("several keys of the issuer fit, and it has no kid")
            case .signatureWrong: .tokenInvalid("its signature does not fit")
            case .memberRepeated: .tokenInvalid("a claim comes twice")
            case .malformed: .tokenInvalid("its claims are not a JSON object")
            }
    }
}
