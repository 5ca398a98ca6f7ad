public import Formats
public import Secrets

/// What callers ask for and change. Each call is atomic, and durable before it returns. What another tenant made is as
/// what nobody made.
public protocol AssetRecords: Sendable {
    /// Keeps a new asset and its first operation, and ends the claim of `idempotency` with them.
    func create(_ asset: NewAsset, idempotency: IdempotencyKey?) async throws(AssetStoreError)

    func asset(_ id: AssetID, of tenant: TenantID) async throws(AssetStoreError) -> Asset?

    /// Newest first. `search` in the names, whatever the letters' case.
    func assets(
        of tenant: TenantID, matching search: String?, _ page: PageRequest
    ) async throws(AssetStoreError) -> Page<Asset>

    /// `nil` where there is no such asset. What is `nil` of the change stays.
    func change(
        _ id: AssetID, of tenant: TenantID, displayName: String?, credentials: Sealed<AssetCredentials>?,
        at now: Timestamp
    ) async throws(AssetStoreError) -> Asset?

    /// Takes the asset and all that belongs to it; `nil` where there is none, else the upload to take away too.
    func delete(_ id: AssetID, of tenant: TenantID) async throws(AssetStoreError) -> DeletedAsset?

    /// Begins a refresh, unless an operation of the asset is not done yet.
    func refresh(
        _ refresh: NewRefresh, idempotency: IdempotencyKey?
    ) async throws(AssetStoreError) -> RefreshAdmission

    func operation(
        _ id: OperationID, of asset: AssetID, _ tenant: TenantID
    ) async throws(AssetStoreError) -> AssetOperation?

    /// Newest first; `nil` where there is no such asset.
    func operations(
        of asset: AssetID, _ tenant: TenantID, _ page: PageRequest
    ) async throws(AssetStoreError) -> Page<AssetOperation>?

    /// Keeps the wish to end an operation. One that is PENDING is CANCELLED at once, and one that is done stays as it is.
    func cancel(
        _ id: OperationID, of asset: AssetID, _ tenant: TenantID, at now: Timestamp
    ) async throws(AssetStoreError) -> AssetOperation?

    /// Oldest first; `nil` where there is no such asset. `search` in the names, whatever the letters' case.
    func documents(
        of asset: AssetID, _ tenant: TenantID, matching search: String?, _ page: PageRequest
    ) async throws(AssetStoreError) -> Page<Document>?

    func document(
        _ id: DocumentID, of asset: AssetID, _ tenant: TenantID
    ) async throws(AssetStoreError) -> Document?

    /// Tells whether there was one.
    func deleteDocument(
        _ id: DocumentID, of asset: AssetID, _ tenant: TenantID
    ) async throws(AssetStoreError) -> Bool

    /// In order; `nil` where there is no such document.
    func chunks(
        of document: DocumentID, _ asset: AssetID, _ tenant: TenantID, _ page: PageRequest
    ) async throws(AssetStoreError) -> Page<Chunk>?

    /// Claims a key for a request, or tells what became of an earlier one. Claims of 24 hours ago are forgotten.
    func claim(
        _ key: IdempotencyKey, requestDigest: Digest, at now: Timestamp
    ) async throws(AssetStoreError) -> IdempotencyAdmission

    /// Gives a claim back whose request came to nothing.
    func abandon(_ key: IdempotencyKey) async throws(AssetStoreError)

    /// A write of its own: throws where the store cannot be written.
    func check() async throws(AssetStoreError)
}

/// An asset to be kept.
public struct NewAsset: Sendable {
    public var asset: Asset
    public var operation: AssetOperation
    public var credentials: Sealed<AssetCredentials>?
    /// The name of the upload's file, beside the database, for a source of type `file`.
    public var upload: Upload?

    public init(
        asset: Asset, operation: AssetOperation, credentials: Sealed<AssetCredentials>? = nil, upload: Upload? = nil
    ) {
        self.asset = asset
        self.operation = operation
        self.credentials = credentials
        self.upload = upload
    }
}

/// A file that a caller sent.
public struct Upload: Sendable, Hashable {
    /// Of the file in the uploads' folder: made by us, random.
    public var storedName: String
    /// As the caller has it.
    public var fileName: String
    /// With its charset, where the caller declared one.
    public var contentType: String
    /// In bytes.
    public var size: Int
    /// SHA-256 of its bytes, in hexadecimal.
    public var digest: String

    public init(storedName: String, fileName: String, contentType: String, size: Int, digest: String) {
        self.storedName = storedName
        self.fileName = fileName
        self.contentType = contentType
        self.size = size
        self.digest = digest
    }
}

/// What stood beside an asset that is deleted.
public struct DeletedAsset: Sendable {
    public var upload: Upload?
    /// The one that was not done; to be told to end.
    public var operation: OperationID?

    public init(upload: Upload?, operation: OperationID?) {
        self.upload = upload
        self.operation = operation
    }
}

/// A wish to read a source again.
public struct NewRefresh: Sendable {
    public var operation: OperationID
    public var asset: AssetID
    public var tenant: TenantID
    /// `nil`: all.
    public var documents: [DocumentID]?
    /// Nothing is skipped.
    public var isForced: Bool
    public var createdBy: String?
    public var now: Timestamp

    public init(
        operation: OperationID, asset: AssetID, tenant: TenantID, documents: [DocumentID]?, isForced: Bool,
        createdBy: String?, now: Timestamp
    ) {
        self.operation = operation
        self.asset = asset
        self.tenant = tenant
        self.documents = documents
        self.isForced = isForced
        self.createdBy = createdBy
        self.now = now
    }
}

public enum RefreshAdmission: Sendable {
    case begun(Asset, AssetOperation)
    /// This one is not done yet.
    case inProgress(OperationID)
    case unknownDocument(DocumentID)
    case noAsset
}

/// A caller's name for one request, so that it can be sent again (`Idempotency-Key`).
public struct IdempotencyKey: Sendable, Hashable {
    public var tenant: TenantID
    /// 1 to 255 printable ASCII characters.
    public var text: String

    public init(tenant: TenantID, text: String) {
        self.tenant = tenant
        self.text = text
    }
}

public enum IdempotencyAdmission: Sendable, Equatable {
    /// The request may be carried out.
    case claimed
    /// It was carried out, and this came of it.
    case done(AssetID, OperationID)
    case underWay
    /// The key belongs to another request.
    case reused
}
