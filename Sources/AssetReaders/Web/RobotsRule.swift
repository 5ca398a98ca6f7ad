import Formats

/// One line of `robots.txt` that opens or closes paths (RFC 9309 § 2.2.2).
struct RobotsRule: Sendable, Hashable {
    let isOpening: Bool
    /// In the one spelling of escapes that paths have too, without the `$` at its end.
    private let pattern: [UInt8]
    private let isAnchored: Bool

    /// The longest pattern that counts: no address that we ask for has a longer path.
    static let longest = 2048

    /// `nil` for an empty pattern, which closes nothing, and for one that is too long.
    init?(isOpening: Bool, pattern: some Collection<UInt8>) {
        let normalised = Self.normalised(pattern)
        guard (1...Self.longest).contains(normalised.count) else { return nil }
        self.isOpening = isOpening
        isAnchored = normalised.last == UInt8(ascii: "$")
        self.pattern = isAnchored ? normalised.dropLast() : normalised
    }

    /// In octets, the measure by which the most specific rule wins (RFC 9309 § 2.2.2).
    var length: Int { pattern.count + (isAnchored ? 1 : 0) }

    /// Tells whether the rule is about a path with its query, spelled by `normalised`.
    ///
    /// - Parameter steps: the comparisons that may still be made; where they are used up, the answer means nothing. With
    ///   many stars a comparison costs the product of both lengths, and a hostile site writes thousands of rules.
    func matches(_ path: [UInt8], steps: inout Int) -> Bool {
        var (place, next) = (0, 0)
        var star: (next: Int, place: Int)?
        while steps > 0 {
            steps -= 1
            if next < pattern.count, pattern[next] == UInt8(ascii: "*") {
                star = (next + 1, place)
                next += 1
            } else if next == pattern.count, !isAnchored || place == path.count {
                return true
            } else if next < pattern.count, place < path.count, pattern[next] == path[place] {
                (place, next) = (place + 1, next + 1)
            } else if let last = star, last.place < path.count {
                // The last star takes one more; the ones before it need not.
                star = (last.next, last.place + 1)
                (place, next) = (last.place + 1, last.next)
            } else {
                return false
            }
        }
        return false
    }

    /// Escapes of unreserved characters taken back, others in upper case, bytes beyond ASCII escaped, so that paths and
    /// patterns can be compared by octets (RFC 9309 § 2.2.2).
    static func normalised(_ path: some Collection<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(path.count)
        var rest = Array(path)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let escaped = Percent.octet(rest) {
                // An escaped star or dollar sign is a plain character, and stays escaped.
                result += Percent.isUnreserved(escaped) ? [escaped] : Percent.escape(escaped)
                rest = rest.dropFirst(2)
            } else if byte > 0x20, byte < 0x7F {
                result.append(byte)
            } else {
                result += Percent.escape(byte)
            }
        }
        return result
    }
}
