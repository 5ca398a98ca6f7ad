import Broker
import Formats
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

extension Request {
    static let largestBody = 64 * 1024

    private var announcedLength: Int? { headers[.contentLength].flatMap { Int($0) } }

    /// Refuses a body that will be too large before any of it is read, and one that no handler will look at where
    /// only its end tells that.
    func checkBody() async throws {
        if let length = announcedLength, length > Self.largestBody { throw Problem.bodyTooLarge }
        guard headers.contains(.transferEncoding), method != .post, method != .put else { return }
        _ = try await wholeBody()
    }

    /// The whole body; throws `Problem.bodyTooLarge` above 64 KiB, `Problem.bodyBroken` where it does not arrive whole.
    private func wholeBody() async throws -> ByteBuffer {
        let whole: ByteBuffer
        do {
            whole = try await body.collect(upTo: Self.largestBody)
        } catch is NIOTooManyBytesError {
            throw Problem.bodyTooLarge
        } catch {
            // Malformed chunks, a peer that went away or was too slow: whatever it was, it was the peer.
            throw Problem.bodyBroken
        }
        if let length = announcedLength, length != whole.readableBytes { throw Problem.bodyBroken }
        return whole
    }

    /// The body as JSON. Unknown members are ignored, but for a name that comes twice: whoever stands before us may
    /// have read the other.
    ///
    /// - Parameter quick: a cheaper way to read what is written as expected. What it does not take, the decoder
    ///   reads, or names what is wrong.
    func json<Value: Decodable>(
        _: Value.Type, quick: (([String: JSONValue]) -> Value?)? = nil
    ) async throws -> Value {
        guard mediaType == "application/json" else { throw Problem.unsupportedMediaType("application/json") }
        let body = try await wholeBody()
        let document: JSONValue
        do {
            document = try StrictJSON.value(Array(body.readableBytesView))
        } catch {
            throw Problem.invalidRequest(
                error == .memberRepeated ? "a member comes twice in one object" : "the body is not JSON in UTF-8")
        }
        if let quick, case .object(let members) = document, let value = quick(members) { return value }
        if let value = document as? Value { return value }
        do {
            return try document.decoded(as: Value.self)
        } catch let error as DecodingError {
            throw Problem.invalidRequest(Self.sentence(error))
        }
    }

    /// The body as `application/x-www-form-urlencoded`, still encoded.
    func form() async throws -> String {
        guard mediaType == "application/x-www-form-urlencoded" else {
            throw Problem.unsupportedMediaType("application/x-www-form-urlencoded")
        }
        return String(buffer: try await wholeBody())
    }

    private var mediaType: String? {
        let given = headers[.contentType]
        // As nearly everyone writes it.
        if given == "application/json" { return given }
        return given.map(HeaderValue.mediaType)
    }

    /// Names the member, never its value.
    private static func sentence(_ error: DecodingError) -> String {
        let place = { (path: [any CodingKey]) in
            path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context):
            return "the member \"\(place(context.codingPath + [key]))\" is missing"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            let wanted =
                switch type {
                case is String.Type: "text"
                case is any Collection.Type: "a list or an object"
                default: "another type"
                }
            if context.codingPath.isEmpty { return "the body must be a JSON object" }
            return "the member \"\(place(context.codingPath))\" must be \(wanted)"
        case .dataCorrupted: return "the body is not JSON in UTF-8"
        @unknown default: return "the body is not what this call takes"
        }
    }

    var query: QueryParameters { QueryParameters(uri.query) }

    /// Tells whether a browser only fetches ahead, or fetches a part of some page, so that nothing may be spent on it.
    var isPrefetch: Bool {
        let purposes = [headers[.secPurpose], headers[.purpose], headers[.xPurpose], headers[.xMoz]]
        if purposes.contains(where: { HeaderValue.mentions("prefetch", $0) || HeaderValue.mentions("preview", $0) }) {
            return true
        }
        // A navigation has `document` or a frame, and a script's own request `empty` (Fetch Metadata § 2.1).
        return headers[.secFetchDest].map { Self.partsOfPages.contains(exactly: $0) } ?? false
    }

    private static let partsOfPages = [
        "audio", "audioworklet", "embed", "font", "image", "manifest", "object", "paintworklet", "script",
        "serviceworker", "sharedworker", "style", "track", "video", "worker",
    ]

    func cookie(_ name: String) -> String? {
        for line in headers[values: .cookie] {
            if let value = HeaderValue.cookie(name, in: line) { return value }
        }
        return nil
    }
}
