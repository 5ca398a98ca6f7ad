import Assets
import Formats

/// The name of an asset whose maker gave it none.
enum DisplayName {
    /// Unicode scalars. CONTRACT-ASSETS: 200 characters.
    private static let longest = 200

    /// An upload's is that of its file.
    static func made(fromFile fileName: String) -> String { cut(fileName) }

    /// A source that has to be named by an address or the like has that as its name; others that of their type.
    static func made(from sourceType: SourceType, _ parameters: [String: ParameterValue]) -> String {
        for property in sourceType.properties where property.isRequired {
            if case .string(let text)? = parameters[property.name] { return cut(withoutScheme(text)) }
        }
        return cut(sourceType.displayName)
    }

    private static func cut(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(longest)
        return scalars.isEmpty ? "?" : String(String.UnicodeScalarView(scalars))
    }

    private static func withoutScheme(_ text: String) -> String {
        for scheme in ["https://", "http://"] where text.utf8.starts(with: scheme.utf8) {
            var rest = text.utf8.dropFirst(scheme.utf8.count)
            if rest.last == UInt8(ascii: "/") { rest = rest.dropLast() }
            return rest.isEmpty ? text : String(Substring(rest))
        }
        return text
    }
}
