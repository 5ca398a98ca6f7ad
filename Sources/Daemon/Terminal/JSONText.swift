import Formats

/// JSON as `--json` prints it.
package enum JSONText {
    /// The lines of one value.
    package enum Layout {
        /// A member a line, for what is printed once.
        case lines
        /// All on one line, for what goes on (`--follow`): a line is a value.
        case line
    }

    /// Members are sorted, so that two outputs can be compared.
    package static func of(_ value: some Encodable, _ layout: Layout = .lines) -> String {
        // Only numbers that JSON lacks (NaN) fail, and nothing that is printed holds one.
        guard let json = try? JSONValue(encoding: value) else { return "null" }
        switch layout {
        case .lines: return (try? json.indented()) ?? "null"
        case .line: return (try? json.encoded()).map { String(decoding: $0, as: UTF8.self) } ?? "null"
        }
    }
}
