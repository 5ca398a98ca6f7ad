import Glibc

/// The child's side of the reading of Word documents: `EXECUTABLE extract docx`.
public enum DocxExtraction {
    /// The most bytes of text; what is beyond is a fault.
    static let mostTextBytes = 64 << 20

    /// Reads a document from standard input and writes its text to standard output, in a form that the service reads.
    public static func run() {
        let message: [UInt8]
        do throws(DocxFault) {
            message = DocxMessage.write(try DocxReader.text(of: readAll(), mostBytes: mostTextBytes))
        } catch {
            message = DocxMessage.write(error)
        }
        writeAll(message)
    }

    /// The limit of the child's memory bounds it.
    private static func readAll() -> [UInt8] {
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(STDIN_FILENO, &piece, piece.count)
            if count > 0 { content += piece[..<count] }
            if count == 0 || (count < 0 && errno != EINTR) { return content }
        }
    }

    private static func writeAll(_ message: [UInt8]) {
        var rest = message[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno != EINTR { return }
            rest = rest.dropFirst(max(count, 0))
        }
    }
}
