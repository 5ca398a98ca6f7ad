import Formats

/// A line of Markdown, without its end.
struct MarkdownLine {
    /// A fence of code: its character, and the number of them.
    struct Fence {
        var character: UInt8
        var count: Int
    }

    private let bytes: ArraySlice<UInt8>
    /// From the first character on that is no space.
    private let content: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        content = bytes.drop { $0 == 0x20 || $0 == 0x09 }
    }

    var start: Int { bytes.startIndex }

    var isBlank: Bool { content.isEmpty }

    /// Four spaces or a tab make code of a line, where no paragraph goes on.
    var isIndentedCode: Bool {
        bytes[..<content.startIndex].contains(0x09) || content.startIndex - bytes.startIndex > 3
    }

    /// An ATX heading (§ 4.2): one to six `#`, a space, the title, `#`s that close it.
    var heading: (level: Int, title: ArraySlice<UInt8>)? {
        guard !isIndentedCode else { return nil }
        let level = run(of: UInt8(ascii: "#"))
        guard (1...6).contains(level) else { return nil }
        let rest = content.dropFirst(level)
        guard rest.first.map(Self.isSpace) ?? true else { return nil }
        let title = rest.trimmingSuffix(while: Self.isSpace)
        let open = title.trimmingSuffix { $0 == UInt8(ascii: "#") }
        return (level, open.last.map(Self.isSpace) ?? true ? open : title)
    }

    /// The level of a heading that this line underlines (§ 4.3).
    var underline: Int? {
        guard !isIndentedCode, let first = content.first else { return nil }
        guard first == UInt8(ascii: "=") || first == UInt8(ascii: "-") else { return nil }
        guard content.dropFirst(run(of: first)).allSatisfy(Self.isSpace) else { return nil }
        return first == UInt8(ascii: "=") ? 1 : 2
    }

    /// A line across the page (§ 4.1), without spaces in it.
    var isThematicBreak: Bool {
        guard !isIndentedCode, let first = content.first, "-*_".utf8.contains(first) else { return false }
        let count = run(of: first)
        return count >= 3 && content.dropFirst(count).allSatisfy(Self.isSpace)
    }

    /// The fence that begins here (§ 4.5); one of backticks has none behind it.
    var openedFence: Fence? {
        guard !isIndentedCode, let first = content.first else { return nil }
        guard first == UInt8(ascii: "`") || first == UInt8(ascii: "~") else { return nil }
        let count = run(of: first)
        guard count >= 3 else { return nil }
        if first == UInt8(ascii: "`"), content.dropFirst(count).contains(first) { return nil }
        return Fence(character: first, count: count)
    }

    func closes(_ fence: Fence) -> Bool {
        guard !isIndentedCode else { return false }
        let count = run(of: fence.character)
        return count >= fence.count && content.dropFirst(count).allSatisfy(Self.isSpace)
    }

    /// A quotation (§ 5.1), an item of a list (§ 5.2) or a row of a table.
    var beginsContainer: Bool {
        guard let first = content.first else { return false }
        switch first {
        case UInt8(ascii: ">"), UInt8(ascii: "|"): return true
        case UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "+"):
            return content.dropFirst().first.map(Self.isSpace) ?? true
        default:
            let digits = content.prefix { (0x30...0x39).contains($0) }
            let rest = content.dropFirst(digits.count)
            guard (1...9).contains(digits.count), let mark = rest.first else { return false }
            return (mark == UInt8(ascii: ".") || mark == UInt8(ascii: ")"))
                && (rest.dropFirst().first.map(Self.isSpace) ?? true)
        }
    }

    private func run(of character: UInt8) -> Int { content.prefix { $0 == character }.count }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}

extension ArraySlice<UInt8> {
    /// The slice without the bytes at its end that `isTrimmed` selects.
    fileprivate func trimmingSuffix(while isTrimmed: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        guard let last = lastIndex(where: { !isTrimmed($0) }) else { return prefix(0) }
        return self[...last]
    }
}
