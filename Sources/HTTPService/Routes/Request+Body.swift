import Formats
import Foundation
import HTTPTypes
package import Hummingbird
package import NIOCore

extension Request {
    /// Of most routes.
    package static let largestBody = 64 * 1024

    /// The decoder refuses what is beyond 64 bits.
    private var announcedLength: UInt64? { headers[.contentLength].flatMap { UInt64($0) } }

    /// Refuses a body that will be too large before any of it is read.
    func checkLength(_ largest: Int) throws {
        if let length = announcedLength, length > UInt64(largest) { throw Problem.bodyTooLarge(most: largest) }
    }

    /// A body that no handler will look at, though only its end tells whether it is one.
    var hasUnreadChunks: Bool {
        method != .post && method != .put && method != .patch && headers.contains(.transferEncoding)
    }

    /// The pieces of a body that is read as it comes. Throws `Problem.bodyTooLarge` beyond `largest`, `Problem.bodyBroken`
    /// where it does not arrive whole, and what `use` throws.
    package func readBody(atMost largest: Int, _ use: (ByteBuffer) async throws -> Void) async throws {
        var count = 0
        var pieces = body.makeAsyncIterator()
        while let piece = try await Self.next(&pieces) {
            count += piece.readableBytes
            guard count <= largest else { throw Problem.bodyTooLarge(most: largest) }
            try await use(piece)
        }
        if let length = announcedLength, length != UInt64(count) { throw Problem.bodyBroken }
    }

    private static func next(_ pieces: inout RequestBody.AsyncIterator) async throws -> ByteBuffer? {
        do { return try await pieces.next(isolation: #isolation) } catch { throw Problem.bodyBroken }
    }

    /// The whole body; throws `Problem.bodyTooLarge` above 64 KiB, `Problem.bodyBroken` where it does not arrive whole.
    package func wholeBody() async throws -> ByteBuffer {
        let whole: ByteBuffer
        do {
            whole = try await body.collect(upTo: Self.largestBody)
        } catch is NIOTooManyBytesError {
            throw Problem.bodyTooLarge(most: Self.largestBody)
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
        try checkMediaType()
        return try JSONBody(try await wholeBody())
    }

    /// The body as JSON of a known form. Unknown members are ignored.
    package func json<Value: Decodable>(_: Value.Type) async throws -> Value {
        try await json().decoded(as: Value.self)
    }

    /// Throws `unsupported_media_type` where the body is said to be anything but JSON.
    package func checkMediaType() throws {
        guard mediaType == "application/json" else { throw Problem.unsupportedMediaType("application/json") }
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
