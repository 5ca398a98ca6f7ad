import Catalog
import Formats

/// Keeps some of the values that callbacks and providers send beside the tokens: anyone may have sent them, and the
/// redeemer will print them, or call the host that they name.
struct KeptExtras {
    private(set) var values: [String: SecretJSON] = [:]
    /// True once a value was left out, since it did not have its form.
    private(set) var hasRefused = false

    /// The longest value that is kept, in bytes.
    private static let longest = 2048

    mutating func keep(_ value: JSONValue, as name: String, _ pattern: Pattern?) {
        if Self.isSound(value, pattern) { values[name] = SecretJSON(value) } else { hasRefused = true }
    }

    /// Notes that something came in no form that it could be kept in.
    mutating func refuse() { hasRefused = true }

    mutating func keep(_ extras: [OAuthProfile.AnswerExtra], of document: SecretJSON) {
        document.expose { document in
            for extra in extras {
                if let value = extra.pointer.value(in: document) { keep(value, as: extra.name, extra.pattern) }
            }
        }
    }

    private static func isSound(_ value: JSONValue, _ pattern: Pattern?) -> Bool {
        switch (value, pattern) {
        case (.string(let text), let pattern?): return pattern.matches(text)
        case (.string(let text), nil): return text.utf8.count <= longest && isPrintableLine(text)
        // A list or an object is no value that a pattern could speak of.
        case (.array, _?), (.object, _?): return false
        case (_, let pattern?): return written(value).map { pattern.matches($0) } ?? false
        case (_, nil): return (written(value)?.utf8.count ?? .max) <= longest && isPrintable(value)
        }
    }

    /// Tells whether every text in `value` is printable, names of members too.
    private static func isPrintable(_ value: JSONValue) -> Bool {
        switch value {
        case .string(let text): isPrintableLine(text)
        case .array(let values): values.allSatisfy(isPrintable)
        case .object(let members): members.allSatisfy { isPrintableLine($0.key) && isPrintable($0.value) }
        default: true
        }
    }

    private static func written(_ value: JSONValue) -> String? {
        var json = JSONWriter()
        guard (try? json.value(value)) != nil else { return nil }
        return String(decoding: json.bytes, as: UTF8.self)
    }

    /// No control characters, which end lines and move terminals' cursors, and no invisible ones, which turn text
    /// around; but the two that emoji and some scripts join letters with.
    private static func isPrintableLine(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            if scalar.isASCII { return (0x20..<0x7F).contains(scalar.value) }
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: return false
            case .format: return scalar == "\u{200C}" || scalar == "\u{200D}"
            default: return true
            }
        }
    }
}
