import Glibc

/// Keeps brokers that start at once on one database from looking what it is while another makes its tables, and from
/// making them side by side.
enum UpgradeLock {
    /// Runs `body` while no other process runs its own for a database of this folder. On the folder, so that no file is
    /// left behind; the system releases it with the process. Where the folder cannot be locked, as on some networks'
    /// file systems, it runs all the same.
    static func holding<Result>(_ path: String, _ body: () throws -> Result) rethrows -> Result {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        while descriptor >= 0, flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
        return try body()
    }
}
