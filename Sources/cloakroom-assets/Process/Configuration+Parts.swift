import AssetReaders
import AssetServer
import AssetStore
import Assets
import BrokerClient
import Daemon
import Formats
import Secrets
import Transport

// The parts of the process, as the operator wants them.

extension Configuration {
    var retry: RetryPolicy {
        RetryPolicy(attempts: sources.retry.attempts, base: sources.retry.base, longest: sources.retry.max)
    }

    var limits: IngestionLimits {
        IngestionLimits(
            operations: workers.operations, documents: workers.documents, maxDocuments: sources.maxDocuments,
            maxDocumentBytes: sources.maxDocumentBytes)
    }

    func readers(supportedTypes: [SupportedType], uploads: String) -> StandardSources.Configuration {
        var addresses: [String: StrictURL] = [:]
        addresses["google_drive"] = sources.addresses.googleDrive
        addresses["github"] = sources.addresses.github
        addresses["notion"] = sources.addresses.notion
        return StandardSources.Configuration(
            supportedTypes: supportedTypes, uploads: uploads, addresses: addresses,
            maxDocumentBytes: sources.maxDocumentBytes, retry: retry)
    }

    func brokerClient(_ transport: any HTTPTransport) -> BrokerClient {
        let authorization: BrokerAuthorization =
            switch broker.identity {
            case .signer(let signer, let issuer, let audience):
                .signing(signer, issuer: issuer, audience: audience, subject: "cloakroom-assets")
            case .tokenFile(let path): .tokenFile(path)
            }
        return BrokerClient(url: broker.url, transport: transport, authorization: authorization)
    }

    func embedders(_ transport: any HTTPTransport) -> [EmbeddingModel.Name: any Embedder] {
        let pairs = models.map { settings in
            let key = settings.apiKey.map { bytes in
                bytes.expose { APIKey(String(decoding: $0, as: UTF8.self)) }
            }
            let embedder: any Embedder = OpenAIEmbedder(
                settings.model, at: settings.url, key: key, transport: transport, retry: retry)
            return (settings.model.name, embedder)
        }
        return Dictionary(pairs) { first, _ in first }
    }

    func catalog(_ sourceTypes: [SourceType], _ supportedTypes: [SupportedType]) -> AssetCatalog {
        AssetCatalog(
            sourceTypes: sourceTypes, supportedTypes: supportedTypes, models: models.map(\.model),
            chunkSize: chunking.size, chunkOverlap: chunking.overlap)
    }

    /// Hands the database's path to `use`; what is wrong with it is told with the configuration's name.
    func database<Value>(_ use: (_ path: String) throws(OpeningError) -> Value) throws(Refusal) -> Value {
        do {
            return try use(storePath)
        } catch {
            throw Refusal("\(origin): storage.url: \(error.words)", hint: error.hint)
        }
    }
}

extension OpeningError {
    fileprivate var words: String {
        switch self {
        case .cannotCreate(let path, let reason): "\"\(path)\" cannot be made or written: \(reason)"
        case .notADatabase(let path): "\"\(path)\" is no SQLite database"
        case .corrupt(let path, let finding): "\"\(path)\" is damaged: \(finding)"
        case .anotherProgram(let path): "\"\(path)\" is another program's database"
        case .newer(let path): "\"\(path)\" was written by a newer version"
        case .inUse(let path): "\"\(path)\" is open in another process: one process has a database"
        case .notDurable(let path): "\"\(path)\" cannot be written durably"
        case .failed(let path, let reason): "\"\(path)\" cannot be opened: \(reason)"
        }
    }

    fileprivate var hint: String? {
        switch self {
        case .cannotCreate: "see that the folder is there and that the service's user may write in it"
        case .notADatabase, .anotherProgram: "name another file; this one was left as it is"
        case .corrupt: "restore it from a backup; it was left as it is"
        case .newer: "run that version; the file was left as it is"
        case .inUse: "stop the other process, or give each a database of its own"
        case .notDurable, .failed: nil
        }
    }
}
