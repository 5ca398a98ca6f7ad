import Formats
import Foundation
import Secrets
import Transport

/// The secrets of one exchange with a provider, which may repeat them in its errors: nobody is told them, not even
/// operators.
struct HiddenValues: Sendable, Redacted {
    private var secrets: [[UInt8]] = []

    /// None yet: what looks like a secret is hidden all the same.
    init() {}

    /// All that a request sent, by whatever way, and the client's secret.
    init(in request: TransportRequest, of client: Client) {
        for value in request.sentValues { add(value) }
        add(client.secret)
    }

    /// Hides one more secret; `nil` is none.
    mutating func add<Use>(_ secret: Secret<Use>?) { secret?.expose { add($0) } }

    /// Hides one more value. Fewer than four bytes would be found in any text.
    private mutating func add(_ value: String) {
        if value.utf8.count >= 4 { secrets.append(value.utf8.map(\.folded)) }
    }

    /// A provider's error code that may go to anyone: `nil` for what is no code, or has a secret in it or looks like
    /// one.
    ///
    /// All of a provider's codes come through here, whichever endpoint they are of.
    func code(_ text: String) -> String? {
        guard let code = ProviderText.code(text) else { return nil }
        return ProviderText.knownCodes.contains(code) || redacted(code).isExactly(code) ? code : nil
    }

    /// The number of bytes of a provider's words that are shown.
    private static let mostShown = 400
    /// The number of bytes beyond that are looked at, so that a secret which is cut there is known.
    private static let lookAhead = 112

    /// The first 400 bytes of a provider's words, without the secrets and without words that look like one.
    ///
    /// A secret is known by any eight bytes of it (a shorter one by all of it), in any letter case, percent-encoded or
    /// not; the whole word around them is hidden. Linear in the bytes of text and secrets.
    func redacted(_ text: String) -> String { redacted(text, hidingUnknown: true) }

    /// An `iss`, for whoever compares it with the catalog: without the secrets. An address (RFC 8414 § 2) is long and
    /// has digits without being one.
    func redacted(issuer: String) -> String { redacted(issuer, hidingUnknown: !issuer.hasPrefix("https://")) }

    private func redacted(_ text: String, hidingUnknown: Bool) -> String {
        let bytes = Array(text.prefix(bytes: Self.mostShown + Self.lookAhead).utf8)
        let isHidden = hidden(in: bytes, hidingUnknown: hidingUnknown)
        let shownEnd = text.prefix(bytes: Self.mostShown).utf8.count
        var shown: [UInt8] = []
        for index in 0..<shownEnd {
            if !isHidden[index] {
                shown.append(bytes[index])
            } else if index == 0 || !isHidden[index - 1] {
                shown += "[hidden]".utf8
            }
        }
        if shownEnd < text.utf8.count { shown += "…".utf8 }
        return String(decoding: shown, as: UTF8.self)
    }

    /// Tells of each byte whether it is hidden.
    private func hidden(in bytes: [UInt8], hidingUnknown: Bool) -> [Bool] {
        var isHidden = [Bool](repeating: false, count: bytes.count)
        if !secrets.isEmpty {
            let windows = SecretWindows(secrets)
            windows.mark(bytes.indices.map { (bytes[$0].folded, $0..<$0 + 1) }, in: &isHidden)
            if bytes.contains(UInt8(ascii: "%")) { windows.mark(Self.percentDecoded(bytes), in: &isHidden) }
        }
        // By whole words and characters: nothing is left of one of which a part is hidden.
        var start = 0
        while start < bytes.count {
            let kind = bytes[start].isOfTokens
            let end = bytes[start...].firstIndex { $0.isOfTokens != kind } ?? bytes.count
            if kind {
                let word = bytes[start..<end]
                if isHidden[start..<end].contains(true) || (hidingUnknown && word.looksSecret && !word.isKnownCode) {
                    for index in start..<end { isHidden[index] = true }
                }
            } else {
                Self.completeCharacters(in: start..<end, of: bytes, &isHidden)
            }
            start = end
        }
        return isHidden
    }

    /// Hides the rest of characters of which one byte is hidden: half a scalar is no text.
    private static func completeCharacters(in range: Range<Int>, of bytes: [UInt8], _ isHidden: inout [Bool]) {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = bytes[(start + 1)..<range.upperBound].firstIndex { $0 & 0xC0 != 0x80 } ?? range.upperBound
            if isHidden[start..<end].contains(true) { for index in start..<end { isHidden[index] = true } }
            start = end
        }
    }

    /// The bytes that percent-encoded ones stand for, each with its place.
    private static func percentDecoded(_ bytes: [UInt8]) -> [(byte: UInt8, place: Range<Int>)] {
        var decoded: [(byte: UInt8, place: Range<Int>)] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = bytes[index + 1].hexValue,
                let low = bytes[index + 2].hexValue
            {
                decoded.append(((high << 4 | low).folded, index..<index + 3))
                index += 3
            } else {
                decoded.append((bytes[index].folded, index..<index + 1))
                index += 1
            }
        }
        return decoded
    }
}

