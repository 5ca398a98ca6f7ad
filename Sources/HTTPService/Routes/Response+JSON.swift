import HTTPTypes
package import Hummingbird
import NIOCore

extension Response {
    private static let jsonHeaders: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]

    /// 200 with JSON that is not to be kept.
    package static func json(_ value: some Encodable) -> Response {
        Response(status: .ok, headers: jsonHeaders, body: .json(value))
    }

    /// The same, of JSON that is written already.
    package static func json(_ bytes: [UInt8]) -> Response {
        Response(status: .ok, headers: jsonHeaders, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
