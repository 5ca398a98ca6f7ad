import HTTPTypes
import Secrets

/// The id of a request, by which its answer, its log lines and its events are found.
enum RequestID {
    /// The caller's id if it is sane, up to 64 of letters, digits, `.`, `_`, `-`; else a new one.
    static func of(_ headers: HTTPFields) -> String {
        if let given = headers[.requestID], (1...64).contains(given.utf8.count), given.utf8.allSatisfy(isSane) {
            return given
        }
        return random()
    }

    static func random() -> String { Base64URL.encode(Random.bytes(12)) }

    private static func isSane(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }
}
