import Foundation
import Glibc
import Secrets

/// A lock on a database: shared by the brokers that have it open, held alone by a command that puts another in its
/// place. On a file of its own beside it, since the database is renamed, and to close a descriptor of the database
/// itself would end SQLite's locks (https://www.sqlite.org/howtocorrupt.html § 2.2). The system releases it with the
/// process.
final class StoreLock: Sendable {
    enum Mode {
        case shared
        case alone
    }

    /// `nil` once it is released.
    private let descriptor: Locked<Int32?>

    /// Throws at once where another process holds it otherwise.
    init(_ path: String, _ mode: Mode) throws(OpeningError) {
        let file = path + ".lock"
        let descriptor = open(file, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .cannotCreate(path: path, reason: Self.reason(file)) }
        // A command that root ran must not lock out the broker's user.
        if geteuid() == 0 { Self.giveToOwner(of: path, descriptor) }
        guard flock(descriptor, (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else {
            let error: OpeningError =
                errno == EWOULDBLOCK ? .inUse(path: path) : .cannotCreate(path: path, reason: Self.reason(file))
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

    private static func reason(_ file: String) -> String {
        "\(String(cString: strerror(errno))) (\((file as NSString).lastPathComponent))"
    }

    private static func giveToOwner(of path: String, _ descriptor: Int32) {
        var status = stat()
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard stat(path, &status) == 0 || stat(folder, &status) == 0 else { return }
        _ = fchown(descriptor, status.st_uid, status.st_gid)
    }
}

/// A database that no broker has open while this exists, nor can open: what may be replaced.
public struct IdleDatabase: Sendable {
    /// The database's file, which need not be there.
    public let path: String
    private let lock: StoreLock

    /// Throws `inUse` where a broker has the database open, at whatever address it listens.
    public init(path: String) throws(OpeningError) {
        self.path = path
        lock = try StoreLock(path, .alone)
    }
}
