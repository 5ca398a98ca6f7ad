/// Settings that site generators read ahead of a Markdown text: lines between two lines of `---`.
enum FrontMatter {
    /// The place behind them; 0 where there are none, or no second line of `---` within 64 KiB.
    static func end(in text: [UInt8]) -> Int {
        guard text.starts(with: "---\n".utf8) else { return 0 }
        let limit = min(text.count, 65536)
        var position = 4
        while position < limit {
            let end = text[position..<limit].firstIndex(of: 0x0A) ?? limit
            let line = text[position..<end]
            if line.elementsEqual("---".utf8) || line.elementsEqual("...".utf8) { return min(end + 1, text.count) }
            position = end + 1
        }
        return 0
    }
}
