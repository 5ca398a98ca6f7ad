import Glibc

/// A file that could not be read.
package struct UnreadableFile: Error, Equatable {
    /// The reason, in the system's words where it has any.
    package let reason: String

    /// For reasons that the system has no words for.
    package init(reason: String) { self.reason = reason }

    /// The reason why the system's last call failed.
    init() { reason = String(cString: strerror(errno)) }

    /// Has `read` read a file that a command was given; where it cannot, that is the refusal.
    ///
    /// - Parameter subject: the file, in words.
    package static func refused<Value>(
        _ subject: String, hint: String? = nil, _ read: () throws(UnreadableFile) -> Value
    ) throws(Refusal) -> Value {
        do {
            return try read()
        } catch {
            throw Refusal("\(subject) cannot be read: \(error.reason)", hint: hint)
        }
    }
}
