import Formats
import Glibc

/// Everything that commands print goes through here: messages to standard error, results to standard output.
///
/// Nothing that acts on a terminal passes: what callers, providers and brokers say is in much of this. Texts of several
/// lines are our own; what others brought into one has been made `visible` before.
package enum Terminal {
    /// A message: a warning, a hint, what is under way.
    package static func write(_ text: String) { put(text.visibleLines + "\n", on: STDERR_FILENO) }

    /// A result, at once: standard output may be a pipe, and the process may run on.
    package static func result(_ text: String) { put(text.visibleLines + "\n", on: STDOUT_FILENO) }

    /// A result for programs.
    package static func json(_ value: some Encodable, _ layout: JSONText.Layout = .lines) {
        put(JSONText.of(value, layout).visibleJSON + "\n", on: STDOUT_FILENO)
    }

    /// A result for people.
    /// - Parameter isWhole: nothing is cut short on a narrow terminal.
    package static func table(_ rows: [[String]], isWhole: Bool = false) {
        put(Table.text(rows, width: isWhole ? nil : Table.terminalWidth).visibleLines, on: STDOUT_FILENO)
    }

    /// One line of a refusal.
    package static func error(_ line: String) { write((line.hasPrefix("hint: ") ? line : "error: \(line)").visible) }

    /// A line that the next one takes the place of; `nil` takes it away.
    package static func passing(_ line: String?) {
        put("\r\u{1B}[K" + (line?.visible ?? ""), on: STDERR_FILENO)
    }

    /// A question; the answer is typed on the same line.
    package static func ask(_ question: String) { put(question.visible, on: STDERR_FILENO) }

    /// Writes as far as somebody reads: with `cloakroom sources | head` the rest is lost, and that is no failure.
    private static func put(_ text: String, on descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
