import Formats
import Secrets

/// The parameters of a query, by name. They may hold a key or a verifier, and print as their type alone.
package struct QueryParameters: Sendable, Redacted {
    private let pairs: [(name: String, value: String)]
    /// The query cannot be decoded, and counts as one without parameters.
    package let isMalformed: Bool

    /// - Parameter query: still encoded.
    init(_ query: String?) {
        let decoded = Percent.pairs(query ?? "")
        pairs = decoded ?? []
        isMalformed = decoded == nil
    }

    /// `nil` where it is absent.
    ///
    /// Throws where it comes twice: a proxy, a log or a filter before us may have read the other. Names are compared
    /// byte for byte, and those that no handler asks for may come any number of times.
    package subscript(name: String) -> String? {
        get throws(Problem) {
            var found: String?
            for pair in pairs where pair.name.isExactly(name) {
                guard found == nil else { throw .invalidRequest("the parameter \"\(name)\" comes twice") }
                found = pair.value
            }
            return found
        }
    }

    /// The value of a parameter that may be spelled in several ways, each in any case of its ASCII letters; `nil` where it
    /// is absent. Throws where it comes twice, in whatever spelling.
    package func value(ofAnyCase spellings: String...) throws(Problem) -> String? {
        var found: String?
        for pair in pairs where spellings.contains(where: { pair.name.isExactly($0, inAnyCase: true) }) {
            guard found == nil else {
                throw .invalidRequest("the parameter \"\(spellings[0])\" comes twice, perhaps in another spelling")
            }
            found = pair.value
        }
        return found
    }
}
