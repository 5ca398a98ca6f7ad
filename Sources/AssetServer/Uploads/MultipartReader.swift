/// Reads `multipart/form-data` (RFC 7578) as it arrives, piece by piece. Keeps no more than a part's head, or as many
/// bytes of content as might begin a delimiter.
///
/// RFC 2046 § 5.1.1: a delimiter is CRLF, `--` and the boundary. No boundary has a CR, so each byte is compared once.
struct MultipartReader {
    enum Event: Equatable {
        /// A part begins.
        case part(PartHead)
        /// The next bytes of its content.
        case content([UInt8])
        /// It is whole.
        case partEnd
    }

    private enum State {
        /// Before the first delimiter: what stands there counts for nothing.
        case preamble
        /// Behind a delimiter, whose line may have white space at its end.
        case delimiterLine
        case head
        case content
        /// Behind the last delimiter: what stands there counts for nothing.
        case epilogue
    }

    /// A part's head, its fields and the empty line.
    static let longestHead = 8 * 1024
    /// The white space that may stand behind a boundary.
    private static let longestPadding = 128
    /// Parts that nobody asked for are passed over, up to here.
    static let mostParts = 32

    private let delimiter: [UInt8]
    private var state = State.preamble
    /// What has arrived and is not told. The first delimiter needs no line end before it: one is thought there.
    private var pending: [UInt8] = [0x0D, 0x0A]
    private var parts = 0
    /// The bytes of the head that arrives which were looked through for its end.
    private var searched = 0

    /// - Parameter boundary: as `Content-Type` has it (`MultipartBoundary`).
    init(_ boundary: MultipartBoundary) {
        delimiter = [0x0D, 0x0A, 0x2D, 0x2D] + boundary.bytes
    }

    /// Takes the next piece of the body.
    mutating func read(_ bytes: some Sequence<UInt8>) throws(MultipartFault) -> [Event] {
        if case .epilogue = state { return [] }
        pending += bytes
        var events: [Event] = []
        var position = 0
        while try step(&position, &events) {}
        pending.removeFirst(position)
        return events
    }

    /// Throws where the body ended before its last delimiter.
    func finish() throws(MultipartFault) {
        guard case .epilogue = state else { throw .cutShort }
    }

    /// One step on from `position`; false where more bytes are needed.
    private mutating func step(_ position: inout Int, _ events: inout [Event]) throws(MultipartFault) -> Bool {
        switch state {
        case .preamble:
            let found = Self.find(delimiter, in: pending, from: position)
            position = found.end
            if found.isWhole { state = .delimiterLine }
            return found.isWhole
        case .delimiterLine: return try endLine(&position)
        case .head:
            guard let head = try head(&position) else { return false }
            events.append(.part(head))
            state = .content
            return true
        case .content:
            let found = Self.find(delimiter, in: pending, from: position)
            if found.start > position { events.append(.content(Array(pending[position..<found.start]))) }
            position = found.end
            guard found.isWhole else { return false }
            events.append(.partEnd)
            state = .delimiterLine
            return true
        case .epilogue:
            position = pending.count
            return false
        }
    }
}

// MARK: delimiters

extension MultipartReader {
    /// The first delimiter, or the place where one may begin. `end` is behind it, or the same place as `start`.
    private static func find(
        _ delimiter: [UInt8], in bytes: [UInt8], from start: Int
    ) -> (start: Int, end: Int, isWhole: Bool) {
        bytes.withUnsafeBufferPointer { bytes in
            var place = start
            while place < bytes.count {
                guard let candidate = bytes[place...].firstIndex(of: 0x0D) else { break }
                var length = 1
                while length < delimiter.count, candidate + length < bytes.count,
                    bytes[candidate + length] == delimiter[length]
                { length += 1 }
                if length == delimiter.count { return (candidate, candidate + length, true) }
                if candidate + length == bytes.count { return (candidate, candidate, false) }
                // What was equal has no other CR.
                place = candidate + length
            }
            return (bytes.count, bytes.count, false)
        }
    }

    /// The rest of a delimiter's line: `--` after the last one, else white space and the line's end.
    private mutating func endLine(_ position: inout Int) throws(MultipartFault) -> Bool {
        let rest = pending[position...]
        guard rest.count >= 2 else { return false }
        if rest.starts(with: [0x2D, 0x2D]) {
            state = .epilogue
            return true
        }
        let padding = rest.prefix { $0 == 0x20 || $0 == 0x09 }.count
        guard padding <= Self.longestPadding else { throw .malformed }
        let end = rest.dropFirst(padding).prefix(2)
        guard end.elementsEqual([0x0D, 0x0A].prefix(end.count)) else { throw .malformed }
        guard end.count == 2 else { return false }
        parts += 1
        guard parts <= Self.mostParts else { throw .tooManyParts }
        position += padding + 2
        state = .head
        return true
    }
}

// MARK: heads

extension MultipartReader {
    /// The head, once its empty line is there.
    private mutating func head(_ position: inout Int) throws(MultipartFault) -> PartHead? {
        let rest = pending[position...].prefix(Self.longestHead)
        // The empty line may have begun in what was looked through: however small the pieces, each byte costs the same.
        let known = max(searched - 3, 0)
        // No field at all: the empty line comes at once.
        let length =
            rest.starts(with: [0x0D, 0x0A]) ? 2 : Self.emptyLine(rest.dropFirst(known)).map { known + $0 }
        guard let length else {
            guard rest.count < Self.longestHead else { throw .headTooLong }
            searched = rest.count
            return nil
        }
        searched = 0
        let head = try PartHead(rest.prefix(length))
        position += length
        return head
    }

    /// The number of bytes up to the end of the first empty line.
    private static func emptyLine(_ bytes: ArraySlice<UInt8>) -> Int? {
        var matched = 0
        let wanted: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
        for (index, byte) in bytes.enumerated() {
            matched = byte == wanted[matched] ? matched + 1 : byte == 0x0D ? 1 : 0
            if matched == 4 { return index + 1 }
        }
        return nil
    }
}

/// A reason why a body is not `multipart/form-data`.
enum MultipartFault: Error, Equatable {
    /// The media type has no boundary, or none that RFC 2046 § 5.1.1 allows.
    case boundary
    /// Something else than a line's end follows a boundary, or a part's head is none.
    case malformed
    case headTooLong
    case tooManyParts
    /// The last delimiter is missing.
    case cutShort
}
