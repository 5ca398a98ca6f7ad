package import StrictYAML

/// The reasons why a command did not do its work, for people: one line each, in lower case, with what to do. Its exit
/// status is 1.
package struct Refusal: Error {
    /// The reasons, and `hint: …` for what to do.
    package var lines: [String]
    /// An address that has to be registered first, for commands that print it besides.
    package var address: String?

    /// Takes the lines as they are.
    package init(_ lines: [String]) { self.lines = lines }

    /// One reason, and what to do about it.
    package init(_ line: String, hint: String? = nil) {
        lines = [line] + (hint.map { ["hint: \($0)"] } ?? [])
    }
}

extension Findings {
    /// Throws all that was found, where anything was.
    package func refuse() throws(Refusal) {
        guard lines.isEmpty else { throw Refusal(lines) }
    }
}
