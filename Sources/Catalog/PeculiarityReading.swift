import Formats
import StrictYAML

extension OAuthProfile {
    /// Reads `learned`: before the addresses, which may hold its names.
    func readLearned(_ entry: YAMLReader) {
        guard let section = entry.section("learned") else { return }
        for name in section.names {
            guard let one = section.section(name) else { continue }
            if let value = LearnedValue(one, name: name) { learned.append(value) }
            if parameters.contains(where: { $0.name == name }) {
                section.problem(name, found: "a parameter of the entry", wanted: "another name")
            }
        }
    }

    /// The placeholders that stand for what the provider told.
    var learnedNames: Set<String> { Set(learned.map(\.name)) }

    /// Those of them that are known before the exchange.
    var namesOfCallback: Set<String> { Set(learned.filter { $0.callbackParameter != nil }.map(\.name)) }

    /// Reports a learned value that could lead tokens to a host that is not the vendor's.
    func checkLearnedHosts(_ entry: YAMLReader) {
        let patterns = (parameters.map { ($0.name, $0.pattern) } + learned.map { ($0.name, $0.pattern) })
        let templates = addresses.sets.flatMap { [$0.refresh, $0.revocation, $0.afterConnecting].compactMap(\.self) }
        for value in learned {
            let hosts = templates.filter { $0.namesInHost.contains(value.name) }
            if hosts.allSatisfy({ FixedDomain.holds($0, withValuesOf: value.name, patterns: patterns) }) { continue }
            entry.problem(
                "learned.\(value.name).pattern", found: value.pattern.text.quoted,
                wanted: "one label under a domain of the vendor that is written out")
        }
    }

    /// Reads `authorizationNames`, once the consent request's other parameters are known.
    func readAuthorizationNames(_ entry: YAMLReader) {
        var taken = Self.reserved.union(["response_type", scopeParameter]).union(authorizationParameters.map(\.name))
        authorizationNames = (entry.optionalPairs("authorizationNames") ?? []).map { name, other in
            let place = "authorizationNames.\(name)"
            if !["client_id", "redirect_uri"].contains(name) {
                entry.problem(place, found: "a name", wanted: "client_id or redirect_uri, with what they are called")
            }
            if let other, other.isEmpty || !taken.insert(other).inserted {
                entry.problem(place, found: other.quoted, wanted: "a name that no other parameter has, or null")
            }
            return (name, other)
        }
        for (key, isSet) in [
            ("requestObject", requestObject), ("pushedAuthorizationURL", pushedAuthorizationURL != nil),
        ] where isSet && !authorizationNames.isEmpty {
            entry.problem("authorizationNames", found: "both this and \(key)", wanted: "one of the two")
        }
    }

    func readMintedSecret(_ entry: YAMLReader) {
        guard let section = entry.section("mintedSecret") else { return }
        let issuer = section.required("issuer", "the iss of the JWT, such as \"{teamId}\"")
        let audience = section.required("audience", "the aud of the JWT")
        section.finish()
        guard let issuer, let audience else { return }
        let template = ValueTemplate(issuer)
        checkPlaceholders(template.names, of: "mintedSecret.issuer", in: entry)
        for parameter in parameters where template.names.contains(parameter.name) && !parameter.setByOperator {
            entry.problem(
                "parameters.\(parameter.name)", found: "a parameter of callers in mintedSecret",
                wanted: "setByOperator: true, since it is the client's")
        }
        switch clientAuthentication {
        case .post, .basic, .basicRaw: mintedSecret = MintedSecret(issuer: template, audience: audience)
        case .none, .clientSecretJWT, .privateKeyJWT, .tls:
            entry.problem(
                "clientAuthentication", found: clientAuthentication.rawValue.quoted,
                wanted: "post, basic or basic_raw, which send the secret that mintedSecret makes")
        }
    }

    func readUnverified(_ entry: YAMLReader) {
        for word in entry.strings("unverified") ?? [] {
            guard let fact = UnverifiedFact(rawValue: word) else {
                let all = UnverifiedFact.allCases.map(\.rawValue)
                entry.problem(
                    "unverified", found: word.quoted, wanted: all.joined(separator: ", ") + word.guess(among: all))
                continue
            }
            if !unverified.contains(fact) { unverified.append(fact) }
        }
    }

    func readRedirectURI(_ entry: YAMLReader) {
        guard let text = entry.string("redirectURI") else { return }
        let template = ValueTemplate(text)
        if template.names.isEmpty {
            entry.problem(
                "redirectURI", found: text.quoted, wanted: "a parameter such as {ruName}: each client has its own alias"
            )
        }
        checkPlaceholders(template.names, of: "redirectURI", in: entry)
        redirectURI = template
    }

    func readRefreshNotBefore(_ entry: YAMLReader) {
        refreshNotBefore = entry.integer("refreshNotBefore", in: 0...86_400)
    }
}

extension OAuthProfile.LearnedValue {
    fileprivate init?(_ entry: YAMLReader, name: String) {
        let text = entry.required("pattern", "a regular expression that the value matches whole") ?? ""
        let parameter = entry.string("callback")
        let pointer = entry.pointer("answer")
        let prefix = entry.string("prefix") ?? ""
        let required = entry.bool("required") ?? true
        let sources = ["callback", "answer"].filter(entry.names.contains)
        entry.finish()
        if sources.count != 1 {
            entry.problem(
                "callback", found: sources.isEmpty ? "nothing" : "both this and answer", wanted: "one of the two")
        }
        // What the protocol sends there is never an extra.
        if let parameter, ["code", "state", "error", "error_description", "iss"].contains(parameter) {
            entry.problem("callback", found: parameter.quoted, wanted: "a parameter that the protocol does not use")
        }
        guard sources.count == 1, !text.isEmpty, let pattern = entry.pattern(text),
            let source = parameter.map(Source.callback) ?? pointer.map(Source.answer)
        else { return nil }
        self.init(name: name, source: source, prefix: prefix, pattern: pattern, required: required)
    }
}
