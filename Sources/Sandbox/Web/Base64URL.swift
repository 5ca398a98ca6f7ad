/// Base64 with the URL-safe alphabet and no padding (RFC 4648 § 5), and unguessable text made of it.
enum Base64URL {
    static func encode(_ bytes: [UInt8]) -> String {
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let chunk = bytes[start..<min(start + 3, bytes.count)]
            let word = (0..<3).reduce(UInt32(0)) {
                $0 << 8 | (start + $1 < bytes.count ? UInt32(bytes[start + $1]) : 0)
            }
            for position in 0...chunk.count {
                text.append(alphabet[Int(word >> UInt32(18 - 6 * position) & 63)])
            }
        }
        return text
    }

    /// 32 random bytes as text, after a prefix that says what it is.
    static func random(prefix: String = "") -> String {
        var generator = SystemRandomNumberGenerator()
        return prefix + encode((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
}
