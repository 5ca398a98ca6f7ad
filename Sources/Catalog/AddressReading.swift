import Formats
import StrictYAML

extension OAuthProfile {
    func readAddresses(_ entry: YAMLReader, allowInsecure: Bool) {
        addresses.allowInsecure = allowInsecure
        discovery = entry.bool("discovery") ?? false
        addresses.own = addressSet(entry, allowInsecure: allowInsecure)
        jwksURL = template("jwksURL", in: entry, allowInsecure: allowInsecure)
        pushedAuthorizationURL = template("pushedAuthorizationURL", in: entry, allowInsecure: allowInsecure)
        for name in ["authorizationURL", "tokenURL"]
        where !discovery && !entry.names.contains(name) && !entry.names.contains("resourceParameter") {
            entry.problem(name, found: "nothing", wanted: "an https address")
        }
        if let section = entry.section("regions") { readRegions(section, of: entry, allowInsecure: allowInsecure) }
        if let section = entry.section("endpointsFrom") {
            for name in section.names {
                guard let one = section.section(name) else { continue }
                guard let from = Timestamp(date: name) else {
                    section.problem(name, found: name.quoted, wanted: "a date such as 2027-02-16")
                    continue
                }
                addresses.dated.append((from, setAlone(one, of: entry, allowInsecure: allowInsecure)))
            }
            addresses.dated.sort { $0.from < $1.from }
        }
        if let section = entry.section("tokenOrigin") { readTokenOrigin(section, allowInsecure: allowInsecure) }
    }

    /// The regions, and the parameter that chooses among them.
    private func readRegions(_ section: YAMLReader, of entry: YAMLReader, allowInsecure: Bool) {
        for name in section.names {
            guard let one = section.section(name) else { continue }
            let isName = name.utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == 0x2D || $0 == 0x5F }
            if !isName || name.isEmpty {
                section.problem(name, found: name.quoted, wanted: "a name of letters, digits, - and _")
                continue
            }
            addresses.regions[name] = setAlone(one, of: entry, allowInsecure: allowInsecure)
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

    private func setAlone(_ section: YAMLReader, of entry: YAMLReader, allowInsecure: Bool) -> AddressSet {
        var set = addressSet(section, of: entry, allowInsecure: allowInsecure)
        set.afterConnecting = template(
            "afterConnectingURL", in: section, of: entry, allowInsecure: allowInsecure, filledByUs: learnedNames)
        if set.afterConnecting != nil, !entry.names.contains("afterConnecting") {
            section.problem("afterConnectingURL", found: "a value, and no afterConnecting", wanted: "both or neither")
        }
        section.finish()
        return set
    }

    private func addressSet(
        _ section: YAMLReader, of entry: YAMLReader? = nil, allowInsecure: Bool
    ) -> AddressSet {
        AddressSet(
            authorization: template(
                "authorizationURL", in: section, of: entry, allowInsecure: allowInsecure, filledByUs: ["clientId"],
                allowingFragment: true),
            token: template("tokenURL", in: section, of: entry, allowInsecure: allowInsecure),
            refresh: template(
                "refreshURL", in: section, of: entry, allowInsecure: allowInsecure, filledByUs: learnedNames),
            revocation: template(
                "revocationURL", in: section, of: entry, allowInsecure: allowInsecure,
                filledByUs: learnedNames.union(["token", "clientId"])))
    }

    private func readTokenOrigin(_ section: YAMLReader, allowInsecure: Bool) {
        let name = section.required("callbackParameter", "the callback parameter that tells the host") ?? ""
        let text = section.required("pattern", "a regular expression that the value matches whole") ?? ""
        var origin: URLTemplate?
        if let given = section.string("origin"), given != "{\(name)}" {
            origin = Self.template(given, named: "origin", in: section, allowInsecure: allowInsecure)
            if let origin, origin.placeholders != [name] {
                section.problem("origin", found: given.quoted, wanted: "an address with {\(name)} in it")
            }
        }
        let required = section.bool("required") ?? false
        section.finish()
        guard !name.isEmpty, !text.isEmpty, let pattern = section.pattern(text) else { return }
        addresses.tokenOrigin = TokenOrigin(
            callbackParameter: name, pattern: pattern, origin: origin, required: required)
    }

    func template(
        _ name: String, in section: YAMLReader, of entry: YAMLReader? = nil, allowInsecure: Bool,
        filledByUs: Set<String> = [], allowingFragment: Bool = false
    ) -> URLTemplate? {
        guard let text = section.string(name),
            let template = Self.template(
                text, named: name, in: section, allowInsecure: allowInsecure, allowingFragment: allowingFragment)
        else { return nil }
        let place = section.path.last.map { entry == nil ? name : "\($0).\(name)" } ?? name
        checkPlaceholders(template.placeholders, of: place, in: entry ?? section, besides: filledByUs)
        return template
    }

    static func template(
        _ text: String, named name: String, in section: YAMLReader, allowInsecure: Bool,
        allowingFragment: Bool = false
    ) -> URLTemplate? {
        let template: URLTemplate
        do {
            template = try URLTemplate(text, allowingFragment: allowingFragment)
        } catch {
            let wanted =
                switch error {
                case .notHTTP: "an https address"
                case .fragment where allowingFragment: "a fragment of letters, digits, / and - alone, or none"
                case .fragment: "an address without a fragment"
                case .userInformation: "an address without user information"
                case .emptyHost, .malformed: "a well-formed https address"
                case .unbalancedBrace: "placeholders such as {subdomain}"
                }
            section.problem(name, found: text.quoted, wanted: wanted)
            return nil
        }
        if template.isInsecure, !allowInsecure {
            section.problem(
                name, found: text.quoted, wanted: "an https address (for trials: \(waysOfInsecurity))")
        }
        return template
    }
}
