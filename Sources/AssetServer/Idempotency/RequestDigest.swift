import Formats
import HTTPTypes
import Secrets

/// The digest by which a request is known again: of its method, its path and its body.
enum RequestDigest {
    /// - Parameters:
    ///   - path: without the query, which none of these calls reads.
    ///   - parts: of the body. Each counts with its length, so that no two lists of parts are the same bytes.
    static func of(_ method: HTTPRequest.Method, _ path: String, _ parts: [[UInt8]]) -> Digest {
        var bytes: [UInt8] = []
        for part in [Array(method.rawValue.utf8), Array(path.utf8)] + parts {
            bytes += Array("\(part.count):".utf8)
            bytes += part
        }
        return Digest(of: bytes)
    }
}
