import Broker
import Foundation
import Secrets
import TestSupport
import Transport

/// An issuer of callers' tokens: its key set as a test wants it, how often it was asked, and when it answers.
///
/// `@unchecked Sendable`: all that changes is guarded by `lock`.
final class Issuer: ProviderTransport, @unchecked Sendable {
    static let address = "https://issuer.example.com/jwks.json"

    private let lock = NSLock()
    private var answer: ProviderResponse?
    private var asked = 0
    private var gate: Gate?

    var count: Int { lock.withLock { asked } }

    /// Answers with the keys of these signers.
    func publish(_ signers: TokenSigner...) {
        say("{\"keys\":[\(signers.map(\.jwk).joined(separator: ","))]}")
    }

    func say(_ body: String, status: Int = 200) {
        lock.withLock { answer = ProviderResponse(status: status, body: Array(body.utf8)) }
    }

    /// Is not reached from now on.
    func fall() { lock.withLock { answer = nil } }

    /// Answers nobody until `release`.
    func hold() { lock.withLock { gate = gate ?? Gate() } }

    /// Returns once somebody waits for its answer.
    func arrival() async { await lock.withLock { gate }?.arrival() }

    func release() {
        let held = lock.withLock {
            defer { gate = nil }
            return gate
        }
        held?.open()
    }

    func send(_ request: ProviderRequest) async throws(TransportError) -> ProviderResponse {
        let held = lock.withLock {
            asked += 1
            return gate
        }
        await held?.pass()
        guard let answer = lock.withLock({ answer }) else { throw .unreachable }
        return answer
    }
}

/// Signs any header and any claims, sensible or not.
struct TokenSigner: Sendable {
    let kid: String?
    private let key = SigningKey.makeP256()

    init(_ kid: String? = "main") {
        self.kid = kid
    }

    var jwk: String {
        let members = key.publicJWK.merging(kid.map { ["kid": $0] } ?? [:]) { $1 }
        return "{" + members.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",") + "}"
    }

    var header: String { "{\"alg\":\"ES256\"" + (kid.map { ",\"kid\":\"\($0)\"" } ?? "") + "}" }

    /// - Parameters:
    ///   - more: members of the claims besides those that each token needs.
    func token(header: String? = nil, more: String = #""tenant":"acme","scope":"assets:read""#) -> String {
        token(
            header: header ?? self.header,
            claims: #"{"iss":"https://issuer.example.com","aud":"cloakroom","exp":1790000600,\#(more)}"#)
    }

    func token(header: String, claims: String) -> String {
        let input = "\(Base64URL.encode(Array(header.utf8))).\(Base64URL.encode(Array(claims.utf8)))"
        return "\(input).\(Base64URL.encode(key.sign(Array(input.utf8), with: .ES256) ?? []))"
    }
}
