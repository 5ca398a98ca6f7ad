import Glibc

/// A file that could not be read as text.
enum UnreadableFile {
    /// The reason, in the system's words.
    static func reason(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return String(cString: strerror(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return String(cString: strerror(errno)) }
        return status.st_mode & S_IFMT == S_IFDIR ? "it is a directory" : "it is not UTF-8"
    }
}
