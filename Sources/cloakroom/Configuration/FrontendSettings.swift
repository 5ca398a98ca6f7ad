import Broker
import Daemon
import Formats
import StrictYAML

/// The pages that flows talk to and end at.
extension ConfigurationReader {
    /// - Parameter origin: the only one where none is named.
    func frontends(default origin: Origin?) -> Frontends? {
        let section = section("frontend")
        defer { section.finish() }
        let general = frontend(section, default: origin.map { [OriginPattern($0)] })
        var tenants: [TenantID: Frontend] = [:]
        if let own = section.section("tenants") {
            for name in own.names {
                guard let entry = own.section(name) else { continue }
                guard let tenant = TenantID(name) else {
                    own.problem(
                        name, found: name.quoted,
                        wanted: "a tenant like \(TenantID.pattern)")
                    continue
                }
                tenants[tenant] = frontend(entry)
                if !entry.names.contains("origins") {
                    entry.problem("origins", found: "nothing", wanted: Self.wantedOrigins)
                }
                entry.finish()
            }
        }
        return general.map { Frontends(general: $0, tenants: tenants) }
    }

    /// One list of pages; `nil` where it names no origins.
    private func frontend(
        _ section: YAMLReader, default origins: [OriginPattern]? = nil
    ) -> Frontend? {
        let returnURLs = returnURLs(section)
        return (self.origins(section) ?? origins).map { Frontend(origins: $0, returnURLs: returnURLs) }
    }

    /// The patterns of a section, each once; `nil` where it names none.
    private func origins(_ section: YAMLReader) -> [OriginPattern]? {
        let before = findings.lines.count
        let reach = "may call the API and is given credential keys"
        guard let origins = origins(section, reach: reach) else { return nil }
        if origins.isEmpty, findings.lines.count == before {
            section.problem("origins", found: "an empty list", wanted: Self.wantedOrigins)
        }
        return origins.isEmpty ? nil : origins
    }

    private func returnURLs(_ section: YAMLReader) -> [ReturnURL] {
        var urls: [ReturnURL] = []
        for text in section.strings("returnURLs") ?? [] {
            // Compared byte for byte with what callers give, so it must be as they will write it.
            guard let url = ReturnURL(text), url.text == text else {
                section.problem(
                    "returnURLs", found: text.quoted,
                    wanted: "whole addresses such as https://app.example.com/connected or com.example.app:/connected")
                continue
            }
            if url.hasUnownedScheme {
                notes.remarks.append(
                    "\((section.path + ["returnURLs"]).joined(separator: ".")) has \(text), whose scheme any app may "
                        + "claim; use one made from a domain, such as com.example.app (RFC 8252 § 7.1)")
            }
            urls.append(url)
        }
        return urls
    }
}
