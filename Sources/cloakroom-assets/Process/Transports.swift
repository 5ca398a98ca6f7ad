import AssetReaders
import CurlTransport
import Transport

/// The ways to others, each with the bounds and permissions that it needs. libcurl's connections are not shared between
/// them.
struct Transports {
    /// To addresses that callers choose: public ones, unless configured.
    let web: CurlTransport
    /// To the configured addresses of sources' APIs.
    let api: CurlTransport
    let broker: CurlTransport
    let embedder: CurlTransport

    /// - Parameter longestAnswer: of sources, in bytes.
    init(_ configuration: Configuration, longestAnswer: Int) {
        var sources = CurlTransport.Configuration()
        sources.connectTimeout = configuration.sources.connectTimeout
        sources.timeout = configuration.sources.timeout
        sources.allowInsecure = configuration.sources.allowInsecure
        sources.allowPrivateAddresses = configuration.sources.allowPrivateAddresses
        sources.maxResponseBytes = longestAnswer
        sources.userAgent = "CloakroomAssets"
        web = CurlTransport(configuration: sources)
        api = CurlTransport(configuration: sources)
        var services = sources
        // The operator's own choice of address, which may well be in a private network.
        services.allowPrivateAddresses = true
        services.allowInsecure = true
        services.maxResponseBytes = OpenAIEmbedder.longestAnswer
        embedder = CurlTransport(configuration: services)
        services.timeout = configuration.broker.timeout
        services.maxResponseBytes = 4 << 20
        broker = CurlTransport(configuration: services)
    }

    func shutdown() async {
        for transport in [web, api, embedder, broker] { await transport.shutdown() }
    }
}
