import StoreParts

/// A value for a statement, in PostgreSQL's binary form: nothing is quoted, and nothing is parsed as text.
enum Parameter {
    case bool(Bool)
    case int(Int64?)
    case text(String?)
    case bytes([UInt8]?)
    case bools([Bool])
    case ints([Int64?])
    case texts([String?])
    case byteses([[UInt8]?])

    /// The types' object identifiers, which are the same in every server (`pg_type.dat`).
    private enum TypeID {
        static let bool: Int32 = 16
        static let bytea: Int32 = 17
        static let int8: Int32 = 20
        static let text: Int32 = 25
    }

    /// Appends the value; `false` for NULL.
    func encode(to bytes: inout [UInt8]) -> Bool {
        switch self {
        case .bool(let value): bytes.append(value ? 1 : 0)
        case .int(let value?): bytes.append(bigEndian: value)
        case .text(let value?): bytes.append(text: value)
        case .bytes(let value?): bytes += value
        case .int(nil), .text(nil), .bytes(nil): return false
        case .bools(let values):
            Self.encode(values, TypeID.bool, to: &bytes) { value, bytes in bytes.append(value ? 1 : 0) }
        case .ints(let values): Self.encode(values, TypeID.int8, to: &bytes) { $1.append(bigEndian: $0) }
        case .texts(let values): Self.encode(values, TypeID.text, to: &bytes) { $1.append(text: $0) }
        case .byteses(let values): Self.encode(values, TypeID.bytea, to: &bytes) { $1 += $0 }
        }
        return true
    }

    /// `array_recv`: dimensions, a flag, the elements' type; of the one dimension length and first index; then each
    /// element after its length, -1 for NULL.
    private static func encode<Value>(
        _ values: [Value?], _ type: Int32, to bytes: inout [UInt8], element: (Value, inout [UInt8]) -> Void
    ) {
        bytes.append(bigEndian: Int32(values.isEmpty ? 0 : 1))
        bytes.append(bigEndian: Int32(1))
        bytes.append(bigEndian: type)
        guard !values.isEmpty else { return }
        bytes.append(bigEndian: Int32(values.count))
        bytes.append(bigEndian: Int32(1))
        for value in values {
            guard let value else {
                bytes.append(bigEndian: Int32(-1))
                continue
            }
            let place = bytes.count
            bytes.append(bigEndian: Int32(0))
            element(value, &bytes)
            let length = UInt32(bytes.count - place - 4)
            for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * index)) }
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }

    /// PostgreSQL's text takes no NUL: it becomes U+FFFD, as an invalid byte does, rather than fail all that shares the
    /// transaction.
    fileprivate mutating func append(text: String) {
        let utf8 = text.utf8
        if utf8.contains(0) { append(contentsOf: text.withoutNUL.utf8) } else { append(contentsOf: utf8) }
    }
}
