import Formats
import Secrets
import StrictYAML

extension OAuthProfile {
    convenience init?(_ entry: YAMLReader, allowInsecure: Bool) {
        let before = entry.findings.lines.count
        self.init()
        parameters = Self.parameters(entry).sorted { $0.name < $1.name }
        readLearned(entry)
        readAddresses(entry, allowInsecure: allowInsecure)
        readConsent(entry)
        readAuthorizationNames(entry)
        readRedirectURI(entry)
        readTokenRequest(entry)
        readMintedSecret(entry)
        readRefreshNotBefore(entry)
        readCallback(entry)
        readAnswers(entry)
        readAfterConnecting(entry, allowInsecure: allowInsecure)
        readRevocation(entry)
        readResource(entry)
        readInstances(entry, allowInsecure: allowInsecure)
        readUnverified(entry)
        entry.finish()
        guard entry.findings.lines.count == before else { return nil }
    }

    /// The parameters that bind a flow are the broker's alone: a catalog entry cannot replace them.
    static let reserved: Set = [
        "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "nonce", "request",
        "request_uri",
    ]

    /// The settings that permit plain http: a broker's, and that of `sources lint`.
    static let waysOfInsecurity = "provider.allowInsecure, or --allow-insecure of lint"

    /// Scopes by which providers are asked for a refresh token (OpenID Connect Core § 11, and their own words).
    package static let offlineScopes: Set = ["offline_access", "refresh_token", "offline", "offline.access"]

    private func readConsent(_ entry: YAMLReader) {
        scopes = scopeList("scopes", entry)
        alwaysScopes = scopeList("alwaysScopes", entry)
        scopeAliases = Self.scopeAliases(entry)
        scopeSeparator = entry.string("scopeSeparator") ?? scopeSeparator
        if scopeSeparator.isEmpty {
            entry.problem("scopeSeparator", found: "\"\"", wanted: "what stands between two scopes")
        }
        scopeParameter = entry.string("scopeParameter") ?? scopeParameter
        let isPlain =
            !scopeParameter.isEmpty
            && scopeParameter.utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == 0x5F || $0 == 0x2D || $0 == 0x2E }
        if !isPlain || Self.reserved.union(["response_type"]).contains(scopeParameter) {
            entry.problem("scopeParameter", found: scopeParameter.quoted, wanted: "a parameter of its own")
        }
        for address in addresses.sets.compactMap({ $0.authorization?.text }) {
            let query = address.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
            guard let pairs = Percent.pairs(query) else {
                entry.problem(
                    "authorizationURL", found: "a query that cannot be decoded",
                    wanted: "names and values in UTF-8, percent-encoded")
                continue
            }
            // BambooHR's has `request` in it, which does not mean that of RFC 9101 § 5 there.
            for (name, _) in pairs where name != "request" && Self.reserved.contains(name) {
                entry.problem(
                    "authorizationURL", found: "\(name) in its query", wanted: "a query without it: the broker sets it")
            }
        }
        authorizationParameters = (entry.optionalPairs("authorizationParameters") ?? []).map { name, text in
            (name, text.map { ValueTemplate($0) })
        }
        for (name, value) in authorizationParameters {
            checkPlaceholders(
                value?.names ?? [], of: "authorizationParameters.\(name)", in: entry, besides: ["clientId"])
            if Self.reserved.contains(name) {
                entry.problem(
                    "authorizationParameters.\(name)", found: "a value", wanted: "none: the broker sets it")
            } else if value == nil, name != "response_type", name != scopeParameter {
                entry.problem(
                    "authorizationParameters.\(name)", found: "nothing",
                    wanted: "a value: only response_type and \(scopeParameter) can be left out")
            }
        }
        proofKey = entry.choice("pkce") ?? proofKey
        cutsOpener = entry.bool("cutsOpener") ?? cutsOpener
        resources = entry.strings("resources") ?? []
        for resource in resources where StrictURL(resource) == nil && !resource.hasPrefix("urn:") {
            entry.problem(
                "resources", found: resource.quoted, wanted: "an absolute address (RFC 8707 § 2)")
        }
        requestObject = entry.bool("requestObject") ?? requestObject

