import Foundation

/// A file that a setting or an option names, as it was when it was read.
package struct ReadFile {
    /// What was in it.
    package let bytes: [UInt8]
    /// Its state before the first byte was read.
    package let stamp: FileStamp

    /// Above this it is no file that anybody wrote for this program, and a device may have no end.
    private static let most = 64 << 20

    /// Reads a file of at most 64 MiB.
    ///
    /// - Parameter mustBeRegular: nothing is waited for, as the writer of a pipe would be.
    package init(_ path: String, mustBeRegular: Bool = false) throws(UnreadableFile) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (mustBeRegular ? O_NONBLOCK : 0))
        guard descriptor >= 0 else { throw UnreadableFile() }
        defer { close(descriptor) }
        try self.init(descriptor, mustBeRegular: mustBeRegular)
    }

    /// Standard input, to its end.
    package static func standardInput() throws(UnreadableFile) -> ReadFile {
        try ReadFile(STDIN_FILENO, mustBeRegular: false)
    }

    private init(_ descriptor: Int32, mustBeRegular: Bool) throws(UnreadableFile) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw UnreadableFile() }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: throw UnreadableFile(reason: "it is a directory")
        case S_IFREG: break
        default: if mustBeRegular { throw UnreadableFile(reason: "it is no regular file") }
        }
        // Before the first byte: what is written from now on has another stamp.
        stamp = FileStamp(status)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw UnreadableFile() }
            if count == 0 { break }
            bytes += buffer[..<count]
            guard bytes.count <= Self.most else { throw UnreadableFile(reason: "it has more than 64 MiB") }
        }
        self.bytes = bytes
    }

    /// The bytes as text; throws where they are no UTF-8. With a replacement character in it, a key would be another.
    package func text() throws(UnreadableFile) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw UnreadableFile(reason: "it is not UTF-8")
        }
        return text
    }

    /// The text without the white space around it, such as the line's end, and the byte order mark, that editors leave: a
    /// secret has neither.
    package func line() throws(UnreadableFile) -> String {
        let text = try text()
        let line = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        return line.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
