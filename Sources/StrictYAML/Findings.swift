/// Collects the mistakes in files, so that all of them can be told at once.
package final class Findings {
    /// One line each: file, place, what was found, what was wanted.
    package private(set) var lines: [String] = []

    /// Without findings.
    package init() {}

    /// Takes a line as it is, in the form that `lines` describes.
    package func add(_ line: String) { lines.append(line) }
}
