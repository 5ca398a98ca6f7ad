import AssetReaders
import AssetServer
import AssetStore
import Assets
import BrokerClient
import Daemon
import Formats
import HTTPService
import JOSE
import Logging
import Secrets
import Transport

// The parts of the process, each as the configuration wants it.

extension Configuration {
    func store(_ metrics: AssetMetrics, _ logger: Logger) throws(Refusal) -> SQLiteAssetStore {
        try database { path throws(OpeningError) in
            try SQLiteAssetStore(path: path) { [store = metrics.store] event in
                switch event {
                case .committed(let operations, let duration): store.committed(operations, in: duration)
                case .failed: store.failed()
                case .refused: store.refused()
                case .notClosed(let reason):
                    logger.error("the database was not closed as it should be", metadata: ["reason": "\(reason)"])
                }
            }
        }
    }

    /// Reads sources of all types, uploads from the folder beside the database.
    func readers(
        of extractor: DocumentTextExtractor, _ metrics: AssetMetrics, _ transports: Transports
    ) -> StandardSources {
        StandardSources(
            sources.standard(extractor.supportedTypes, uploads: uploadsPath),
            web: metrics.measuring(transports.sources, to: .web), api: metrics.measuring(transports.sources, to: .api))
    }

    func catalog(_ readers: StandardSources, _ extractor: DocumentTextExtractor) -> AssetCatalog {
        AssetCatalog(
            sourceTypes: readers.sourceTypes, supportedTypes: extractor.supportedTypes, models: models.map(\.model),
            chunkSize: chunking.size, chunkOverlap: chunking.overlap)
    }

    func tokens(
        in store: SQLiteAssetStore, by broker: BrokerClient, _ logger: Logger
    ) -> @Sendable (Ingestion) -> (any AccessTokenSource)? {
        let tokens = AssetTokens(
            store: store, keyRing: keyRing, broker: broker, retry: sources.retryPolicy, logger: logger)
        return { tokens.source(of: $0.asset) }
    }

    /// One for each model.
    func embedders(
        _ metrics: AssetMetrics, _ transports: Transports
    ) -> @Sendable (EmbeddingModel.Name) -> (any Embedder)? {
        let transport = metrics.measuring(transports.embedder, to: .embedder)
        let embedders = models.map { settings in
            OpenAIEmbedder(
                settings.model, at: settings.url,
                key: settings.apiKey.flatMap { key in key.expose { APIKey(file: $0) } },
                transport: transport, retry: sources.retryPolicy)
        }
        let all = Dictionary(uniqueKeysWithValues: zip(models.map(\.model.name), embedders))
        return { all[$0] }
    }

    func verifier(_ metrics: AssetMetrics, _ transports: Transports, _ logger: Logger) -> BearerTokenVerifier {
        let source: KeySource =
            switch callerKeys {
            case .fixed(let keys): .fixed(keys)
            case .address(let url): .address(url, transports.broker)
            }
        return BearerTokenVerifier(
            rules: rules, keys: source, factory: metrics.registry, now: { .now }, tell: { logger.write($0) })
    }

    var allows: @Sendable (Origin) -> Bool { { [origins] origin in origins.contains { $0.matches(origin) } } }

    var ingestionLimits: IngestionLimits {
        IngestionLimits(
            operations: workers.operations, documents: workers.documents, maxDocuments: sources.maxDocuments,
            maxDocumentBytes: sources.maxDocumentBytes)
    }
}

extension SourceSettings {
    var retryPolicy: RetryPolicy { RetryPolicy(attempts: retry.attempts, base: retry.base, longest: retry.max) }

    func standard(_ supportedTypes: [SupportedType], uploads: String) -> StandardSources.Configuration {
        let addresses = [
            "google_drive": addresses.googleDrive, "github": addresses.github, "notion": addresses.notion,
        ]
        return StandardSources.Configuration(
            supportedTypes: supportedTypes, uploads: uploads, addresses: addresses.compactMapValues { $0 },
            maxDocumentBytes: maxDocumentBytes, retry: retryPolicy)
    }
}

extension BrokerSettings {
    func client(by transport: any HTTPTransport) -> BrokerClient {
        let authorization: BrokerAuthorization =
            switch identity {
            case .signer(let signer, let issuer, let audience):
                .signing(signer, issuer: issuer, audience: audience, subject: "cloakroom-assets")
            case .tokenFile(let path): .tokenFile(path)
            }
        return BrokerClient(url: url, transport: transport, authorization: authorization)
    }
}

extension Logger {
    fileprivate func write(_ outage: IssuerOutage) {
        switch outage {
        case .staleKeys(let fault):
            warning(
                "callers' keys cannot be fetched, and the earlier ones are used",
                metadata: ["reason": "auth.jwksURL: \(fault.words)"])
        case .keysMissing(let fault):
            error("callers' keys cannot be fetched", metadata: ["reason": "auth.jwksURL: \(fault.words)"])
        }
    }
}

extension RemoteKeySet.Fault {
    fileprivate var words: String {
        switch self {
        case .transport(let error): error.words
        case .status(let status): "answered \(status)"
        case .malformed: "the answer is no key set (RFC 7517)"
        }
    }
}
