import Formats
import NIOHTTP1

/// A reason why a request is not well-formed (RFC 9112 § 3, § 6).
///
/// The decoder leaves to us what depends on more than one field; and where proxies and servers read a request
/// differently, one of them can be made to see two requests where the other sees one (§ 11.2).
enum RequestFault: Error, Equatable {
    case malformed
    case headTooLarge
    case version
    case method
    case target
    case hostMissing
    case hostRepeated
    case hostInvalid
    case framing

    init(_ error: HTTPParserError) {
        switch error {
        case .headerOverflow: self = .headTooLarge
        case .invalidVersion: self = .version
        case .invalidMethod: self = .method
        case .invalidURL, .invalidHost, .invalidPort, .invalidPath, .invalidQueryString, .invalidFragment:
            self = .target
        case .invalidContentLength, .unexpectedContentLength, .invalidChunkSize: self = .framing
        default: self = .malformed
        }
    }

    /// The fault of a head, if it has one. A sound head's target is in origin form afterwards.
    init?(in head: inout HTTPRequestHead) {
        guard let fault = Self.fields(head) ?? Self.target(&head) else { return nil }
        self = fault
    }

    private static func fields(_ head: HTTPRequestHead) -> RequestFault? {
        guard head.version.major == 1 else { return .version }
        var host: String?
        var lengths = 0
        var codings = 0
        for (name, value) in head.headers {
            switch name.utf8.count {
            case 4 where name.isName("host"):
                guard host == nil else { return .hostRepeated }
                host = value
            case 14 where name.isName("content-length"): lengths += 1
            case 17 where name.isName("transfer-encoding"):
                codings += 1
                // No other coding is undone here, and none may stand behind it (§ 6.1).
                guard value.isName("chunked") else { return .framing }
            default: break
            }
        }
        // § 6.1: HTTP/1.0 has no codings; § 6.3: with a coding there is no length.
        guard lengths + codings <= 1, codings == 0 || head.version.minor >= 1 else { return .framing }
        guard let host else { return head.version.minor == 0 ? nil : .hostMissing }
        return isAuthority(host.utf8[...]) ? nil : .hostInvalid
    }

    /// § 3.2: the origin form, the absolute form, which every server takes, and `*` for OPTIONS.
    private static func target(_ head: inout HTTPRequestHead) -> RequestFault? {
        // No tunnel is begun here (RFC 9110 § 9.3.6), and the decoder would read nothing behind such a request.
        if head.method == .CONNECT { return .target }
        let bytes = head.uri.utf8
        if bytes.first == UInt8(ascii: "/") { return nil }
        if bytes.elementsEqual("*".utf8) { return head.method == .OPTIONS ? nil : .target }
        guard let end = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[end...].starts(with: "://".utf8) else {
            return .target
        }
        let scheme = String(head.uri[..<end])
        guard scheme.isName("http") || scheme.isName("https") else { return .target }
        let rest = bytes[end...].dropFirst(3)
        let separators: [UInt8] = [UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#")]
        let path = rest.firstIndex { separators.contains($0) } ?? rest.endIndex
        guard isAuthority(rest[..<path]) else { return .target }
        let origin = head.uri[path...]
        head.uri = origin.utf8.first == UInt8(ascii: "/") ? String(origin) : "/" + origin
        return nil
    }

    /// `uri-host [ ":" port ]` (RFC 9110 § 7.2, RFC 3986 § 3.2.2); never empty, since all our addresses are http.
    private static func isAuthority(_ text: Substring.UTF8View) -> Bool {
        var text = text
        if text.first == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: UInt8(ascii: "]")) else { return false }
            let address = text[..<end].dropFirst()
            guard address.contains(UInt8(ascii: ":")), IPAddress(String(decoding: address, as: UTF8.self)) != nil else {
                return false
            }
            text = text[end...].dropFirst()
        } else {
            let host = text.prefix { $0 != UInt8(ascii: ":") }
            guard !host.isEmpty, host.allSatisfy(isOfName) else { return false }
            text = text[host.endIndex...]
        }
        guard text.first == UInt8(ascii: ":") else { return text.isEmpty }
        let port = text.dropFirst()
        return port.count <= 5 && port.allSatisfy { (0x30...0x39).contains($0) }
            && (port.isEmpty || Int(String(decoding: port, as: UTF8.self)).map { $0 <= 65535 } == true)
    }

    /// `unreserved`, `sub-delims` and the percent sign of RFC 3986 § 2.
    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        // -._~ and !$&'()*+,;= and %
        case 0x2D, 0x2E, 0x5F, 0x7E, 0x21, 0x24...0x2C, 0x3B, 0x3D: true
        default: false
        }
    }

    /// The problem's `detail`, for the client's developer.
    var detail: String {
        switch self {
        case .malformed: "the request is not HTTP/1.1 (RFC 9112)"
        case .headTooLarge: "send a request line and header fields of at most 32 KiB, and at most 128 fields"
        case .version: "send the request as HTTP/1.1"
        case .method: "use a method that HTTP knows"
        case .target: "send the path as request target, or an http or https address"
        case .hostMissing: "send a Host field (RFC 9112 § 3.2)"
        case .hostRepeated: "send one Host field (RFC 9112 § 3.2)"
        case .hostInvalid: "send a host name or address, and perhaps a port, as Host (RFC 9112 § 3.2)"
        case .framing: "send the body with one Content-Length, or chunked (RFC 9112 § 6)"
        }
    }
}

extension String {
    /// Equal but for the case of ASCII letters.
    fileprivate func isName(_ lowercased: StaticString) -> Bool {
        guard utf8.count == lowercased.utf8CodeUnitCount else { return false }
        return lowercased.withUTF8Buffer { expected in
            zip(utf8, expected).allSatisfy { byte, wanted in
                byte == wanted || ((0x41...0x5A).contains(byte) && byte | 0x20 == wanted)
            }
        }
    }
}
