public import Catalog
import Formats
public import Secrets

/// The reason for a failure in words for operators: the audit trail's `detail`, the log and commands have it, callers
/// and pages do not.
///
/// What others wrote can only be put in `quoted`: cut short, with nothing left in it that acts on a terminal. There is
/// no way to put a secret in.
public struct Reason: Sendable, Equatable, CustomStringConvertible {
    public let description: String
}

extension Reason: ExpressibleByStringInterpolation {
    public init(stringLiteral value: String) { description = value }

    public init(stringInterpolation: StringInterpolation) { description = stringInterpolation.text }

    /// Takes what is known to be harmless, and quotes the rest.
    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        public init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

        public mutating func appendLiteral(_ literal: String) { text += literal }

        public mutating func appendInterpolation(_ number: Int) { text += String(number) }
        public mutating func appendInterpolation(_ reason: Reason) { text += reason.description }
        public mutating func appendInterpolation(_ tenant: TenantID) { text += tenant.description }
        public mutating func appendInterpolation(_ sourceType: SourceType.ID) { text += sourceType.description }
        public mutating func appendInterpolation(_ key: KeyRing.KeyID) { text += "\"\(key)\"" }

        /// Words that are ours, or the operator's.
        public mutating func appendInterpolation(trusted words: String) { text += words.visible }

        /// Text of somebody else: at most 200 bytes of it.
        public mutating func appendInterpolation(quoted foreign: String) {
            let short = foreign.prefix(bytes: 200)
            text += "\""
            // A quotation mark of its own ends nothing. By scalars: with a mark upon it it is another character.
            for scalar in short.visible.unicodeScalars {
                if scalar == "\"" { text += "\\" }
                text.unicodeScalars.append(scalar)
            }
            text += short.utf8.count < foreign.utf8.count ? "…\"" : "\""
        }
    }
}
