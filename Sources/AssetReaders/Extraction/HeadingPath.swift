/// The headings above a place in a text.
struct HeadingPath {
    private var path: [(level: Int, text: String)] = []

    /// The texts, outermost first.
    var texts: [String] { path.map(\.text) }

    /// Longer ones are cut: each chunk below keeps a copy.
    private static let mostBytes = 200

    /// Goes on under a heading, which ends those of its level and below. One without text ends them as well.
    mutating func enter(_ text: some Collection<UInt8>, level: Int) {
        path.removeAll { $0.level >= level }
        let words = text.split { $0 == 0x20 || (0x09...0x0D).contains($0) }.joined(separator: [0x20])
        var bytes = Array(words.prefix(Self.mostBytes + 1))
        if bytes.count > Self.mostBytes {
            // Not within a scalar (RFC 3629 § 3).
            while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
        }
        guard !bytes.isEmpty else { return }
        path.append((level, String(decoding: bytes, as: UTF8.self)))
    }
}
