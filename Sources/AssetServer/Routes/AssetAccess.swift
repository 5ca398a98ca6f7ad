import Assets
import Formats
import HTTPService
import Hummingbird

/// The right to call, and the ids that a path names.
struct AssetAccess: Sendable {
    let verifier: BearerTokenVerifier

    private static let read = Scope("assets:read")
    private static let write = Scope("assets:write")

    /// The path's tenant, once its caller may read there. Who may write may read.
    func reader(_ request: Request, _ path: PathParameters) async throws -> TenantID {
        try await verifier.caller(of: request, to: path, anyOf: [Self.read, Self.write]).0
    }

    /// The path's tenant and the caller's `sub`, once the caller may write there.
    func writer(_ request: Request, _ path: PathParameters) async throws -> (tenant: TenantID, subject: String?) {
        let (tenant, claims) = try await verifier.caller(of: request, to: path, anyOf: [Self.write])
        return (tenant, claims.subject)
    }
}

extension PathParameters {
    var asset: AssetID { get throws(Problem) { try id("asset") } }
    var operation: OperationID { get throws(Problem) { try id("operation") } }
    var document: DocumentID { get throws(Problem) { try id("document") } }

    private func id<Of>(_ name: String) throws(Problem) -> Identifier<Of> {
        guard let id = Identifier<Of>(self[name] ?? "") else { throw .nothingThere }
        return id
    }
}

extension String {
    /// The path of an asset, as `Location` has it.
    static func path(of asset: AssetID, _ tenant: TenantID) -> String { "/v1/tenants/\(tenant)/assets/\(asset)" }

    /// The path of an operation, as `Location` has it.
    static func path(of operation: AssetOperation) -> String {
        "\(path(of: operation.asset, operation.tenant))/operations/\(operation.id)"
    }
}
