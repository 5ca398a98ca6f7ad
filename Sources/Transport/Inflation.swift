import CZlib

/// Unpacks deflate's formats, within a bound.
package enum Inflation {
    /// The format around the deflated data.
    package enum Wrapping: Int32, Sendable {
        /// gzip or zlib (RFC 1952, RFC 1950), by zlib's number for either.
        case wrapped = 47
        /// None (RFC 1951).
        case bare = -15
    }

    /// The unpacked bytes; `nil` where it is no such stream, or one that breaks off. Throws `responseTooLarge` where
    /// they are more than `cap`.
    package static func unpacked(
        _ packed: [UInt8], _ wrapping: Wrapping, cap: Int
    ) throws(TransportError) -> [UInt8]? {
        // Doubled until it suffices: a small body costs little, and one that hides gigabytes no more than the cap.
        var capacity = min(max(packed.count * 8, 4096), cap)
        while true {
            var code: Int32 = -1
            let output = [UInt8](unsafeUninitializedCapacity: capacity) { output, written in
                code = czlib_inflate(
                    packed, packed.count, wrapping.rawValue, output.baseAddress, capacity, &written)
            }
            switch code {
            case 0: return output
            case 1 where capacity < cap: capacity = min(capacity * 2, cap)
            case 1: throw .responseTooLarge
            default: return nil
            }
        }
    }
}
