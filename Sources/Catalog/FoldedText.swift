/// Words of a provider as they are compared: letter case, blanks around them and a full stop at the end do not count.
public struct FoldedText: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The words in lower case, without what does not count.
    public let description: String

    /// Nothing longer is compared, in bytes.
    package static let longest = 256

    /// Folds words of any length.
    public init(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while let last = bytes.last, last <= 0x20 || last == UInt8(ascii: ".") { bytes.removeLast() }
        bytes = bytes.drop { $0 <= 0x20 }
        description = String(
            decoding: bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// Words of ours.
    public init(stringLiteral text: String) { self.init(text) }
}
