import AssetReaders
import CurlTransport

/// The ways to others. Each has threads, limits and a bound for answers of its own, so that a slow source keeps neither
/// the broker nor the embedder waiting.
struct Transports {
    /// To what callers choose the address of, and to sources' APIs.
    let sources: CurlTransport
    /// To the broker, and to the issuer of callers' tokens.
    let broker: CurlTransport
    let embedder: CurlTransport

    init(_ configuration: Configuration) {
        let settings = configuration.sources
        let workers = configuration.workers
        var sources = CurlTransport.Configuration(
            connectTimeout: settings.connectTimeout, timeout: settings.timeout,
            maxResponseBytes: settings.standard([], uploads: "").longestAnswer, allowInsecure: settings.allowInsecure,
            allowPrivateAddresses: settings.allowPrivateAddresses,
            userAgent: "CloakroomAssets/\(CloakroomAssets.version)")
        // A request's time runs while it waits for its turn.
        sources.maxConcurrent = min(max(64, workers.operations * workers.documents), 512)
        self.sources = CurlTransport(configuration: sources)
        broker = CurlTransport(
            configuration: Self.ofOperator(connect: settings.connectTimeout, timeout: configuration.broker.timeout))
        var embedder = Self.ofOperator(connect: settings.connectTimeout, timeout: max(settings.timeout, .seconds(60)))
        embedder.maxResponseBytes = OpenAIEmbedder.longestAnswer
        self.embedder = CurlTransport(configuration: embedder)
    }

    /// To addresses that the operator named: the configuration's reader has looked at their scheme, and no caller has a
    /// say in where they are.
    private static func ofOperator(connect: Duration, timeout: Duration) -> CurlTransport.Configuration {
        CurlTransport.Configuration(
            connectTimeout: connect, timeout: timeout, allowInsecure: true, allowPrivateAddresses: true,
            userAgent: "CloakroomAssets/\(CloakroomAssets.version)")
    }

    func shutdown() async {
        await sources.shutdown()
        await embedder.shutdown()
        await broker.shutdown()
    }
}
