/// The form of log lines.
package enum LogFormat: String, CaseIterable, Sendable {
    /// An object a line.
    case json
    /// Words, and names with their values.
    case text
}
