import Formats

/// The rules of a site for automatic readers (`robots.txt`, RFC 9309), as far as they are about us.
struct RobotsRules: Sendable {
    /// The name by which sites know us (RFC 9309 § 2.2.1).
    static let productToken = "CloakroomAssets"
    /// RFC 9309 § 2.5 asks for 500 KiB at least; what is beyond counts for nothing.
    static let mostBytes = 512 << 10

    private enum Verdict: Sendable { case open, unknown, byRules([RobotsRule]) }
    private let verdict: Verdict

    /// The site closes nothing.
    static let open = RobotsRules(verdict: .open)
    /// The rules are not known, since the site is at fault: that closes all for now (RFC 9309 § 2.3.1.4).
    static let unknown = RobotsRules(verdict: .unknown)

    private init(verdict: Verdict) { self.verdict = verdict }

    /// Reads a file; what is no rule in it is passed over.
    init(_ file: [UInt8]) {
        var groups = Groups()
        for line in Self.lines(file) { groups.read(line) }
        // The longest first, and of two equally long the opening one: the first that matches decides (RFC 9309 § 2.2.2).
        let rules = groups.rules.sorted { ($0.length, $0.isOpening ? 1 : 0) > ($1.length, $1.isOpening ? 1 : 0) }
        verdict = .byRules(rules)
    }

    /// Another time more may be allowed.
    var areUnknown: Bool { if case .unknown = verdict { true } else { false } }

    /// Tells whether a page may be read.
    func allow(_ address: WebAddress) -> Bool {
        switch verdict {
        case .open: return true
        case .unknown: return address.path == "/robots.txt"
        case .byRules(let rules):
            if rules.isEmpty || address.path == "/robots.txt" { return true }
            let path = RobotsRule.normalised(address.url.rest.utf8)
            // Some milliseconds; rules that need more are not meant to be obeyed, and to be safe close.
            var steps = 4_000_000
            let first = rules.first { $0.matches(path, steps: &steps) }
            return steps > 0 && first?.isOpening ?? true
        }
    }

    /// The lines of the part that counts, without byte order mark. A last line that was cut is left out.
    private static func lines(_ file: [UInt8]) -> [ArraySlice<UInt8>] {
        let start = file.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let end = min(file.count, start + mostBytes)
        let isEnd = { (byte: UInt8) in byte == 0x0A || byte == 0x0D }
        let lines = file[start..<end].split(whereSeparator: isEnd)
        let isCut = end < file.count && !isEnd(file[end]) && !isEnd(file[end - 1])
        return isCut ? lines.dropLast() : lines
    }

    /// Collects the rules of the groups that are for us, as the lines come.
    private struct Groups {
        private var ours: [RobotsRule] = []
        private var everybodys: [RobotsRule] = []
        private var hasOurs = false
        private var isOurs = false
        private var isEverybodys = false
        /// The last line that counts named a reader: the next one that does belongs to the same group.
        private var isNaming = false

        /// RFC 9309 § 2.2.1: those of all groups that name us, else of all for `*`.
        var rules: [RobotsRule] { hasOurs ? ours : everybodys }

        mutating func read(_ line: ArraySlice<UInt8>) {
            let line = line.prefix { $0 != UInt8(ascii: "#") }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon - line.startIndex <= 32 else { return }
            let value = Self.trimmed(line[(colon + 1)...])
            switch String(decoding: Self.trimmed(line[..<colon]), as: UTF8.self).lowercased() {
            case "user-agent": name(value)
            case "allow": add(RobotsRule(isOpening: true, pattern: value))
            case "disallow": add(RobotsRule(isOpening: false, pattern: value))
            // RFC 9309 § 2.2.4: other records do not end a group.
            default: return
            }
        }

        private mutating func name(_ value: ArraySlice<UInt8>) {
            if !isNaming { (isOurs, isEverybodys) = (false, false) }
            isNaming = true
            // A version may follow, as in the header of the same name.
            let token = value.prefix { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
            if String(decoding: token, as: UTF8.self).isExactly(RobotsRules.productToken, inAnyCase: true) {
                (isOurs, hasOurs) = (true, true)
            }
            if value.elementsEqual("*".utf8) { isEverybodys = true }
        }

        private mutating func add(_ rule: RobotsRule?) {
            isNaming = false
            guard let rule else { return }
            if isOurs { ours.append(rule) }
            if isEverybodys { everybodys.append(rule) }
        }

        private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
            var bytes = bytes.drop { $0 == 0x20 || $0 == 0x09 }
            while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
            return bytes
        }
    }
}
