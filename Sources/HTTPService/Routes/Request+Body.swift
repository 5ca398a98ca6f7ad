import Formats
import Foundation
import HTTPTypes
package import Hummingbird
import NIOCore

extension Request {
    static let largestBody = 64 * 1024

    /// The decoder refuses what is beyond 64 bits.
    private var announcedLength: UInt64? { headers[.contentLength].flatMap { UInt64($0) } }

    /// Refuses a body that will be too large before any of it is read.
    func checkLength() throws {
        if let length = announcedLength, length > UInt64(Self.largestBody) { throw Problem.bodyTooLarge }
    }

    /// A body that no handler will look at, though only its end tells whether it is one.
    var hasUnreadChunks: Bool {
        method != .post && method != .put && headers.contains(.transferEncoding)
    }

    /// The whole body; throws `Problem.bodyTooLarge` above 64 KiB, `Problem.bodyBroken` where it does not arrive whole.
    func wholeBody() async throws -> ByteBuffer {
        let whole: ByteBuffer
        do {
            whole = try await body.collect(upTo: Self.largestBody)
        } catch is NIOTooManyBytesError {
            throw Problem.bodyTooLarge
        } catch {
            // Malformed chunks, a peer that went away or was too slow: whatever it was, it was the peer.
            throw Problem.bodyBroken
        }
        if let length = announcedLength, length != UInt64(whole.readableBytes) { throw Problem.bodyBroken }
        return whole
    }

    /// The body as JSON. A name that comes twice is refused: a proxy before us may have read the other. Throws a
    /// `Problem`, also for another media type, or what `wholeBody` throws.
    package func json() async throws -> JSONBody {
        guard mediaType == "application/json" else { throw Problem.unsupportedMediaType("application/json") }
        return try JSONBody(try await wholeBody())
    }

    /// The body as JSON of a known form. Unknown members are ignored.
    package func json<Value: Decodable>(_: Value.Type) async throws -> Value {
        try await json().decoded(as: Value.self)
    }

    /// The body as `application/x-www-form-urlencoded`, still encoded, in the bytes that came.
    package func form() async throws -> [UInt8] {
        guard mediaType == "application/x-www-form-urlencoded" else {
            throw Problem.unsupportedMediaType("application/x-www-form-urlencoded")
        }
        return Array(try await wholeBody().readableBytesView)
    }

    private var mediaType: String? {
        let given = headers[.contentType]
        // As nearly everyone writes it.
        if given == "application/json" { return given }
        return given.map(HeaderValue.mediaType)
    }
}
