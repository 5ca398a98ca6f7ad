import Formats
public import JOSE
import OTLPTracing
import Secrets
import ServiceContextModule
public import Transport

/// The source of the keys for callers' tokens.
public enum KeySource: Sendable {
    /// Keys, or a shared secret, that were read at start.
    case fixed(VerificationKeys)
    /// A JWK set at an https address, fetched and kept as `KeySetAge.Rules.callers` says.
    case address(String, any HTTPTransport)
}

/// The keys for callers' tokens as they are believed now.
struct IssuerKeys: Sendable {
    private enum Source {
        case fixed(VerificationKeys)
        case remote(RemoteKeySet, RemoteKeySet.Fetch)
    }

    private let source: Source
    private let outage: OutageNotices

    /// - Parameters:
    ///   - now: a monotonic clock: one that is set back would prolong the life of withdrawn keys.
    ///   - tell: told of an outage of the issuer, at most once a minute: callers decide how often keys are wanted.
    init(
        _ source: KeySource, now: @escaping @Sendable () -> ContinuousClock.Instant,
        tell: @escaping @Sendable (IssuerOutage) -> Void
    ) {
        let outage = OutageNotices(now: now, tell: tell)
        self.outage = outage
        switch source {
        case .fixed(let keys): self.source = .fixed(keys)
        case .address(let url, let transport):
            let set = RemoteKeySet(.callers, now: now) { outage.met(.staleKeys($0)) }
            self.source = .remote(set) { () async throws(TransportError) in
                var request = TransportRequest(method: .get, url: url, headers: [("Accept", "application/json")])
                // The issuer is the operator's own: what it does for us belongs to the same trace.
                request.headers += ServiceContext.current?.trace?.headers ?? []
                return try await transport.send(request)
            }
        }
    }

    /// The number of the keys that are believed now; `nil` where there are none, of which `claims(of:)` tells.
    var generation: Int? {
        get async {
            switch source {
            case .fixed: 0
            case .remote(let set, let fetch): try? await set.believed(fetch: fetch).number
            }
        }
    }

    /// The claims of a token, if it is signed with these keys, and the number of the keys.
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
                outage.met(.keysMissing(error))
                throw .keysUnavailable
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
