import Broker
import Catalog
import CurlTransport
import Daemon
import Formats
import Foundation
import Secrets
import StrictYAML

/// An address with a user before the host, as people write proxies (RFC 3986 § 3.2.1).
private struct ProxyAddress {
    let origin: Origin
    let user: String?
    var hasPassword = false

    init?(_ text: String) {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        var rest = parts[1]
        if let at = rest.lastIndex(of: "@") {
            let information = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            hasPassword = information.count == 2
            guard let user = information.first?.removingPercentEncoding, !user.isEmpty,
                user.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ":") })
            else { return nil }
            self.user = user
            rest = rest[rest.index(after: at)...]
        } else {
            user = nil
        }
        guard let url = StrictURL("\(parts[0])://\(rest)"), url.rest.isEmpty || url.rest == "/" else { return nil }
        origin = url.origin
    }
}

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
        transport.proxy = proxy(provider)
        return transport
    }

    /// The proxy that requests go by; `nil` where none is named.
    private func proxy(_ provider: YAMLReader) -> EgressProxy? {
        let wanted = "an address such as http://proxy.internal:3128, or http://user@proxy.internal:3128"
        let exceptions = (provider.strings("noProxy") ?? []).compactMap { text in
            let exception = ProxyException(text)
            if exception == nil {
                provider.problem(
                    "noProxy", found: text.quoted,
                    wanted: "host names or networks, such as internal.example.com, 10.0.0.0/8")
            }
            return exception
        }
        let passwordFile = provider.string("proxyPasswordFile")
        guard let text = provider.string("proxy") else {
            for name in ["proxyPasswordFile", "noProxy"] where provider.names.contains(name) {
                provider.problem(name, found: "a value", wanted: "provider.proxy beside it")
            }
            return nil
        }
        guard let address = ProxyAddress(text) else {
            // The rest may hold a password.
            provider.problem("proxy", found: "something else", wanted: wanted)
            return nil
        }
        if address.hasPassword {
            provider.problem(
                "proxy", found: "a password in the address", wanted: "provider.proxyPasswordFile in its place")
            return nil
        }
        if passwordFile != nil, address.user == nil {
            provider.problem("proxyPasswordFile", found: "no user in provider.proxy", wanted: wanted)
            return nil
        }
        let password = passwordFile.flatMap {
            secret($0, of: "proxyPasswordFile", in: provider, wanted: "the proxy's password")
        }
        return EgressProxy(
            address.origin, user: address.user,
            password: password.map { ProxyPassword(String(decoding: $0, as: UTF8.self)) }, exceptions: exceptions)
    }

    private func shares(_ provider: YAMLReader) -> ProviderShares {
        var shares = ProviderShares()
        if let calls = provider.integer("callsPerTenant", in: 1...shares.inAll) { shares.perTenant = calls }
        if let calls = provider.integer("callsPerHost", in: 1...shares.inAll) { shares.perHost = calls }
        return shares
    }
}
