import Formats
package import HTTPService
package import StrictYAML

/// The settings of a listener for callers, as far as they were sound.
package struct ListenerSettings {
    /// The address to listen at.
    package var address: ListenerAddress
    /// The proxies whose word about a client's address is taken.
    package var proxies: TrustedProxies
    /// The bounds of its connections.
    package var bounds = ListenerBounds()
}

extension ConfigurationReader {
    /// What each listener for callers has in the section `http`, which the caller finishes.
    package func listener(_ http: YAMLReader, usualPort: Int) -> ListenerSettings {
        var listener = ListenerSettings(address: address(http, usualPort: usualPort), proxies: proxies(http))
        if let most = http.integer("maxConnections", in: 1...1_000_000) { listener.bounds.maxConnections = most }
        if let seconds = http.integer("requestTimeout", in: 1...300) {
            listener.bounds.requestTimeout = .seconds(seconds)
        }
        return listener
    }

    /// Host and port of a section; this machine alone where no host is set.
    package func address(_ section: YAMLReader, usualPort: Int) -> ListenerAddress {
        ListenerAddress(
            host: section.string("host") ?? "127.0.0.1", port: section.integer("port", in: 1...65535) ?? usualPort)
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
