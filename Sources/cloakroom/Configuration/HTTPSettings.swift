import Daemon
import Formats
import HTTPService
import StrictYAML

/// The `http` section, as far as it was sound.
struct HTTPSettings {
    var listener: ListenerSettings
    var publicURL: StrictURL?
}

/// The listeners, and the way of browsers and proxies to them.
extension ConfigurationReader {
    func http() -> HTTPSettings {
        let section = section("http")
        let http = HTTPSettings(listener: listener(section, usualPort: 8080), publicURL: publicURL(section))
        section.finish()
        if let url = http.publicURL, !url.isHTTPS {
            notes.remarks.append("http.publicURL is plain http: suitable for trials on this machine only")
        }
        return http
    }

    /// The operators' own address; `nil` where they share that of the callers.
    ///
    /// - Parameter main: the callers' address. One port cannot serve both, nor a wildcard beside it.
    func operators(beside main: ListenerAddress) -> ListenerAddress? {
        guard settings.top.names.contains("admin") else { return nil }
        let admin = section("admin")
        let address = address(admin, usualPort: 8081)
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
}
