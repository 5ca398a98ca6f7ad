import Formats
import HTTPService
import Hummingbird
import NIOCore

extension Request {
    /// The body as a JSON object, and as it came.
    func jsonWithBytes() async throws -> (bytes: [UInt8], members: [String: JSONValue]) {
        try checkMediaType()
        let bytes = Array(try await wholeBody().readableBytesView)
        return (bytes, try JSONBody(bytes).members)
    }

    /// The same of a body that may be missing: then it has no members, whatever its type.
    func optionalJSONWithBytes() async throws -> (bytes: [UInt8], members: [String: JSONValue]) {
        let bytes = Array(try await wholeBody().readableBytesView)
        guard !bytes.isEmpty else { return ([], [:]) }
        try checkMediaType()
        return (bytes, try JSONBody(bytes).members)
    }
}
