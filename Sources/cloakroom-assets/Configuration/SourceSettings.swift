import Daemon
import Formats
import StrictYAML

/// The way to sources, and what is read there at most.
struct SourceSettings {
    /// The pauses between tries.
    struct Retry: Equatable {
        /// Tries in all.
        var attempts = 5
        /// The pause after the first, where the source names none; doubled each time.
        var base = Duration.seconds(1)
        /// The longest pause.
        var max = Duration.seconds(60)
    }

    /// The addresses that the paths of sources' APIs are put behind.
    struct Addresses: Equatable {
        var googleDrive: StrictURL?
        var github: StrictURL?
        var notion: StrictURL?
    }

    var connectTimeout = Duration.seconds(5)
    var timeout = Duration.seconds(30)
    /// Plain http, for trials.
    var allowInsecure = false
    var allowPrivateAddresses = false
    var maxDocumentBytes = 52_428_800
    var maxDocuments = 10_000
    var retry = Retry()
    var addresses = Addresses()
}

extension ConfigurationReader {
    func sources() -> SourceSettings {
        let section = section("sources")
        var sources = SourceSettings()
        if let time = seconds("connectTimeout", in: section, upTo: 300) { sources.connectTimeout = time }
        if let time = seconds("timeout", in: section, upTo: 300) { sources.timeout = time }
        // What is neither true nor false has been said; the addresses that it decides about are not said again.
        sources.allowInsecure = section.bool("allowInsecure") ?? section.names.contains("allowInsecure")
        sources.allowPrivateAddresses = section.bool("allowPrivateAddresses") ?? false
        if sources.allowInsecure {
            notes.remarks.append(
                "sources.allowInsecure is on: tokens, keys and documents may cross the network in plain http; for trials only"
            )
        }
        if sources.allowPrivateAddresses {
            notes.remarks.append(
                "sources.allowPrivateAddresses is on: whoever creates an asset can have any address of this network read; "
                    + "for trials only")
        }
        if let bytes = section.integer("maxDocumentBytes", in: 1...(1 << 30)) { sources.maxDocumentBytes = bytes }
        if let documents = section.integer("maxDocuments", in: 1...1_000_000) { sources.maxDocuments = documents }
        sources.retry = retry(section)
        sources.addresses = addresses(section, allowInsecure: sources.allowInsecure)
        section.finish()
        return sources
    }

    private func retry(_ sources: YAMLReader) -> SourceSettings.Retry {
        let section = sources.section("retry") ?? sources.emptySection("retry")
        var retry = SourceSettings.Retry()
        if let attempts = section.integer("attempts", in: 1...20) { retry.attempts = attempts }
        if let base = section.number("base", upTo: 3600) { retry.base = .seconds(base) }
        if let max = section.number("max", upTo: 3600) { retry.max = .seconds(max) }
        section.finish()
        if retry.base > retry.max {
            if section.names.contains("base") {
                section.problem("base", found: "more than retry.max", wanted: "the pause after the first try")
            }
            retry.base = retry.max
        }
        return retry
    }

    private func addresses(_ sources: YAMLReader, allowInsecure: Bool) -> SourceSettings.Addresses {
        let section = sources.section("addresses") ?? sources.emptySection("addresses")
        defer { section.finish() }
        let address = { (name: String, usual: String) -> StrictURL? in
            guard let text = section.string(name) else { return StrictURL(usual) }
            return self.address(
                text, of: name, in: section, allowInsecure: allowInsecure, wanted: "an https address such as \(usual)")
        }
        return SourceSettings.Addresses(
            googleDrive: address("google_drive", "https://www.googleapis.com"),
            github: address("github", "https://api.github.com"), notion: address("notion", "https://api.notion.com"))
    }
}
