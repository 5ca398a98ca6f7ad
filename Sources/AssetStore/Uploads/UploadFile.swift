import Dispatch
import Glibc
import Secrets

/// A file that a caller sends, written as its pieces arrive. One that is not finished is removed with this object.
public actor UploadFile {
    /// Its name in the folder.
    public nonisolated let storedName: String
    private nonisolated let folder: UploadFolder
    private nonisolated let executor = QueueExecutor(label: "cloakroom-assets-upload")
    /// `nil` once it is finished or given up.
    private var descriptor: Int32?
    private let digest = IncrementalDigest()
    private var size = 0

    /// A thread of its own accord: the disk may block.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ descriptor: Int32, name: String, in folder: UploadFolder) {
        self.descriptor = descriptor
        storedName = name
        self.folder = folder
    }

    deinit {
        guard let descriptor else { return }
        close(descriptor)
        unlink(folder.path(of: storedName))
    }

    /// Appends a piece.
    public func write(_ bytes: [UInt8]) throws(UploadFault) {
        guard let descriptor else { throw .closed }
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw .system() }
            rest = rest.dropFirst(written)
        }
        digest.update(bytes)
        size += bytes.count
    }

    /// What was written, once it and its name are on the disk.
    public func finish() throws(UploadFault) -> (size: Int, digest: String) {
        guard let descriptor else { throw .closed }
        guard fsync(descriptor) == 0, UploadFolder.sync(folder: folder.path) else { throw .system() }
        close(descriptor)
        self.descriptor = nil
        return (size, UploadFolder.hexadecimal(digest.finish().bytes))
    }

    /// Removes it, unless it is finished.
    public func discard() {
        guard let descriptor else { return }
        self.descriptor = nil
        close(descriptor)
        unlink(folder.path(of: storedName))
    }
}

/// Runs an actor on a queue of its own, outside of Swift's pool.
private final class QueueExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) { queue = DispatchQueue(label: label) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
