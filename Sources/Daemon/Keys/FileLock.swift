import Formats
import Glibc

/// A lock that one process holds at a time, on a file of its own that is never renamed: the file that it guards may be.
/// The system releases it when the process ends, however it ends.
struct FileLock {
    private let descriptor: Int32

    /// The time that another command may take: it only reads and writes a file, and looks into the database.
    private static let longestWait = Duration.seconds(30)

    /// Waits for the process that holds it, without holding up a thread; throws after half a minute.
    init(_ path: String) async throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw Refusal("\(path.quoted) cannot be created: \(String(cString: strerror(errno)))")
        }
        // By trying again, not by `F_OFD_SETLKW`: a thread that waits in the kernel is lost to everybody else.
        let deadline = ContinuousClock.now + Self.longestWait
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR, ContinuousClock.now < deadline else {
                let reason = String(cString: strerror(errno))
                close(descriptor)
                throw Refusal(
                    "\(path.quoted) cannot be locked: \(reason)",
                    hint: "another command is changing the keys; see whether it hangs")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The file stays: who waits for it has it open already.
    func release() { close(descriptor) }
}
