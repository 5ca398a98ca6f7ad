public import Assets
import Formats
import GRDB
import Secrets

/// Assets, their operations, documents and chunks in one SQLite file, which one process has open.
public struct SQLiteAssetStore: AssetRecords, IngestionStore {
    let writer: Writer
    /// For single rows: who polls an operation does not wait for a list.
    let points: Reader
    let lists: Reader
    /// The folder beside the database that holds callers' files.
    public let uploads: UploadFolder
    let credentialsCache = CredentialsCache()
    /// Held while the database is open.
    private let lock: ProcessLock

    /// Opens or makes the database at `path`, and `path-uploads/` beside it, and brings its tables up to date.
    ///
    /// - Parameter observe: told what the store does while requests wait: must not block.
    public init(
        path: String, observe: @escaping @Sendable (StoreEvent) -> Void = { _ in }
    ) throws(OpeningError) {
        try StoreFile.inspect(path)
        lock = try ProcessLock(path)
        try StoreFile.prepare(path)
        let queue = try StoreFile.open(path)
        uploads = try UploadFolder(path: path + "-uploads")
        do {
            points = Reader(try StoreFile.openForReading(path))
            lists = Reader(try StoreFile.openForReading(path))
        } catch {
            throw StoreFile.opening(error, path)
        }
        writer = Writer(WritingConnection(queue, observe: observe), observe: observe)
    }

    /// Throws where the file at `path` is none that `init` would open. Changes nothing.
    public static func inspect(path: String) throws(OpeningError) {
        try StoreFile.inspect(path)
    }

    /// The number of calls that wait for their commit.
    public var waitingCount: Int { writer.waitingCount }

    /// Finishes what was handed over; later calls throw `AssetStoreError.closed`.
    public func close() async {
        // The readers first: the connection that closes last takes the write-ahead log back into the file.
        await points.close()
        await lists.close()
        await writer.close()
        lock.release()
    }

    public func check() async throws(AssetStoreError) {
        // It needs the lock, a file that can be written, and room on the disk. The number changes, since SQLite would
        // skip a write of what is there already.
        try await writer.write { try $0.run("UPDATE checks SET writes = writes + 1") }
    }
}
