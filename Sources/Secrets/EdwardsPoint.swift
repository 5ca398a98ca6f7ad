/// Encoded points of Ed25519 and Ed448 (RFC 8032 § 5.1.2, § 5.2.2).
enum EdwardsPoint {
    /// Tells whether a point has an order of 8 or less: as a public key it fits signatures that need no private key,
    /// and libcrypto takes it.
    static func isOfSmallOrder(_ encoded: [UInt8]) -> Bool {
        guard let last = encoded.last else { return false }
        // The uppermost bit is the sign of x, and both x of a y have the same order.
        let y = encoded.dropLast() + [last & 0x7F]
        return smallOrder.contains { $0.elementsEqual(y) }
    }

    /// The y of these points, little endian: 0, 1, -1 and, on Curve25519, the two of order 8. 0 and 1 also as p and
    /// p + 1: libcrypto reduces what is not below p = 2^255 - 19.
    private static let smallOrder: [[UInt8]] = [
        bytes((0x00, 32)), bytes((0x01, 1), (0x00, 31)), bytes((0xEC, 1), (0xFF, 30), (0x7F, 1)),
        [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0,
            0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
        ],
        [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F,
            0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
        ],
        bytes((0xED, 1), (0xFF, 30), (0x7F, 1)), bytes((0xEE, 1), (0xFF, 30), (0x7F, 1)),
        // Ed448, p = 2^448 - 2^224 - 1.
        bytes((0x00, 57)), bytes((0x01, 1), (0x00, 56)), bytes((0xFE, 1), (0xFF, 27), (0xFE, 1), (0xFF, 27), (0x00, 1)),
        bytes((0xFF, 28), (0xFE, 1), (0xFF, 27), (0x00, 1)), bytes((0x00, 28), (0xFF, 28), (0x00, 1)),
    ]

    private static func bytes(_ runs: (byte: UInt8, count: Int)...) -> [UInt8] {
        runs.flatMap { Array(repeating: $0.byte, count: $0.count) }
    }
}
