import Assets
import Formats
import HTTPService
import HTTPTypes
import Hummingbird
import NIOCore

/// Receives one upload: the file goes to its folder as it arrives, and only the payload is held in memory.
///
/// Where something is wrong with the form, the rest of the body is read all the same and dropped, so that a client that
/// sends before it reads sees the answer.
struct FormReceiver {
    private enum Part {
        /// The file, if it is still wanted.
        case file
        case payload
        /// One that nobody asked for.
        case other
    }

    private let bounds: UploadBounds
    private let catalog: AssetCatalog
    private let uploads: any UploadStore
    private var reader: MultipartReader
    private var part = Part.other
    private var file: (writer: any UploadWriter, name: String, contentType: String, size: Int)?
    private var hasFile = false
    private var payload: [UInt8]?
    /// The first thing that was wrong; nothing is kept from then on.
    private var problem: Problem?

    private init(
        _ boundary: MultipartBoundary, _ bounds: UploadBounds, _ catalog: AssetCatalog, _ uploads: any UploadStore
    ) {
        reader = MultipartReader(boundary)
        self.bounds = bounds
        self.catalog = catalog
        self.uploads = uploads
    }

    /// The form of a request's body. Throws a `Problem`; nothing is in the folder then.
    static func form(
        of request: Request, _ bounds: UploadBounds, by catalog: AssetCatalog, into uploads: any UploadStore
    ) async throws -> ReceivedForm {
        var receiver = FormReceiver(try boundary(of: request), bounds, catalog, uploads)
        do {
            try await request.readBody(atMost: bounds.bodyBytes) { await receiver.receive($0) }
            return try await receiver.finish()
        } catch {
            await receiver.discard()
            throw error
        }
    }

    private static func boundary(of request: Request) throws -> MultipartBoundary {
        guard let type = request.headers[.contentType], HeaderValue.mediaType(type) == "multipart/form-data" else {
            throw Problem(
                status: .unsupportedMediaType, code: "unsupported_media_type",
                detail: "send the file as multipart/form-data (RFC 7578)")
        }
        do { return try MultipartBoundary(contentType: type) } catch { throw error.problem }
    }

    // MARK: the body

    private mutating func receive(_ piece: ByteBuffer) async {
        // The rest of a body that is refused.
        if problem != nil { return }
        do throws(Problem) {
            for event in try read(piece) { try await take(event) }
        } catch {
            problem = error
            await discard()
        }
    }

    private mutating func read(_ piece: ByteBuffer) throws(Problem) -> [MultipartReader.Event] {
        do { return try reader.read(piece.readableBytesView) } catch { throw error.problem }
    }

    private mutating func take(_ event: MultipartReader.Event) async throws(Problem) {
        switch event {
        case .part(let head): part = try await begin(head)
        case .content(let bytes):
            switch part {
            case .file: try await write(bytes)
            case .payload: try add(bytes)
            case .other: break
            }
        case .partEnd: part = .other
        }
    }

    private mutating func begin(_ head: PartHead) async throws(Problem) -> Part {
        guard let name = head.name else { return .other }
        if name.isExactly("file", inAnyCase: true) {
            try await begin(file: head)
            return .file
        }
        guard name.isExactly("payload", inAnyCase: true) else { return .other }
        guard payload == nil else { throw .invalidRequest("the part \"Payload\" comes twice") }
        payload = []
        return .payload
    }

    private mutating func begin(file head: PartHead) async throws(Problem) {
        guard !hasFile else { throw .invalidRequest("the part \"File\" comes twice; send each file by itself") }
        hasFile = true
        guard let name = head.fileName, !name.isEmpty, name.utf8.count <= BodyMembers.longestText else {
            throw .invalidRequest("the part \"File\" must have a \"filename\" of 1 to 2048 bytes")
        }
        guard let contentType = catalog.contentType(ofFile: name, declared: head.contentType) else {
            throw Problem(
                status: .unsupportedMediaType, code: "unsupported_media_type",
                detail: "files of this type are not read; assets/supportedTypes lists those that are")
        }
        let writer = try await kept { () throws(AssetStoreError) in try await uploads.begin() }
        // The charset is kept with the type: nothing else tells it when the file is read, now or on a refresh.
        file = (writer, name, contentType + (head.charset.map { "; charset=\($0)" } ?? ""), 0)
    }

    private mutating func write(_ bytes: [UInt8]) async throws(Problem) {
        guard let writer = file?.writer else { return }
        let size = (file?.size ?? 0) + bytes.count
        guard size <= bounds.fileBytes else { throw .fileTooLarge(most: bounds.fileBytes) }
        file?.size = size
        try await kept { () throws(AssetStoreError) in try await writer.append(bytes) }
    }

    private mutating func add(_ bytes: [UInt8]) throws(Problem) {
        guard (payload?.count ?? 0) + bytes.count <= UploadBounds.payloadBytes else {
            throw Problem(
                status: .contentTooLarge, code: "body_too_large",
                detail: "send a part \"Payload\" of at most \(UploadBounds.payloadBytes / 1024) KiB")
        }
        payload?.append(contentsOf: bytes)
    }

    // MARK: the end

    private mutating func finish() async throws(Problem) -> ReceivedForm {
        if let problem { throw problem }
        do { try reader.finish() } catch { throw error.problem }
        guard let file else { throw .invalidRequest("the part \"File\" is missing") }
        guard file.size > 0 else { throw .invalidRequest("the file is empty") }
        let (size, digest) = try await kept { () throws(AssetStoreError) in try await file.writer.end() }
        return ReceivedForm(
            upload: Upload(
                storedName: file.writer.storedName, fileName: file.name, contentType: file.contentType, size: size,
                digest: digest),
            payload: payload)
    }

    private mutating func discard() async {
        await file?.writer.discard()
        file = nil
    }
}

/// The most bytes of an upload.
public struct UploadBounds: Sendable {
    /// Of the file (`limits.uploadBytes`).
    public var fileBytes: Int

    public init(fileBytes: Int) { self.fileBytes = fileBytes }

    /// Of the part `Payload`, as of any JSON body.
    static let payloadBytes = 64 * 1024

    /// Of the whole body, which is read to here though the file may be too large long before.
    var bodyBytes: Int { 2 * fileBytes + 2 * Self.payloadBytes }
}

extension MultipartFault {
    var problem: Problem {
        switch self {
        case .boundary:
            .invalidRequest("the Content-Type must have one boundary of 1 to 70 characters (RFC 2046 § 5.1.1)")
        case .malformed: .invalidRequest("the body is not multipart/form-data (RFC 7578)")
        case .headTooLong:
            .invalidRequest("the head of a part must be at most \(MultipartReader.longestHead / 1024) KiB long")
        case .tooManyParts: .invalidRequest("send at most \(MultipartReader.mostParts) parts")
        case .cutShort: .invalidRequest("the body ends before its last boundary")
        }
    }
}

extension Problem {
    /// The connection goes on: the body was read to its end.
    fileprivate static func fileTooLarge(most: Int) -> Problem {
        Problem(
            status: .contentTooLarge, code: "body_too_large",
            detail: "send a file of at most \(most) bytes (limits.uploadBytes)")
    }
}
