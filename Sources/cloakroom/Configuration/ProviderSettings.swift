import Broker
import Catalog
import CurlTransport

/// The way to providers, and each caller's share of it.
extension ConfigurationReader {
    func provider() -> (transport: CurlTransport.Configuration, shares: ProviderShares) {
        let provider = section("provider")
        let transport = transport(provider)
        let shares = shares(provider)
        provider.finish()
        return (transport, shares)
    }

    private func transport(_ provider: YAMLReader) -> CurlTransport.Configuration {
        var transport = CurlTransport.Configuration()
        if let seconds = provider.integer("connectTimeout", in: 1...300) {
            transport.connectTimeout = .seconds(seconds)
        }
        if let seconds = provider.integer("timeout", in: 1...300) { transport.timeout = .seconds(seconds) }
        if let bytes = provider.integer("maxResponseBytes", in: 1024...(1 << 30)) { transport.maxResponseBytes = bytes }
        // What is neither true nor false has been said; the addresses that it decides about are not said again.
        transport.allowInsecure = provider.bool("allowInsecure") ?? provider.names.contains("allowInsecure")
        transport.allowPrivateAddresses = provider.bool("allowPrivateAddresses") ?? false
        if let file = provider.string("caFile") {
            transport.caFile = settings.absolute(file)
            _ = contents(file, of: "caFile", in: provider, wanted: "certificate authorities in PEM")
        }
        return transport
    }

    private func shares(_ provider: YAMLReader) -> ProviderShares {
        var shares = ProviderShares()
        if let calls = provider.integer("callsPerTenant", in: 1...shares.inAll) { shares.perTenant = calls }
        if let calls = provider.integer("callsPerHost", in: 1...shares.inAll) { shares.perHost = calls }
        return shares
    }
}
