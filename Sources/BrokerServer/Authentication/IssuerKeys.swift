import Formats
import HTTPService
public import JOSE
import OTLPTracing
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

    /// - Parameter now: a monotonic clock: one that is set back would prolong the life of withdrawn keys.
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

    /// The number of the keys that are believed now; `nil` where there are none.
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
    fileprivate init(_ fault: VerifiedClaims.Fault) {
        self =
            switch fault {
            case .unknownKey, .ambiguousKey: .tokenInvalid("no key of the issuer fits its kid and alg")
            case .signatureWrong: .tokenInvalid("its signature does not fit")
            case .memberRepeated: .tokenInvalid("a claim comes twice")
            case .malformed: .tokenInvalid("its claims are not a JSON object")
            }
    }
}
