import Formats
import Glibc

/// Rows and columns for people. Widths count scalars, not what a terminal draws.
package enum Table {
    /// Rows with their cells under one another; the first row is the head. On a terminal, no line is longer than it:
    /// the widest columns are cut short.
    package static func text(_ rows: [[String]], width: Int? = terminalWidth) -> String {
        let rows = rows.map { $0.map(\.visible) }
        guard let head = rows.first else { return "" }
        var widths = head.indices.map { column in rows.map { $0[column].unicodeScalars.count }.max() ?? 0 }
        if let width {
            // Down to eight characters, of which something can still be recognised.
            while widths.reduce(2 * (widths.count - 1), +) > width, let widest = widths.max(), widest > 8 {
                widths[widths.lastIndex(of: widest) ?? 0] -= 1
            }
        }
        return rows.map { row in
            var line = zip(row, widths).map { cell, width in
                cell.unicodeScalars.count > width
                    ? String(cell.unicodeScalars.prefix(width - 1)) + "…" : padded(cell, to: width)
            }.joined(separator: "  ")
            while line.utf8.last == 0x20 { line.unicodeScalars.removeLast() }
            return line + "\n"
        }.joined()
    }

    /// A cell with spaces up to a width, which counts scalars: what a terminal makes of a cluster is its own affair.
    package static func padded(_ cell: String, to width: Int) -> String {
        cell + String(repeating: " ", count: max(0, width - cell.unicodeScalars.count))
    }

    /// Of standard output; `nil` where that is none, so that programs and files get everything.
    package static var terminalWidth: Int? {
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return nil
        }
        return Int(size.ws_col)
    }
}
