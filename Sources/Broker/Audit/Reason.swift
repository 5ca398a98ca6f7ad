public import Catalog
public import Formats
public import Secrets

/// The reason for a failure in words for operators: it goes to the audit trail's `detail`, the log and commands, never
/// to callers or pages.
///
/// Text of others can only be put in as `quoted`: cut short, with nothing left in it that acts on a terminal. A secret
/// cannot be put in at all.
public struct Reason: Sendable, Equatable, CustomStringConvertible {
    /// The words, lower case and without a full stop, as they go into a line of the log.
    public let description: String
}

extension Reason: ExpressibleByStringInterpolation {
    /// Takes words of the program as they are.
    public init(stringLiteral value: String) { description = value }

    /// Takes what `StringInterpolation` let through.
    public init(stringInterpolation: StringInterpolation) { description = stringInterpolation.text }

    /// Takes values that are known to be harmless, and quotes the rest. There is no overload for a plain `String`.
    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        /// For the compiler.
        public init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

        /// For the compiler: words of the program.
        public mutating func appendLiteral(_ literal: String) { text += literal }

        /// A number in decimal, such as a status.
        public mutating func appendInterpolation(_ number: Int) { text += String(number) }
        /// A reason within a reason, as it is: it was made harmless when it was made.
        public mutating func appendInterpolation(_ reason: Reason) { text += reason.description }
        /// A tenant's id, whose characters are harmless.
        public mutating func appendInterpolation(_ tenant: TenantID) { text += tenant.description }
        /// A source type's name, whose characters are harmless.
        public mutating func appendInterpolation(_ sourceType: SourceType.ID) { text += sourceType.description }
        /// A master key's name in quotation marks; never the key.
        public mutating func appendInterpolation(_ key: KeyRing.KeyID) { text += "\"\(key)\"" }

        /// Words of the program, the catalog or the configuration.
        public mutating func appendInterpolation(trusted words: String) { text += words.visible }

        /// Text of somebody else, in quotation marks: at most 200 bytes of it.
        public mutating func appendInterpolation(quoted foreign: String) {
            let short = foreign.prefix(bytes: 200)
            // A quotation mark of its own ends nothing, also behind a backslash. By bytes: under a combining mark it is
            // another character.
            var escaped: [UInt8] = []
            for byte in short.utf8 {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { escaped.append(UInt8(ascii: "\\")) }
                escaped.append(byte)
            }
            text += "\""
            text += String(decoding: escaped, as: UTF8.self).visible
            text += short.utf8.count < foreign.utf8.count ? "…\"" : "\""
        }
    }
}
