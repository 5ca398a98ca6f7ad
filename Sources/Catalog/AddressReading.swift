import Formats

extension OAuthProfile {
    mutating func readAddresses(_ entry: YAMLReader, allowInsecure: Bool) {
        addresses.allowInsecure = allowInsecure
        discovery = entry.bool("discovery") ?? false
        addresses.own = addressSet(entry, allowInsecure)
        jwksURL = template("jwksURL", entry, allowInsecure)
        pushedAuthorizationURL = template("pushedAuthorizationURL", entry, allowInsecure)
        for name in ["authorizationURL", "tokenURL"] where !discovery && !entry.names.contains(name) {
            entry.problem(name, found: "nothing", wanted: "an https address")
        }
        if let section = entry.section("regions") { readRegions(section, entry, allowInsecure) }
        if let section = entry.section("endpointsFrom") {
            for name in section.names {
                guard let one = section.section(name) else { continue }
                guard let from = Timestamp(date: name) else {
                    section.problem(name, found: YAMLReader.quote(name), wanted: "a date such as 2027-02-16")
                    continue
                }
                addresses.dated.append((from, setAlone(one, entry, allowInsecure)))
            }
            addresses.dated.sort { $0.from < $1.from }
        }
        if let section = entry.section("tokenOrigin") { readTokenOrigin(section, entry, allowInsecure) }
    }

    /// The regions, and the parameter that chooses among them.
    private mutating func readRegions(_ section: YAMLReader, _ entry: YAMLReader, _ allowInsecure: Bool) {
        for name in section.names {
            guard let one = section.section(name) else { continue }
            let isName = name.utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == 0x2D || $0 == 0x5F }
            if !isName || name.isEmpty {
                section.problem(name, found: YAMLReader.quote(name), wanted: "a name of letters, digits, - and _")
                continue
            }
            addresses.regions[name] = setAlone(one, entry, allowInsecure)
        }
        let name = Addresses.regionParameter
        guard !parameters.contains(where: { $0.name == name }) else {
            entry.problem("parameters.\(name)", found: "both this and regions", wanted: "one of the two")
            return
        }
        let regions = addresses.regions.keys.sorted()
        guard !regions.isEmpty else { return }
        guard let pattern = try? Pattern("^(?:\(regions.joined(separator: "|")))$") else {
            entry.problem("regions", found: "\(regions.count)", wanted: "fewer, or shorter names")
            return
        }
        parameters.append(
            Parameter(
                name: name,
                description: "One of \(regions.joined(separator: ", ")); left out, the provider's main one.",
                pattern: pattern, required: false, defaultValue: nil, setByOperator: false))
        parameters.sort { $0.name < $1.name }
    }

    private func setAlone(_ section: YAMLReader, _ entry: YAMLReader, _ allowInsecure: Bool) -> AddressSet {
        var set = addressSet(section, of: entry, allowInsecure)
        set.afterConnecting = template("afterConnectingURL", section, of: entry, allowInsecure)
        if set.afterConnecting != nil, !entry.names.contains("afterConnecting") {
            section.problem("afterConnectingURL", found: "a value, and no afterConnecting", wanted: "both or neither")
        }
        section.finish()
        return set
    }

    private func addressSet(
        _ section: YAMLReader, of entry: YAMLReader? = nil, _ allowInsecure: Bool
    ) -> AddressSet {
        AddressSet(
            authorization: template("authorizationURL", section, of: entry, allowInsecure),
            token: template("tokenURL", section, of: entry, allowInsecure),
            refresh: template("refreshURL", section, of: entry, allowInsecure),
            revocation: template("revocationURL", section, of: entry, allowInsecure, filledByUs: ["token", "clientId"]))
    }

    private mutating func readTokenOrigin(_ section: YAMLReader, _ entry: YAMLReader, _ allowInsecure: Bool) {
        let name = section.required("callbackParameter", "the callback parameter that tells the host") ?? ""
        let text = section.required("pattern", "a regular expression that the value matches whole") ?? ""
        var origin: URLTemplate?
        if let given = section.string("origin"), given != "{\(name)}" {
            origin = Self.template(given, "origin", section, allowInsecure)
            if let origin, origin.placeholders != [name] {
                section.problem("origin", found: YAMLReader.quote(given), wanted: "an address with {\(name)} in it")
            }
        }
        let required = section.bool("required") ?? false
        section.finish()
        guard !name.isEmpty, !text.isEmpty, let pattern = section.pattern(text) else { return }
        addresses.tokenOrigin = TokenOrigin(
            callbackParameter: name, pattern: pattern, origin: origin, required: required)
    }

    func template(
        _ name: String, _ section: YAMLReader, of entry: YAMLReader? = nil, _ allowInsecure: Bool,
        filledByUs: Set<String> = []
    ) -> URLTemplate? {
        guard let text = section.string(name),
            let template = Self.template(text, name, section, allowInsecure)
        else { return nil }
        let asked = template.placeholders.filter { !filledByUs.contains($0) }
        let place = section.path.last.map { entry == nil ? name : "\($0).\(name)" } ?? name
        checkPlaceholders(place, asked, entry ?? section)
        return template
    }

    static func template(
        _ text: String, _ name: String, _ section: YAMLReader, _ allowInsecure: Bool
    ) -> URLTemplate? {
        let template: URLTemplate
        do {
            template = try URLTemplate(text)
        } catch {
            let wanted =
                switch error {
                case .notHTTP: "an https address"
                case .fragment: "an address without a fragment"
                case .userInformation: "an address without user information"
                case .emptyHost, .malformed: "a well-formed https address"
                case .unbalancedBrace: "placeholders such as {subdomain}"
                }
            section.problem(name, found: YAMLReader.quote(text), wanted: wanted)
            return nil
        }
        if template.isInsecure, !allowInsecure {
            section.problem(
                name, found: YAMLReader.quote(text), wanted: "an https address (or provider.allowInsecure, for trials)")
        }
        return template
    }
}
