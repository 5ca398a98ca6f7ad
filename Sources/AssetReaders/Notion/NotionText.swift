import Formats

/// A rich text of Notion's as Markdown (https://developers.notion.com/reference/rich-text).
enum NotionText {
    static func markdown(_ value: JSONValue?) -> String {
        runs(value).map { run in
            guard case .object(let run) = run else { return "" }
            return markdown(run)
        }.joined()
    }

    /// The same without marks, for titles and code.
    static func plain(_ value: JSONValue?) -> String {
        runs(value).map { run in
            guard case .object(let run) = run else { return "" }
            return text(of: run)
        }.joined()
    }

    private static func runs(_ value: JSONValue?) -> [JSONValue] {
        if case .array(let runs)? = value { runs } else { [] }
    }

    private static func text(of run: [String: JSONValue]) -> String {
        if let text = run["plain_text"]?.string { return text }
        guard case .object(let text)? = run["text"] else { return "" }
        return text["content"]?.string ?? ""
    }

    private static func markdown(_ run: [String: JSONValue]) -> String {
        let text = text(of: run)
        if case .object(let equation)? = run["equation"], let expression = equation["expression"]?.string {
            return "$\(expression)$"
        }
        // Marks only count where no space stands within them (CommonMark § 6.2).
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x0A || byte == 0x09 }
        let bytes = text.utf8
        guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return text }
        let inner = marked(String(Substring(bytes[first...last])), run)
        return String(Substring(bytes[..<first])) + inner + String(Substring(bytes[bytes.index(after: last)...]))
    }

    private static func marked(_ text: String, _ run: [String: JSONValue]) -> String {
        let marks = if case .object(let marks)? = run["annotations"] { marks } else { [String: JSONValue]() }
        var text = text
        if marks["code"]?.bool == true { text = "`\(text)`" }
        if marks["bold"]?.bool == true { text = "**\(text)**" }
        if marks["italic"]?.bool == true { text = "*\(text)*" }
        if marks["strikethrough"]?.bool == true { text = "~~\(text)~~" }
        return link(text, to: run["href"]?.string)
    }

    /// A link to elsewhere; Notion's own pages have addresses without a host.
    static func link(_ text: String, to address: String?) -> String {
        guard let address = address.flatMap({ WebAddress($0) })?.text else { return text }
        // A bracket would end the address (CommonMark § 6.3).
        let escaped = address.utf8.flatMap { "()".utf8.contains($0) ? Percent.escape($0) : [$0] }
        return "[\(text)](\(String(decoding: escaped, as: UTF8.self)))"
    }
}
