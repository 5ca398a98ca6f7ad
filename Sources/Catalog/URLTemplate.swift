package import Formats

/// An address with placeholders (`https://{subdomain}.example.com/token`), each filled for the place it stands in.
///
/// A class, so that a flow's copies of it are one pointer each.
public final class URLTemplate: Sendable {
    /// A reason why a text is no template of an address.
    public enum Fault: Error, Equatable, Sendable {
        /// It begins with neither `https://` nor `http://`, in lower case.
        case notHTTP
        /// It has a `#` where none may be, or what follows is more than words and slashes.
        case fragment
        /// It has an `@` before its path.
        case userInformation
        /// Nothing stands between the scheme and the path.
        case emptyHost
        /// A brace is alone, or holds something else than letters, digits, `_` and `-`.
        case unbalancedBrace
        /// Even with harmless values in its places it is no strict URL.
        case malformed
    }

    /// The names in braces, whether or not the rest of `text` is an address.
    static func names(in text: String) -> [String] { ValueTemplate(text).names }

    private enum Place {
        /// The whole host: a name, with a port if the pattern allows one.
        case host
        /// A part of the host: letters, digits, dots and hyphens alone.
        case partOfHost
        case pathOrQuery
    }

    private enum Segment {
        case literal(String)
        case placeholder(String, Place)
    }

    /// As the catalog has it, with its placeholders, but for a fragment.
    public let text: String
    /// The text behind `#`, of an address that only browsers are sent to; `nil` where it has none.
    public let fragment: String?
    /// Each name once, in the order of first appearance.
    public let placeholders: [String]
    private let segments: [Segment]

    /// Tells whether the address is plain http, which is refused unless the operator allowed it.
    public var isInsecure: Bool { text.hasPrefix("http://") }

    /// Reads the parts between the placeholders as strictly as any other URL. Which names there are is the entry's to
    /// check.
    ///
    /// - Parameter allowingFragment: a fragment of plain words and slashes may follow.
    public init(_ whole: String, allowingFragment: Bool = false) throws(Fault) {
        let halves = whole.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let text = String(halves.first ?? "")
        fragment = halves.count > 1 ? String(halves[1]) : nil
        guard text.hasPrefix("https://") || text.hasPrefix("http://") else { throw .notHTTP }
        if let fragment, !allowingFragment || !Self.isFragment(fragment) { throw .fragment }
        let schemeEnd = text.utf8.firstIndex(of: UInt8(ascii: "/")).map { text.utf8.index($0, offsetBy: 2) }
        guard let authorityStart = schemeEnd else { throw .notHTTP }
        let authorityEnd =
            text[authorityStart...].firstIndex { $0 == "/" || $0 == "?" } ?? text.endIndex
        let authority = text[authorityStart..<authorityEnd]
        guard !authority.isEmpty else { throw .emptyHost }
        guard !authority.contains("@") else { throw .userInformation }

        var segments: [Segment] = []
        var names: [String] = []
        var rest = text[...]
        while let open = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            guard rest[open] == "{", let close = rest[open...].firstIndex(of: "}") else { throw .unbalancedBrace }
            let name = String(rest[rest.index(after: open)..<close])
            guard !name.isEmpty, name.utf8.allSatisfy({ $0.isASCIILetterOrDigit || $0 == 0x5F || $0 == 0x2D })
            else {
                throw .unbalancedBrace
            }
            if open > rest.startIndex { segments.append(.literal(String(rest[..<open]))) }
            let after = text.index(after: close)
            let place: Place
            if open >= authorityEnd {
                place = .pathOrQuery
            } else if open == authorityStart, after == authorityEnd {
                place = .host
            } else {
                place = .partOfHost
            }
            segments.append(.placeholder(name, place))
            if !names.contains(name) { names.append(name) }
            rest = text[after...]
        }
        if !rest.isEmpty { segments.append(.literal(String(rest))) }
        self.text = text
        self.segments = segments
        placeholders = names
        // The literal parts are read as strictly as any other URL, with something harmless in the gaps.
        guard let sample = filled(with: harmless), StrictURL(sample) != nil else { throw .malformed }
    }

    /// The host and its port as they are written, in order.
    enum HostPart: Equatable {
        case literal(String)
        case placeholder(String)
    }

    var hostParts: [HostPart] {
        let authority = text.utf8.drop { $0 != UInt8(ascii: "/") }.dropFirst(2)
            .prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        var parts: [HostPart] = []
        for piece in authority.split(separator: UInt8(ascii: "{"), omittingEmptySubsequences: false) {
            let halves = piece.split(separator: UInt8(ascii: "}"), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            if halves.count == 2 { parts.append(.placeholder(halves[0])) }
            if let literal = halves.last, !literal.isEmpty { parts.append(.literal(literal)) }
        }
        return parts
    }

    /// The host and its port, with a text in the place of each placeholder.
    func host(_ text: (_ name: String) -> String) -> String {
        hostParts.map { part in
            switch part {
            case .literal(let literal): literal.lowercased()
            case .placeholder(let name): text(name)
            }
        }.joined()
    }

    /// The placeholders in the host.
    var namesInHost: [String] {
        hostParts.compactMap { if case .placeholder(let name) = $0 { name } else { nil } }
    }

    /// Values that fit every place: a number for a port, a letter elsewhere.
    private var harmless: [String: String] {
        var values: [String: String] = [:]
        for (index, segment) in segments.enumerated() {
            guard case .placeholder(let name, _) = segment else { continue }
            if index > 0, case .literal(let before) = segments[index - 1], before.hasSuffix(":") {
                values[name] = "1"
            } else {
                values[name] = values[name] ?? "a"
            }
        }
        return values
    }

    /// The origin, where no value can change it.
    package var fixedOrigin: Origin? {
        for case .placeholder(_, .host) in segments { return nil }
        for case .placeholder(_, .partOfHost) in segments { return nil }
        return filled(with: harmless).flatMap { StrictURL($0)?.origin }
    }

    /// The address with `values` in their places, or `nil` where one is missing or cannot stand in its place:
    /// no value changes the host it is put into, leaves its path segment or starts another part of the URL.
    public func filled(with values: [String: String]) -> String? {
        var filled = ""
        for segment in segments {
            switch segment {
            case .literal(let text): filled += text
            case .placeholder(let name, let place):
                guard let value = values[name], !value.isEmpty else { return nil }
                switch place {
                case .host:
                    guard Self.isHost(value) else { return nil }
                    filled += value
                case .partOfHost:
                    guard Self.isPartOfHost(value) else { return nil }
                    filled += value
                case .pathOrQuery:
                    // A segment of dots means another folder to software that normalises paths (RFC 3986 § 5.2.4).
                    guard !value.isExactly("."), !value.isExactly("..") else { return nil }
                    filled += Percent.encode(value)
                }
            }
        }
        return placeholders.isEmpty || StrictURL(filled) != nil ? filled : nil
    }

    /// The first placeholder whose value is missing or cannot stand in its place.
    package func misplaced(in values: [String: String]) -> String? {
        placeholders.first { name in
            var alone = harmless
            alone[name] = values[name]
            return filled(with: alone) == nil
        }
    }

    private static func isFragment(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0.isASCIILetterOrDigit || "/_-.~".utf8.contains($0) }
    }

    private static func isHost(_ value: String) -> Bool {
        StrictURL("https://\(value)")?.rest.isEmpty == true
    }

    private static func isPartOfHost(_ value: String) -> Bool {
        value.utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == 0x2D || $0 == 0x2E }
    }
}
