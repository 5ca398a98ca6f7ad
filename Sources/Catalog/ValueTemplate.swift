import Formats
import Secrets

/// A parameter's value with placeholders (`{clientId}`), filled when the request is built.
///
/// What is in braces and has no shape of a placeholder is plain text: JSON may stand in a value.
public struct ValueTemplate: Sendable {
    enum Segment: Sendable {
        case text(String)
        case value(String)
        /// Lower-case hex of the SHA-256 of values joined by `|`.
        case digest([String])
    }

    /// As the catalog has it, with its placeholders.
    public let text: String
    private let segments: [Segment]
    /// The names of the values that `filled` needs, those in digests included. A name may come twice.
    public let names: [String]

    /// Takes any text. Whether the names mean something is the entry's to check.
    public init(_ text: String) {
        var segments: [Segment] = []
        var literal = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            literal += rest[..<open]
            rest = rest[open...]
            guard let close = rest.firstIndex(of: "}"),
                let segment = Self.placeholder(rest[rest.index(after: open)..<close])
            else {
                literal += "{"
                rest = rest.dropFirst()
                continue
            }
            if !literal.isEmpty { segments.append(.text(literal)) }
            literal = ""
            segments.append(segment)
            rest = rest[rest.index(after: close)...]
        }
        literal += rest
        if !literal.isEmpty || segments.isEmpty { segments.append(.text(literal)) }
        self.text = text
        self.segments = segments
        names = segments.flatMap { segment in
            switch segment {
            case .text: [String]()
            case .value(let name): [name]
            case .digest(let names): names
            }
        }
    }

    private static func placeholder(_ text: Substring) -> Segment? {
        let isName = { (name: Substring) in
            !name.isEmpty
                && name.utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == 0x5F || $0 == 0x2D }
        }
        if text.hasPrefix("sha256:") {
            let names = text.dropFirst(7).split(separator: "|", omittingEmptySubsequences: false)
            return names.allSatisfy(isName) ? .digest(names.map(String.init)) : nil
        }
        return isName(text) ? .value(String(text)) : nil
    }

    /// The text with `values` in their places, as they are; `nil` where one is missing.
    package func filled(with values: [String: String]) -> String? {
        var filled = ""
        for segment in segments {
            switch segment {
            case .text(let text): filled += text
            case .value(let name):
                guard let value = values[name] else { return nil }
                filled += value
            case .digest(let names):
                let parts = names.compactMap { values[$0] }
                guard parts.count == names.count else { return nil }
                let digest = Digest(of: Array(parts.joined(separator: "|").utf8))
                filled += digest.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            }
        }
        return filled
    }
}
