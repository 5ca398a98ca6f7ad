/// The declaration that may open an XML document (XML 1.0 § 2.8).
enum XMLDeclaration {
    /// The encoding that it names, in lower case; `nil` where there is none. A document whose bytes are no ASCII here
    /// has to have a byte order mark, which comes before any declaration.
    static func charset(of bytes: [UInt8]) -> String? {
        let head = bytes.prefix(256)
        guard head.starts(with: "<?xml".utf8), let close = head.firstIndex(of: UInt8(ascii: ">")) else { return nil }
        var scanner = XMLScanner(Array(head[..<close]), from: 5)
        guard scanner.take(upTo: "encoding") != nil else { return nil }
        scanner.skipSpace()
        guard scanner.take("=") else { return nil }
        scanner.skipSpace()
        let quote = scanner.next
        scanner.advance()
        let name = scanner.take(atMost: 64) { $0 == quote }
        return String(decoding: scanner[name], as: UTF8.self).lowercased()
    }
}
