import Glibc

/// One HTTP/1.1 message inside a buffer: valid only as long as the buffer is not touched.
struct Message {
    /// Start line and header fields, with the empty line that ends them.
    let head: UnsafeRawBufferPointer
    let body: UnsafeRawBufferPointer

    var length: Int { head.count + body.count }

    /// The status code; 0 for a request.
    var status: Int {
        guard head.count > 12, head[0] == UInt8(ascii: "H") else { return 0 }
        return head[9...11].reduce(0) { $0 * 10 + Int($1) - 48 }
    }

    /// The message at the start of `bytes`, or `nil` while it has not arrived whole.
    ///
    /// Reads what the programs of this benchmark send: a `Content-Length`, or no body. No chunks.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let end = bytes.position(of: "\r\n\r\n") else { return nil }
        head = UnsafeRawBufferPointer(rebasing: bytes[..<(end + 4)])
        let length = Self.bodyLength(head)
        guard bytes.count >= head.count + length else { return nil }
        body = UnsafeRawBufferPointer(rebasing: bytes[head.count..<head.count + length])
    }

    private static func bodyLength(_ head: UnsafeRawBufferPointer) -> Int {
        var position = 0
        while let newline = head[position...].firstIndex(of: 10) {
            position = newline + 1
            let name = "content-length:"
            guard position + name.utf8.count < head.count,
                strncasecmp(head.baseAddress! + position, name, name.utf8.count) == 0
            else { continue }
            return head[(position + name.utf8.count)...].lazy.drop { $0 == 32 }.prefix { (48...57).contains($0) }
                .reduce(0) { $0 * 10 + Int($1) - 48 }
        }
        return 0
    }
}

private func strncasecmp(_ left: UnsafeRawPointer, _ right: String, _ count: Int) -> Int32 {
    Glibc.strncasecmp(left.assumingMemoryBound(to: CChar.self), right, count)
}

extension UnsafeRawBufferPointer {
    /// The index at which `text` first occurs; `nil` where it does not.
    func position(of text: String) -> Int? {
        var text = text
        return text.withUTF8 { needle in
            var start = 0
            while start + needle.count <= count,
                let found = memchr(baseAddress! + start, Int32(needle[0]), count - start - needle.count + 1)
            {
                if memcmp(found, needle.baseAddress!, needle.count) == 0 {
                    return UnsafeRawPointer(found) - baseAddress!
                }
                start = UnsafeRawPointer(found) - baseAddress! + 1
            }
            return nil
        }
    }

    /// The letters, digits, `-` and `_` that follow the first `marker`.
    func word(after marker: String) -> String? {
        guard let position = position(of: marker) else { return nil }
        let word = self[(position + marker.utf8.count)...].prefix { byte in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 95: true
            default: false
            }
        }
        return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
    }
}
