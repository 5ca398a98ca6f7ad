import Glibc

/// An absolute http or https URL, read so narrowly that every browser and library reads it the same way.
///
/// Anything that parsers are known to disagree about is refused: user information, backslashes, white space,
/// control characters, anything outside ASCII, an empty host, odd ports (RFC 9700 § 4.11, open redirectors).
public struct StrictURL: Hashable, Sendable {
    /// Scheme, host and port as browsers write them, whatever the spelling was.
    public let origin: Origin
    /// Path and query as given, possibly empty. Never a fragment.
    public let rest: String
    /// The URL with its origin normalised and the rest as given. Equal URLs have equal texts.
    public var text: String { origin.description + rest }

    /// Reads a URL of at most 2048 bytes. Letters in the host become lower case and the usual port is dropped, as
    /// browsers do.
    public init?(_ text: some StringProtocol) {
        self.init(whole: String(text))
    }

    private init?(whole text: String) {
        // First of all: from here on every character is a byte.
        guard text.utf8.count <= 2048, text.utf8.everyByte(Self.isPlain) else { return nil }
        let scheme: String
        let defaultPort: Int
        if text.utf8.starts(with: "https://".utf8) {
            (scheme, defaultPort) = ("https", 443)
        } else if text.utf8.starts(with: "http://".utf8) {
            (scheme, defaultPort) = ("http", 80)
        } else {
            return nil
        }
        let afterScheme = text[text.utf8.index(text.startIndex, offsetBy: scheme.utf8.count + 3)...]
        let end =
            afterScheme.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? afterScheme.endIndex
        let authority = afterScheme[..<end]
        let rest = afterScheme[end...]

        var host = authority
        var port: Int?
        let isBracketed = authority.utf8.first == UInt8(ascii: "[")
        let bracket = isBracketed ? authority.utf8.firstIndex(of: UInt8(ascii: "]")) : nil
        if let colon = authority[(bracket ?? authority.startIndex)...].utf8.firstIndex(of: UInt8(ascii: ":")) {
            let digits = authority[authority.index(after: colon)...]
            guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(digits), (1...65535).contains(number), !digits.hasPrefix("0")
            else { return nil }
            port = number
            host = authority[..<colon]
        }
        guard bracket == nil ? Self.isHost(host) : Self.isIPv6(host) else { return nil }
        let portText = port == nil || port == defaultPort ? "" : ":\(port ?? 0)"
        origin = Origin(unchecked: "\(scheme)://\(host.lowercased())\(portText)")
        self.rest = String(rest)
    }

    /// Tells whether the byte may stand in a URL that all readers read alike: visible ASCII without `" # < > \ ^ { | }`
    /// and the backtick.
    package static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        // Visible ASCII without " # < > \ ^ ` { | }.
        case 0x21, 0x24...0x3B, 0x3D, 0x3F...0x5B, 0x5D, 0x5F, 0x61...0x7A, 0x7E: true
        default: false
        }
    }

    private static func isHost(_ host: Substring) -> Bool {
        let labels = host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let areLabels = labels.allSatisfy { label in
            !label.isEmpty && label.count <= 63 && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                && label.allSatisfy { $0.isASCIILetterOrDigit || $0 == 0x2D || $0 == 0x5F }
        }
        guard host.utf8.count <= 253, areLabels, let last = labels.last else { return false }
        // A host that ends in a number is an IPv4 address to browsers, in many spellings. Here it has one.
        let isHexadecimal =
            last.first == UInt8(ascii: "0") && last.dropFirst().first.map { $0 | 0x20 } == UInt8(ascii: "x")
            && Substring(last.dropFirst(2)).allSatisfy(\.isHexDigit)
        guard last.allSatisfy({ (0x30...0x39).contains($0) }) || isHexadecimal else { return true }
        return labels.count == 4
            && labels.map { Substring($0) }.allSatisfy { label in UInt8(label).map { String($0) == label } == true }
    }

    private static func isIPv6(_ host: Substring) -> Bool {
        guard host.hasPrefix("["), host.hasSuffix("]") else { return false }
        var address = in6_addr()
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let given = host.dropFirst().dropLast().lowercased()
        guard inet_pton(AF_INET6, given, &address) == 1,
            inet_ntop(AF_INET6, &address, &text, socklen_t(text.count)) != nil
        else { return false }
        // The one spelling of RFC 5952 § 4, which browsers write too; but for mapped addresses, which RFC 5952 § 5 ends
        // in decimal numbers and browsers do not: no page's origin equals one of those.
        return given.utf8.elementsEqual(text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
    }
}
