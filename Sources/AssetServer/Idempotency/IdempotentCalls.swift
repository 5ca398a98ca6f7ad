import Assets
import Formats
import HTTPService
import HTTPTypes
import Hummingbird
import Secrets

/// Carries out requests that may be sent again: a repetition gets what came of the first one, and nothing is done twice.
struct IdempotentCalls: Sendable {
    let records: any AssetRecords
    let now: @Sendable () -> Timestamp

    typealias Made = AssetCreation.Made

    /// The outcome of a request.
    enum Outcome {
        case carriedOut(Made)
        /// This came of an earlier one, as it is now.
        case known(Made)

        var made: Made {
            switch self {
            case .carriedOut(let made), .known(let made): made
            }
        }
    }

    /// The request's key (draft-ietf-httpapi-idempotency-key-header); `nil` where it has none. Throws `invalid_request`
    /// unless it is 1 to 255 printable ASCII characters.
    static func key(of request: Request, for tenant: TenantID) throws(Problem) -> IdempotencyKey? {
        let fields = request.headers[values: .idempotencyKey]
        // One with bytes beyond ASCII is gone already, and must not count as none.
        guard let text = fields.first else { return nil }
        guard fields.count == 1, (1...255).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { throw .invalidRequest("the header Idempotency-Key must be 1 to 255 printable ASCII characters") }
        return IdempotencyKey(tenant: tenant, text: text)
    }

    /// Carries a request out, unless one with the same key was. A request that comes to nothing gives its key back.
    ///
    /// - Parameter digest: of the request; computed only where there is a key.
    func carryOut(
        _ key: IdempotencyKey?, _ digest: @autoclosure () -> Digest,
        _ body: () async throws(Problem) -> Made
    ) async throws(Problem) -> Outcome {
        guard let key else { return .carriedOut(try await body()) }
        switch try await claim(key, digest()) {
        case .underWay: throw .keyInUse
        case .reused: throw .keyReused
        case .done(let asset, let operation): return .known(try await known(asset, operation, of: key.tenant))
        case .claimed: break
        }
        do {
            return .carriedOut(try await body())
        } catch {
            // Where the store takes nothing, the claim ends with the process at the latest.
            try? await records.abandon(key)
            throw error
        }
    }

    private func claim(_ key: IdempotencyKey, _ digest: Digest) async throws(Problem) -> IdempotencyAdmission {
        do { return try await records.claim(key, requestDigest: digest, at: now()) } catch { throw error.problem }
    }

    /// What was deleted since is gone.
    private func known(
        _ asset: AssetID, _ operation: OperationID, of tenant: TenantID
    ) async throws(Problem) -> Made {
        let found: (Asset?, AssetOperation?)
        do {
            found = (
                try await records.asset(asset, of: tenant), try await records.operation(operation, of: asset, tenant)
            )
        } catch {
            throw error.problem
        }
        guard case (let asset?, let operation?) = found else { throw .nothingThere }
        return (asset, operation)
    }
}

extension HTTPField.Name {
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
}
