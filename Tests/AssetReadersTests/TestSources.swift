import Assets
import Formats
import Foundation
import Secrets
import Transport

@testable import AssetReaders

/// Readers over a scripted transport, with a clock that stands and waits that are only noted down.
final class TestSources: Sendable {
    static let now = Timestamp(milliseconds: 1_800_000_000_000)

    static let supportedTypes = [
        SupportedType(contentType: "text/plain", extensions: [".txt"], description: "Plain text"),
        SupportedType(contentType: "text/markdown", extensions: [".md"], description: "Markdown"),
        SupportedType(contentType: "text/html", extensions: [".html", ".htm"], description: "Web page"),
        SupportedType(contentType: "text/csv", extensions: [".csv"], description: "Table"),
        SupportedType(contentType: "application/pdf", extensions: [".pdf"], description: "PDF"),
    ]

    let transport: ScriptedTransport
    private let waits = Locked<[Duration]>([])

    init(_ transport: ScriptedTransport = ScriptedTransport()) {
        self.transport = transport
    }

    /// The waits so far, in order.
    var waited: [Duration] { waits.withLock { $0 } }

    var waiting: Waiting {
        Waiting(
            now: { Self.now }, random: { 0 },
            pause: { [self] (duration) async throws(CancellationError) in
                if Task.isCancelled { throw CancellationError() }
                waits.withLock { $0.append(duration) }
            })
    }

    func client(_ retry: RetryPolicy = RetryPolicy(), gate: HostGate? = nil) -> SourceClient {
        SourceClient(transport: transport, retry: retry, waiting: waiting, gate: gate)
    }

    func sources(maxDocumentBytes: Int = 1 << 20, uploads: String = "/nonexistent") -> StandardSources {
        let configuration = StandardSources.Configuration(
            supportedTypes: Self.supportedTypes, uploads: uploads, maxDocumentBytes: maxDocumentBytes)
        return StandardSources(configuration, web: transport, api: transport, waiting: waiting)
    }

    /// The reader of a source; throws where there is none.
    func reader(
        _ type: String, _ parameters: [String: ParameterValue], tokens: (any AccessTokenSource)? = nil,
        upload: Upload? = nil, linked: [LinkedItem] = [], maxDocumentBytes: Int = 1 << 20,
        uploads: String = "/nonexistent"
    ) throws -> any SourceReader {
        struct NoReader: Error {}
        let sources = sources(maxDocumentBytes: maxDocumentBytes, uploads: uploads)
        guard let ingestion = Self.ingestion(type, parameters, upload, linked),
            let reader = sources.reader(for: ingestion, tokens: tokens)
        else { throw NoReader() }
        return reader
    }

    static func ingestion(
        _ type: String, _ parameters: [String: ParameterValue], _ upload: Upload? = nil, _ linked: [LinkedItem] = []
    ) -> Ingestion? {
        guard let tenant = TenantID("acme") else { return nil }
        let (asset, source) = (
            AssetID(UUID()), Asset.Source(type: type, parameters: parameters, hasCredentials: false)
        )
        return Ingestion(
            operation: AssetOperation(
                id: OperationID(UUID()), asset: asset, tenant: tenant, kind: .create, createdAt: now, updatedAt: now,
                model: nil, createdBy: nil),
            asset: Asset(
                id: asset, tenant: tenant, displayName: "x", source: source,
                embedding: EmbeddingSettings(model: nil, chunkSize: 512, chunkOverlap: 64), createdAt: now,
                modifiedAt: now, createdBy: nil),
            upload: upload, isForced: false, chosen: nil, linked: linked)
    }
}

/// A listing that was read to its end, with all that its items led to.
struct Reading {
    var listed: [SourceItem] = []
    var outcomes: [String: ItemReading.Outcome] = [:]
    var faults: [String: SourceFault] = [:]
    /// In the order in which they were read.
    var keys: [String] = []
    var isComplete = true
    var keepsVanished = false

    /// Reads as the ingestion does, one item after the other.
    ///
    /// - Parameter versions: those of the last reading.
    init(of reader: any SourceReader, since versions: [String: ItemVersion] = [:]) async throws(SourceFault) {
        var cursor: ListingCursor?
        repeat {
            let page = try await reader.list(after: cursor)
            listed += page.items
            isComplete = isComplete && !page.isIncomplete
            keepsVanished = keepsVanished || page.keepsVanished
            cursor = page.next
        } while cursor != nil
        var queue = listed[...]
        var known = Set(listed.map(\.key))
        while let item = queue.popFirst() {
            keys.append(item.key)
            do throws(SourceFault) {
                let reading = try await reader.read(item, since: versions[item.key])
                outcomes[item.key] = reading.outcome
                isComplete = isComplete && !reading.isIncomplete
                queue += reading.found.filter { known.insert($0.key).inserted }
            } catch {
                if item.isWholeSource { throw error }
                faults[item.key] = error
            }
        }
    }

    /// The text of each document that was read.
    var texts: [String: String] {
        outcomes.compactMapValues { outcome in
            if case .content(let content, _) = outcome { String(decoding: content.bytes, as: UTF8.self) } else { nil }
        }
    }

    /// The versions that a store would keep.
    var versions: [String: ItemVersion] {
        outcomes.compactMapValues { outcome in
            switch outcome {
            case .content(_, let version): version
            case .unchanged(let version): version
            case .absent: nil
            }
        }
    }

    var unchanged: [String] {
        outcomes.filter { if case .unchanged = $0.value { true } else { false } }.keys.sorted()
    }

    var absent: [String] {
        outcomes.filter { if case .absent = $0.value { true } else { false } }.keys.sorted()
    }
}

/// The fault that a call ends with; `nil` where it ends well.
func fault<Value>(of body: () async throws(SourceFault) -> Value) async -> SourceFault? {
    do throws(SourceFault) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}

/// Tokens of one asset, counted.
final class TestTokens: AccessTokenSource {
    private let state: Locked<(tokens: [String], refused: [String])>

    /// - Parameter tokens: the first is the current one, each further one a refresh.
    init(_ tokens: String...) {
        state = Locked((tokens, []))
    }

    /// The tokens that were told to be refused.
    var refused: [String] { state.withLock { $0.refused } }

    func token() async throws(SourceFault) -> AccessToken { AccessToken(state.withLock { $0.tokens[0] }) }

    func token(inPlaceOf refused: AccessToken) async throws(SourceFault) -> AccessToken {
        let next = state.withLock { state -> String? in
            state.refused.append(refused.expose { $0 })
            if state.tokens.count > 1 { state.tokens.removeFirst() } else { return nil }
            return state.tokens[0]
        }
        guard let next else { throw .reauthorizationRequired }
        return AccessToken(next)
    }
}
