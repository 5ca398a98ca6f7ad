/// Keeps the files that callers send.
public protocol UploadStore: Sendable {
    /// Begins a file, under a name that nobody else has.
    func begin() async throws(AssetStoreError) -> any UploadWriter

    /// Removes a file. One that is gone already is as well.
    func remove(_ storedName: String) async
}

/// A file that is being sent. What is not finished is removed with it.
public protocol UploadWriter: Sendable {
    var storedName: String { get }

    /// Appends a piece.
    func append(_ bytes: [UInt8]) async throws(AssetStoreError)

    /// Ends the file, which is durable from then on. Gives its size in bytes, and SHA-256 in hexadecimal.
    func end() async throws(AssetStoreError) -> (size: Int, digest: String)

    /// Removes the file, unless it was ended.
    func discard() async
}
