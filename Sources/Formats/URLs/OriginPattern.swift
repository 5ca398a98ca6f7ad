/// An origin in an operator's list; in place of one label of its host, `*` stands for any one label.
public struct OriginPattern: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: Hashable {
        case exact(Origin)
        /// The texts around the one label that may be any.
        case label(before: String, after: String)
    }

    /// The text of the configuration.
    public let description: String
    private let kind: Kind

    /// Stands for this origin alone.
    public init(_ origin: Origin) {
        description = origin.description
        kind = .exact(origin)
    }

    /// `nil` unless `text` is an origin as browsers write it, perhaps with one whole label given as `*`, and two at
    /// least behind that: `https://*.com` would be everybody.
    public init?(_ text: some StringProtocol) {
        description = String(text)
        if let origin = Origin(text) {
            kind = .exact(origin)
            return
        }
        let parts = text.split(separator: "*", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].hasSuffix("//") || parts[0].hasSuffix("."), parts[1].hasPrefix("."),
            Origin("\(parts[0])a\(parts[1])") != nil,
            parts[1].prefix(while: { $0 != ":" }).split(separator: ".").count >= 2
        else { return nil }
        kind = .label(before: String(parts[0]), after: String(parts[1]))
    }

    /// The origin that it stands for; `nil` where a `*` stands for many.
    public var origin: Origin? {
        if case .exact(let origin) = kind { origin } else { nil }
    }

    /// Tells whether an origin is the one, or one of those, that it stands for.
    public func matches(_ candidate: Origin) -> Bool {
        switch kind {
        case .exact(let origin): return candidate == origin
        case .label(let before, let after):
            let text = candidate.description.utf8
            guard text.count > before.utf8.count + after.utf8.count, text.starts(with: before.utf8),
                text.suffix(after.utf8.count).elementsEqual(after.utf8)
            else { return false }
            return !text.dropFirst(before.utf8.count).dropLast(after.utf8.count).contains(UInt8(ascii: "."))
        }
    }
}