/// The parts of secrets by which they are known: all runs of eight bytes, or the whole where it is shorter.
private struct SecretWindows {
    private static let size = 8
    /// By their length; the bytes packed into a number.
    private var all: [Int: Set<UInt64>] = [:]

    init(_ secrets: [[UInt8]]) {
        for secret in secrets {
            let length = min(secret.count, Self.size)
            for start in 0...(secret.count - length) {
                all[length, default: []].insert(Self.packed(secret[start..<start + length]))
            }
        }
        // Words of the protocols tell nothing, though a secret has them in it too.
        all[Self.size]?.subtract(Self.ofWords)
    }

    /// Marks the places of the bytes that are part of a secret.
    func mark(_ bytes: [(byte: UInt8, place: Range<Int>)], in isHidden: inout [Bool]) {
        for (length, windows) in all where bytes.count >= length {
            for start in 0...(bytes.count - length) {
                let window = bytes[start..<start + length]
                guard windows.contains(Self.packed(window.lazy.map(\.byte))) else { continue }
                for (_, place) in window { for index in place { isHidden[index] = true } }
            }
        }
    }

    private static func packed(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static let ofWords: Set<UInt64> = {
        let words = ProviderText.knownCodes.union([
            "access_token", "refresh_token", "id_token", "token_type", "token_type_hint", "client_id", "client_secret",
            "client_assertion", "code_verifier", "authorization_code", "redirect_uri", "grant_type",
        ])
        var windows: Set<UInt64> = []
        for word in words.map({ $0.utf8.map(\.folded) }) where word.count >= size {
            for start in 0...(word.count - size) { windows.insert(packed(word[start..<start + size])) }
        }
        return windows
    }()
}

extension TransportRequest {
    /// The values that were sent in query, body and authenticating headers, but for those that are no secret.
    var sentValues: [String] {
        let query = url.utf8.firstIndex(of: UInt8(ascii: "?")).map { String(url[url.utf8.index(after: $0)...]) }
        var pairs = query.flatMap { Percent.pairs($0) } ?? []
        if let body {
            if case .object(let members)? = JSONValue(json: body) {
                pairs += members.compactMap { name, value in value.string.map { (name: name, value: $0) } }
            } else {
                pairs += Percent.pairs(String(decoding: body, as: UTF8.self)) ?? []
            }
        }
        return pairs.filter { !Self.plainParameters.contains($0.name) }.map(\.value)
            + headers.flatMap { Self.secrets(inHeader: $0.name, $0.value) }
    }

    /// The parameters that anyone may read (registered by RFC 6749 § 11.2.2 and those after it).
    private static let plainParameters: Set = [
        "grant_type", "client_id", "redirect_uri", "scope", "resource", "audience", "client_assertion_type",
        "token_type_hint", "response_type", "response_mode", "code_challenge_method", "prompt", "display",
        "access_type",
    ]

    /// The secrets in a header: of `Authorization` the credentials, and what they are made of (RFC 7617 § 2).
    private static func secrets(inHeader name: String, _ value: String) -> [String] {
        switch name.lowercased() {
        case "dpop": return [value]
        case "authorization":
            let credentials =
                value.utf8.firstIndex(of: UInt8(ascii: " ")).map { value[$0...].dropFirst() } ?? value[...]
            guard let pair = Data(base64Encoded: String(credentials)).flatMap({ String(bytes: $0, encoding: .utf8) }),
                let colon = pair.utf8.firstIndex(of: UInt8(ascii: ":"))
            else { return [String(credentials)] }
            let secret = String(pair[colon...].dropFirst())
            return [String(credentials), secret, secret.removingPercentEncoding ?? secret]
        default: return []
        }
    }
}

extension UInt8 {
    /// Tells whether the byte may be part of a token (`b64token`, RFC 6750 § 2.1).
    fileprivate var isOfTokens: Bool { isASCIILetterOrDigit || "-._~+/=".utf8.contains(self) }

    /// The byte as it is compared: letters in lower case, and a space as forms have it.
    fileprivate var folded: UInt8 {
        switch self {
        case 0x41...0x5A: self | 0x20
        case 0x20: UInt8(ascii: "+")
        default: self
        }
    }

    fileprivate var hexValue: UInt8? { Character(Unicode.Scalar(self)).hexDigitValue.map { UInt8($0) } }
}

extension ArraySlice<UInt8> {
    /// Tells whether it is longer than words are, or long with a digit in it, as codes, keys and tokens are.
    fileprivate var looksSecret: Bool {
        count >= 32 || (count >= 12 && contains { (0x30...0x39).contains($0) })
    }

    fileprivate var isKnownCode: Bool { ProviderText.knownCodes.contains(String(decoding: self, as: UTF8.self)) }
}