        let asksForOfflineAccess =
            (alwaysScopes + scopes).contains { Self.offlineScopes.contains($0) }
            || authorizationParameters.contains {
                $0.value?.text == "offline" || ($0.name == "duration" && $0.value?.text == "permanent")
            }
        refreshToken = entry.choice("refreshToken") ?? (asksForOfflineAccess ? .expected : .optional)
    }

    private func readCallback(_ entry: YAMLReader) {
        issuer = entry.string("issuer")
        openID = entry.bool("openid") ?? openID
        nonce = entry.bool("nonce") ?? nonce
        callbackCode = entry.string("callbackCode") ?? callbackCode
        if callbackCode.isEmpty || ["state", "iss", "error", "error_description"].contains(callbackCode) {
            entry.problem("callbackCode", found: callbackCode.quoted, wanted: "the callback parameter with the code")
        }
        readHints(entry)
        if let issuer, issuer.contains("{") { checkIssuerPlaceholders(issuer, entry) }
        if discovery, let issuer, issuer.hasPrefix("http://"), !addresses.allowInsecure {
            entry.problem(
                "issuer", found: issuer.quoted,
                wanted: "an https address (for trials: \(Self.waysOfInsecurity))")
        }
        requireIssuer = entry.bool("requireIssuer") ?? requireIssuer
        for (name, isSet) in [("requireIssuer", requireIssuer), ("openid", openID), ("discovery", discovery)]
        where isSet && issuer == nil {
            entry.problem("issuer", found: "nothing", wanted: "the issuer that \(name) needs")
        }
        if openID, !discovery, jwksURL == nil {
            entry.problem("jwksURL", found: "nothing", wanted: "the provider's keys, or discovery: true")
        }
        if let names = entry.strings("idTokenAlgorithms") {
            if names.isEmpty {
                entry.problem("idTokenAlgorithms", found: "an empty list", wanted: "an algorithm, or no such key")
            }
            idTokenAlgorithms = Set(names.compactMap { SignatureAlgorithm(rawValue: $0) })
            let known = SignatureAlgorithm.allCases.map(\.rawValue)
            for name in names where !known.contains(name) {
                entry.problem(
                    "idTokenAlgorithms", found: name.quoted,
                    wanted: known.joined(separator: ", ") + name.guess(among: known))
            }
        }
        if let signature = entry.section("callbackSignature") {
            callbackSignature = signature.required("parameter", "the callback parameter that holds the signature")
            signature.finish()
        }
        readCallbackError(entry)
        if let section = entry.section("extras") {
            extras.callback = section.callbackExtras("callback")
            let spoken: Set = ["code", "state", "error", "error_description", "iss", callbackCode]
            for extra in extras.callback where spoken.contains(extra.name) {
                section.problem(
                    "callback", found: extra.name.quoted, wanted: "parameters that the protocol does not use"
                )
            }
            extras.token = section.answerExtras("token")
            section.finish()
        }
    }

    private func readCallbackError(_ entry: YAMLReader) {
        guard let section = entry.section("callbackError") else { return }
        callbackError.error = section.strings("error") ?? []
        callbackError.description = section.strings("errorDescription") ?? []
        // What a good callback has must not make it a bad one.
        for (key, names) in [("error", callbackError.error), ("errorDescription", callbackError.description)] {
            for name in names where ["code", "state", "iss", callbackCode].contains(name) {
                section.problem(key, found: name.quoted, wanted: "parameters that come with an error alone")
            }
        }
        if callbackError.error.isEmpty {
            section.problem("error", found: "nothing", wanted: "the callback parameters that tell an error")
        }
        section.finish()
    }

    /// Reads `hints`. By default providers of OpenID Connect take them: Core § 3.1.2.1 has them know `prompt`.
    private func readHints(_ entry: YAMLReader) {
        hints = entry.bool("hints") ?? openID
        guard hints else { return }
        for address in addresses.sets.compactMap({ $0.authorization?.text }) {
            let query = address.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
            for (name, _) in Percent.pairs(query) ?? [] where ["login_hint", "prompt"].contains(name) {
                entry.problem(
                    "authorizationURL", found: "\(name) in its query",
                    wanted: "it in authorizationParameters, or hints: false: a caller's would come besides")
            }
        }
    }

    /// Besides parameters, the tenant that an id_token names may stand in the issuer (`IssuerName`).
    private func checkIssuerPlaceholders(_ issuer: String, _ entry: YAMLReader) {
        var names = URLTemplate.names(in: issuer)
        let tenant = IssuerName.placeholder
        if names.contains(tenant), !entry.mappingNames("parameters").contains(tenant) {
            names.removeAll { $0 == tenant }
            if discovery {
                entry.problem(
                    "issuer", found: "{\(tenant)} with discovery",
                    wanted: "authorizationURL, tokenURL and jwksURL in its place: no tenant is known to be asked")
            } else if !openID {
                entry.problem(
                    "issuer", found: "{\(tenant)}", wanted: "openid: true, since an id_token tells the tenant")
            }
        }
        checkPlaceholders(names, of: "issuer", in: entry)
    }

    private static func parameters(_ entry: YAMLReader) -> [Parameter] {
        guard let section = entry.section("parameters") else { return [] }
        return section.names.compactMap { name in
            section.section(name).flatMap { Parameter($0, name: name) }
        }
    }

    private static func scopeAliases(_ entry: YAMLReader) -> [ScopeAlias] {
        guard let section = entry.section("scopeAliases") else { return [] }
        let pattern = { (name: String, text: String) -> ScopePattern? in
            let pattern = ScopePattern(text)
            if pattern == nil {
                section.problem(name, found: text.quoted, wanted: "a scope (RFC 6749 § 3.3) with at most one *")
            }
            return pattern
        }
        return section.names.compactMap { name in
            let granted = (section.strings(name) ?? []).compactMap { pattern(name, $0) }
            return pattern(name, name).map { ScopeAlias(asked: $0, granted: granted) }
        }
    }

    private func scopeList(_ name: String, _ entry: YAMLReader) -> [String] {
        let scopes = entry.strings(name) ?? []
        for scope in scopes {
            if !Scopes.isToken(scope) {
                entry.problem(name, found: scope.quoted, wanted: "scopes without spaces (RFC 6749 § 3.3)")
            }
            checkPlaceholders(ValueTemplate(scope).names, of: name, in: entry)
        }
        return scopes
    }

    /// Reports each of `names` that is no parameter of the entry, or one that may be missing.
    ///
    /// - Parameter others: the placeholders that the broker fills itself there.
    func checkPlaceholders(
        _ names: [String], of key: String, in entry: YAMLReader, besides others: Set<String> = []
    ) {
        // A parameter that was refused is declared all the same: its mistake is told once.
        let refused = Set(entry.mappingNames("parameters")).subtracting(parameters.map(\.name))
        for name in names where !refused.contains(name) && !others.contains(name) {
            guard let parameter = parameters.first(where: { $0.name == name }) else {
                let own = others.sorted().map { "{\($0)}" }.joined(separator: ", ")
                entry.problem(
                    key, found: "the placeholder {\(name)}",
                    wanted: "one of the entry's parameters" + (own.isEmpty ? "" : " or \(own)")
                        + name.guess(among: parameters.map(\.name) + others.sorted()))
                continue
            }
            if !parameter.required, parameter.defaultValue == nil, !parameter.setByOperator {
                entry.problem(
                    "parameters.\(name)", found: "an optional parameter in \(key)",
                    wanted: "required: true, or a default")
            }
        }
    }
}

extension OAuthProfile.Parameter {
    init?(_ entry: YAMLReader, name: String) {
        let text = entry.required("pattern", "a regular expression that values match whole") ?? ""
        let description = entry.string("description") ?? ""
        let defaultValue = entry.string("default")
        let setByOperator = entry.bool("setByOperator") ?? false
        let required = entry.bool("required") ?? (defaultValue == nil)
        entry.finish()
        guard !text.isEmpty, let pattern = entry.pattern(text) else { return nil }
        if let defaultValue, !pattern.matches(defaultValue) {
            entry.problem("default", found: defaultValue.quoted, wanted: "a value that matches \(text)")
        }
        self.init(
            name: name, description: description, pattern: pattern, required: required, defaultValue: defaultValue,
            setByOperator: setByOperator)
    }
}
