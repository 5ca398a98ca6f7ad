import Formats
import Foundation

/// Text that a provider sent: hostile, and cut short before anyone sees it.
enum ProviderText {
    /// An error code (RFC 6749 § 4.1.2.1): up to 64 of letters, digits, `_`, `-`, `.`; `nil` for anything else.
    static func code(_ text: String) -> String? {
        guard (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0.isASCIILetterOrDigit || $0 == 0x5F || $0 == 0x2D || $0 == 0x2E })
        else { return nil }
        return text
    }

    /// The first 200 scalars on one line, spaces in place of characters that act on a terminal.
    static func sentence(_ text: String) -> String {
        let line = text.unicodeScalars.prefix(200).map { scalar in
            scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
                || [.lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
                ? " " : Character(scalar)
        }
        return String(line).trimmingCharacters(in: .whitespaces)
    }
}
