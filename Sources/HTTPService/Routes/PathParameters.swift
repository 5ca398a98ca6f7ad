import Formats

/// The variable parts of a path by the names that its route's template gives them, as they came: still encoded.
///
/// Three are the most that any template has, so they need no memory of their own.
package struct PathParameters: Sendable {
    private let names: [String]
    private let first: Substring
    private let second: Substring
    private let third: Substring

    /// None, as of a route without variable parts.
    package init() {
        self.init(names: [], first: "", second: "", third: "")
    }

    init(names: [String], first: Substring, second: Substring, third: Substring) {
        self.names = names
        self.first = first
        self.second = second
        self.third = third
    }

    /// `nil` where the template has no part of that name.
    package subscript(name: String) -> Substring? {
        if names.isEmpty { return nil }
        if names[0].isExactly(name) { return first }
        if names.count > 1, names[1].isExactly(name) { return second }
        return names.count > 2 && names[2].isExactly(name) ? third : nil
    }
}
