import Assets
import BrokerClient
import Formats
import Foundation
import HTTPService
import HTTPTypes
import Secrets

/// Makes assets of what callers send: everything is checked before a key is spent, and nothing is kept before there are
/// credentials.
struct AssetCreation: Sendable {
    let catalog: AssetCatalog
    let broker: BrokerClient
    let brokersTypes: SourceTypesAtBroker
    let records: any AssetRecords
    let keyRing: KeyRing
    let now: @Sendable () -> Timestamp

    /// An asset that was made, with its first operation.
    typealias Made = (asset: Asset, operation: AssetOperation)

    /// The one who makes an asset, and for whom.
    struct Maker: Sendable {
        var tenant: TenantID
        /// The caller's `sub`.
        var subject: String?
        var idempotency: IdempotencyKey?
    }

    /// Makes an asset of a source that is read over the network. Throws a `Problem`.
    func create(_ body: CreateBody, by maker: Maker) async throws(Problem) -> Made {
        let sourceType = try await sourceType(body.sourceType, for: maker.tenant)
        let parameters: [String: ParameterValue]
        do {
            parameters = try sourceType.parameters(from: body.parameters)
        } catch {
            throw error.problem(of: sourceType)
        }
        let embedding = try body.embedding.settings(by: catalog)
        try Self.check(body.auth, for: sourceType)
        let credentials = try await credentials(body.auth, of: sourceType.name, for: maker.tenant)
        let source = Asset.Source(type: sourceType.name, parameters: parameters, hasCredentials: credentials != nil)
        return try await keep(
            source, named: body.displayName ?? DisplayName.made(from: sourceType, parameters), embedding,
            body.embeddingLlmConfigID, credentials: credentials, by: maker)
    }

    /// Makes an asset of a file that is kept already.
    func create(_ payload: UploadPayload, _ upload: Upload, by maker: Maker) async throws(Problem) -> Made {
        let source = Asset.Source(type: AssetCatalog.file, parameters: [:], hasCredentials: false)
        return try await keep(
            source, named: payload.displayName ?? DisplayName.made(fromFile: upload.fileName),
            try payload.embedding.settings(by: catalog), payload.embeddingLlmConfigID, upload: upload, by: maker)
    }

    private func keep(
        _ source: Asset.Source, named displayName: String, _ embedding: EmbeddingSettings, _ llmConfigID: String?,
        credentials: AssetCredentials? = nil, upload: Upload? = nil, by maker: Maker
    ) async throws(Problem) -> Made {
        let now = now()
        let asset = Asset(
            id: AssetID(UUID()), tenant: maker.tenant, displayName: displayName, source: source, embedding: embedding,
            embeddingLlmConfigID: llmConfigID, createdAt: now, modifiedAt: now, createdBy: maker.subject)
        let operation = AssetOperation(
            id: OperationID(UUID()), asset: asset.id, tenant: asset.tenant, kind: .create, createdAt: now,
            updatedAt: now, model: embedding.model, createdBy: maker.subject)
        let sealed = credentials.map { $0.sealed(by: keyRing, of: asset.id, asset.tenant) }
        do {
            try await records.create(
                NewAsset(asset: asset, operation: operation, credentials: sealed, upload: upload),
                idempotency: maker.idempotency)
        } catch {
            throw error.problem
        }
        return (asset, operation)
    }
}

// MARK: source types

extension AssetCreation {
    private func sourceType(_ name: String, for tenant: TenantID) async throws(Problem) -> SourceType {
        if let known = catalog.sourceType(name) {
            guard name != AssetCatalog.file else {
                throw .invalidRequest("files are sent to assets:file, as multipart/form-data")
            }
            return known
        }
        // Where the broker does not answer nobody knows the type, and it cannot be read in any case.
        let isBrokers = await brokersTypes.list(for: tenant)?.contains { $0.name.isExactly(name) } ?? false
        throw isBrokers
            ? Problem(
                status: .badRequest, code: "source_type_without_reader",
                detail: "sources of the type \(name.quoted) can be connected, but are not read here")
            : Problem(
                status: .badRequest, code: "unknown_source_type",
                detail: "there is no such source type; assets:sourceTypes lists them")
    }
}

// MARK: credentials

extension AssetCreation {
    /// New credentials for an asset, sealed. Throws a `Problem`.
    func credentials(
        _ given: GivenCredentials, for asset: Asset
    ) async throws(Problem) -> Sealed<AssetCredentials>? {
        // Of a type that is read no more, what was connected says whether it takes any.
        guard catalog.takesCredentials(asset.source) else { throw Self.takesNone(asset.source.type) }
        return try await credentials(given, of: asset.source.type, for: asset.tenant)?
            .sealed(by: keyRing, of: asset.id, asset.tenant)
    }

    private static func takesNone(_ sourceType: String) -> Problem {
        .invalidRequest("sources of the type \"\(sourceType)\" take no \"auth\"; leave it out")
    }

    private static func check(_ auth: GivenCredentials?, for sourceType: SourceType) throws(Problem) {
        switch sourceType.authorization {
        case .none: if auth != nil { throw takesNone(sourceType.name) }
        case .optional: break
        case .required:
            guard auth == nil else { return }
            throw Problem(
                status: .badRequest, code: "auth_required",
                detail:
                    "sources of the type \"\(sourceType.name)\" need \"auth\"; connect one, and send its credentialKey")
        }
    }

    private func credentials(
        _ given: GivenCredentials?, of sourceType: String, for tenant: TenantID
    ) async throws(Problem) -> AssetCredentials? {
        switch given {
        case nil: return nil
        case .tokens(let credentials, let named)?:
            if let named, !named.isExactly(sourceType) { throw .credentialMismatch(sourceType) }
            return credentials
        case .key(let key, let verifier)?:
            let redeemed = try await redeem(key, verifier, for: tenant)
            guard redeemed.sourceType.isExactly(sourceType) else { throw .credentialMismatch(sourceType) }
            return AssetCredentials(
                accessToken: redeemed.accessToken, refreshToken: redeemed.refreshToken, expiresAt: redeemed.expiresAt)
        }
    }

    private func redeem(
        _ key: CredentialKey, _ verifier: ExchangeVerifier?, for tenant: TenantID
    ) async throws(Problem) -> RedeemedCredentials {
        // Nobody gets the answer twice: a disk that takes nothing spends no key.
        do { try await records.check() } catch { throw error.problem }
        do { return try await broker.redeem(key, verifier: verifier, for: tenant) } catch { throw error.problem }
    }
}

extension Problem {
    fileprivate static func credentialMismatch(_ sourceType: String) -> Problem {
        Problem(
            status: .badRequest, code: "credential_mismatch",
            detail: "the credentials are not for a source of the type \"\(sourceType)\"; connect one of that type. "
                + "A key that was sent is spent")
    }
}
