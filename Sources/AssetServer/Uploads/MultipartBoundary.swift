import Formats

/// The text between the parts of a multipart body.
struct MultipartBoundary: Equatable {
    let bytes: [UInt8]

    /// Reads the value of `Content-Type`. Throws unless it has one boundary of 1 to 70 characters that RFC 2046 § 5.1.1
    /// allows.
    init(contentType: String) throws(MultipartFault) {
        let parameters = HeaderParameters(contentType.utf8)
        guard let boundary = parameters["boundary"], (1...70).contains(boundary.count),
            boundary.allSatisfy(Self.isAllowed), boundary.last != 0x20
        else { throw .boundary }
        bytes = boundary
    }

    /// `bcharsnospace`, and the space.
    private static func isAllowed(_ byte: UInt8) -> Bool { byte.isASCIILetterOrDigit || marks.contains(byte) }

    private static let marks = Array("'()+_,-./:=? ".utf8)
}

/// The parameters of a field's value, such as `form-data; name="File"; filename="a.md"`, in the bytes that came.
struct HeaderParameters {
    /// The text before the first semicolon, in lower case.
    let value: String
    private var pairs: [(name: String, value: [UInt8])] = []

    init(_ field: some Collection<UInt8>) {
        var rest = Array(field)[...]
        value = Self.lowercased(rest.prefix { $0 != UInt8(ascii: ";") })
        rest = rest.drop { $0 != UInt8(ascii: ";") }
        while !rest.isEmpty {
            rest = rest.dropFirst()
            let name = rest.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ";") }
            rest = rest[name.endIndex...]
            guard rest.first == UInt8(ascii: "=") else { continue }
            rest = rest.dropFirst()
            let value = Self.takeValue(&rest)
            pairs.append((Self.lowercased(name), value))
        }
    }

    /// The value of a parameter; `nil` where it is absent, or comes twice: another reader may take the other one.
    subscript(name: String) -> [UInt8]? {
        let found = pairs.filter { $0.name.isExactly(name) }
        return found.count == 1 ? found[0].value : nil
    }

    /// A token or a quoted string (RFC 9110 § 5.6.4), up to the next semicolon.
    private static func takeValue(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
        rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
        guard rest.first == UInt8(ascii: "\"") else {
            let token = rest.prefix { $0 != UInt8(ascii: ";") }
            rest = rest[token.endIndex...]
            return Array(trimmed(token))
        }
        rest = rest.dropFirst()
        var value: [UInt8] = []
        while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
            // Only these two are ever escaped. A backslash before anything else is one: browsers of old sent paths.
            if byte == UInt8(ascii: "\\"), let next = rest.first, next == UInt8(ascii: "\"") || next == byte {
                value.append(next)
                rest = rest.dropFirst()
            } else {
                value.append(byte)
            }
        }
        rest = rest.drop { $0 != UInt8(ascii: ";") }
        return value
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes.drop { $0 == 0x20 || $0 == 0x09 }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes = bytes.dropLast() }
        return bytes
    }

    private static func lowercased(_ bytes: ArraySlice<UInt8>) -> String {
        HeaderValue.lowercased(String(decoding: trimmed(bytes), as: UTF8.self)[...].utf8)
    }
}
