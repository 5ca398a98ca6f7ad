/// The ends of lines in a text.
enum LineEnds {
    /// Puts LF for each CRLF and CR, in place.
    static func normalize(_ text: inout [UInt8]) {
        guard let first = text.firstPlace(of: 0x0D) else { return }
        let count = text.withUnsafeMutableBufferPointer { bytes in
            var (read, written) = (first, first)
            while read < bytes.count {
                let byte = bytes[read]
                bytes[written] = byte == 0x0D ? 0x0A : byte
                written += 1
                read += byte == 0x0D && read + 1 < bytes.count && bytes[read + 1] == 0x0A ? 2 : 1
            }
            return written
        }
        text.removeLast(text.count - count)
    }
}
