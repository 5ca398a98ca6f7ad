import Broker
import BrokerServer
import Catalog
import Formats
import HTTPService
import StrictYAML

/// The `http` section, as far as it was sound.
struct HTTPSettings {
    var address: Configuration.Address
    var publicURL: StrictURL?
    var proxies: TrustedProxies
    var bounds = ListenerBounds()
}

/// The listeners, and the way of browsers and proxies to them.
extension ConfigurationReader {
    func http() -> HTTPSettings {
        let section = section("http")
        let address = Configuration.Address(
            host: section.string("host") ?? "127.0.0.1", port: section.integer("port", in: 1...65535) ?? 8080)
        var http = HTTPSettings(address: address, publicURL: publicURL(section), proxies: proxies(section))
        if let most = section.integer("maxConnections", in: 1...1_000_000) { http.bounds.maxConnections = most }
        if let seconds = section.integer("requestTimeout", in: 1...300) {
            http.bounds.requestTimeout = .seconds(seconds)
        }
        section.finish()
        if let url = http.publicURL, !url.isHTTPS {
            notes.remarks.append("http.publicURL is plain http: suitable for trials on this machine only")
        }
        return http
    }

    /// The operators' own address; `nil` where they share that of the callers.
    ///
    /// - Parameter main: the callers' address. One port cannot serve both, nor a wildcard beside it.
    func operators(beside main: Configuration.Address) -> Configuration.Address? {
        guard settings.top.names.contains("admin") else { return nil }
        let admin = section("admin")
        let address = Configuration.Address(
            host: admin.string("host") ?? "127.0.0.1", port: admin.integer("port", in: 1...65535) ?? 8081)
        admin.finish()
        if address.port == main.port, address.host == main.host || main.isWildcard || address.isWildcard {
            admin.problem("port", found: "\(address.port), which is that of http", wanted: "a port of its own")
        }
        return address
    }

    /// Redirect addresses are made from it, so it may have a path, and nothing after that.
    private func publicURL(_ http: YAMLReader) -> StrictURL? {
        let wanted = "the https address under which browsers reach the broker"
        guard let text = http.required("publicURL", wanted) else { return nil }
        guard let url = StrictURL(base: text) else {
            http.problem("publicURL", found: text.quoted, wanted: wanted)
            return nil
        }
        return url
    }

    /// The proxies whose `X-Forwarded-For` is believed.
    private func proxies(_ http: YAMLReader) -> TrustedProxies {
        let wanted = "addresses or blocks of them, such as 10.0.0.0/8 or ::1"
        return TrustedProxies(
            (http.strings("trustedProxies") ?? []).compactMap { text in
                let block = CIDR(text)
                if block == nil { http.problem("trustedProxies", found: text.quoted, wanted: wanted) }
                return block
            })
    }
}
