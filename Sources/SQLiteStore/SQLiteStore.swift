public import Broker
import Catalog
import Formats
import Foundation
import GRDB
public import Secrets
public import StoreParts

/// Flows and credential keys in one SQLite file, which several brokers on one machine may share.
public struct SQLiteStore: ObservableStore {
    let writer: Writer
    let reader: Reader
    /// For long looks, such as operators' lists: they hold up no flow, whose tenant's clients are read by `reader`.
    let lists: Reader
    let failures: FailedRedemptions
    /// Held while the database is open.
    private let lock: StoreLock

    /// Opens or makes the database at `path` and brings its tables up to date. What `inspect` finds is thrown before
    /// anything is changed.
    ///
    /// - Parameter bounds: with any set, an index is made that each flow then costs.
    public init(path: String, keyRing: KeyRing, bounds: FlowBounds = FlowBounds()) throws(OpeningError) {
        try self.init(path: path, keyRing: keyRing, bounds: bounds, refusals: RefusalBudget())
    }

    /// - Parameter refusals: how many refused keys the trail takes.
    init(
        path: String, keyRing: KeyRing, bounds: FlowBounds = FlowBounds(), refusals: RefusalBudget
    ) throws(OpeningError) {
        try StoreFile.inspect(path)
        lock = try StoreLock(path, .shared)
        try StoreFile.prepare(path)
        let (queue, trail) = try StoreFile.open(path, keyRing)
        do {
            if bounds.isOn { try queue.write { try OutstandingFlows.makeIndex($0) } }
            reader = Reader(try StoreFile.openForReading(path))
            lists = Reader(try StoreFile.openForReading(path))
        } catch {
            throw StoreFile.opening(error, path)
        }
        let observer = StoreObserver()
        writer = Writer(
            WritingConnection(queue, trail: trail, outstanding: OutstandingFlows(bounds), observer: observer),
            observer: observer)
        failures = FailedRedemptions(writer, budget: refusals)
    }

    /// Throws where the file at `path` is none that `init` would open. Changes nothing.
    ///
    /// - Parameter keyRing: `nil` where the master keys do not matter.
    public static func inspect(path: String, keyRing: KeyRing? = nil) throws(OpeningError) {
        try StoreFile.inspect(path, keyRing)
    }

    /// Finishes what was handed over; later calls throw `StoreError.closed`.
    public func close() async {
        await failures.flush()
        // The readers first: the connection that closes last takes the write-ahead log back into the file.
        await reader.close()
        await lists.close()
        await writer.close()
        lock.release()
    }

    /// The time from a flow's end until the sweep deletes it. Until then a spent key is recognised.
    static let retentionMilliseconds: Int64 = 86_400_000
    /// The time from the end of a flow's state until the sweep ends the flow: an exchange may still run.
    static let exchangeGraceMilliseconds: Int64 = 300_000

    /// A write of its own, with a commit to the disk: the caller sees to how often it is made.
    public func check() async throws(StoreError) {
        // It needs the lock, a file that can be written, and room on the disk. The number changes, since SQLite would
        // skip a write of what is there already.
        try await writer.write { transaction in
            try transaction.db.run("UPDATE OR FAIL audit_trail SET writes = writes + 1")
            try transaction.db.run("UPDATE OR FAIL flows SET status = status WHERE id = x''")
        }
    }
}
