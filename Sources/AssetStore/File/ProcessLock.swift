import Glibc
import Secrets

/// The lock of the one process that has a database open. The system releases it with the process, however that ends.
///
/// On a file of its own beside the database: to close a descriptor of the database itself would end SQLite's locks
/// (https://www.sqlite.org/howtocorrupt.html § 2.2).
final class ProcessLock: Sendable {
    /// `nil` once it is released.
    private let descriptor: Locked<Int32?>

    /// Throws at once where another holds it.
    init(_ path: String) throws(OpeningError) {
        let file = Self.resolved(path) + ".lock"
        let descriptor = open(file, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .cannotCreate(path: file, reason: String(cString: strerror(errno))) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error: OpeningError =
                errno == EWOULDBLOCK
                ? .inUse(path: path) : .cannotCreate(path: file, reason: String(cString: strerror(errno)))
            close(descriptor)
            throw error
        }
        self.descriptor = Locked(descriptor)
    }

    deinit { release() }

    /// The file stays: who waits for it may have it open already. Unlocked and not just closed: a child that is being
    /// started has the descriptor too, until it runs its own program.
    func release() {
        guard let descriptor = descriptor.withLock({ $0.take() }) else { return }
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// The path without symbolic links, so that a database has one lock by whatever name it is opened.
    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}
