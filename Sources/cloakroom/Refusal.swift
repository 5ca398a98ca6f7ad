import Broker
import Catalog
import StrictYAML

/// The reasons why a command did not do its work, for people: one line each, in lower case, with what to do. Its exit
/// status is 1.
struct Refusal: Error {
    var lines: [String]
    /// The redirect address to register first, where a broker told one.
    var redirectURI: String?

    init(_ lines: [String]) { self.lines = lines }

    init(_ line: String, hint: String? = nil) {
        lines = [line] + (hint.map { ["hint: \($0)"] } ?? [])
    }
}

extension Findings {
    /// Throws all that was found, where anything was.
    func refuse() throws(Refusal) {
        guard lines.isEmpty else { throw Refusal(lines) }
    }
}
