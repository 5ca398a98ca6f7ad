import Formats
import StrictYAML
import Yams

extension OAuthProfile {
    /// The placeholders that every request to a provider can hold, besides the entry's parameters.
    private static let common: Set = ["scope", "clientId", "clientSecret", "redirectURI"]

    func readTokenRequest(_ entry: YAMLReader) {
        tokenParameters = values("tokenParameters", entry, also: [])
        for name in ["code", "redirect_uri", "code_verifier", "refresh_token", "grant_type"]
        where tokenParameters.contains(where: { $0.name == name }) {
            entry.problem(
                "tokenParameters.\(name)", found: "a value",
                wanted: "none: set it in exchangeParameters or refreshParameters")
        }
        exchangeParameters = values("exchangeParameters", entry, also: namesOfCallback.union(["code", "state"]))
        refreshParameters = values("refreshParameters", entry, also: learnedNames.union(["refreshToken"]))
        tokenHeaders = templates("tokenHeaders", entry, of: entry, also: [])
        clientAuthentication =
            entry.choice("clientAuthentication", knownElsewhereAs: ClientAuthentication.namesInMetadata)
            ?? clientAuthentication
        clientCertificate = entry.bool("clientCertificate") ?? clientCertificate
        tokenRequestFormat = entry.choice("tokenRequestFormat") ?? tokenRequestFormat
        if clientAuthentication == .basic || clientAuthentication == .basicRaw,
            let (name, _) = tokenHeaders.first(where: { $0.name.lowercased() == "authorization" })
        {
            entry.problem(
                "tokenHeaders.\(name)", found: "a value", wanted: "none: the client authenticates there")
        }
        if tokenRequestFormat == .json, resources.count > 1 {
            entry.problem(
                "resources", found: "\(resources.count)", wanted: "one: RFC 8707 repeats the name, which JSON cannot")
        }
        tokenMethod = entry.choice("tokenMethod", of: TokenMethod.self)?.method ?? tokenMethod
        refreshMethod = entry.choice("refreshMethod", of: TokenMethod.self)?.method ?? tokenMethod
        dpop = entry.bool("dpop") ?? dpop
        reauthorizationErrors = entry.words("reauthorizationErrors")
    }

    private enum TokenMethod: String, CaseIterable {
        case post = "POST"
        case get = "GET"

        var method: RequestMethod { self == .get ? .get : .post }
    }

    func readAnswers(_ entry: YAMLReader) {
        guard let section = entry.section("response") else { return }
        response = ResponseShape(section, over: ResponseShape())
        refreshResponse = response
        if let refresh = section.section("refresh") {
            refreshResponse = ResponseShape(refresh, over: ResponseShape())
            refreshResponse.failureUnless = refreshResponse.failureUnless ?? response.failureUnless
            refreshResponse.prefix = refreshResponse.prefix ?? response.prefix
            refresh.finish()
        }
        section.finish()
    }

    func readAfterConnecting(_ entry: YAMLReader, allowInsecure: Bool) {
        guard let section = entry.section("afterConnecting") else { return }
        let own = learnedNames.union(["accessToken"])
        if !section.names.contains("url") { section.problem("url", found: "nothing", wanted: "an https address") }
        addresses.own.afterConnecting = template(
            "url", in: section, of: entry, allowInsecure: allowInsecure, filledByUs: learnedNames)
        let method = section.choice("method", of: TokenMethod.self)?.method ?? .get
        let parameters = values("parameters", section, of: entry, also: own)
        var headers = templates("headers", section, of: entry, also: own)
        let sendsToken = parameters.contains { $0.value?.names.contains("accessToken") == true }
        if !section.names.contains("headers"), !sendsToken {
            headers = [("Authorization", ValueTemplate("\(dpop ? "DPoP" : "Bearer") {accessToken}"))]
        }
        let extras = section.answerExtras("extras")
        let replacesToken = section.bool("replacesToken") ?? false
        section.finish()
        guard addresses.own.afterConnecting != nil else { return }
        afterConnecting = AfterConnecting(
            method: method, headers: headers, parameters: parameters, extras: extras,
            replacesToken: replacesToken)
    }

    func readRevocation(_ entry: YAMLReader) {
        revocation.authentication = clientAuthentication
        guard let section = entry.section("revocation") else { return }
        if !hasRevocation {
            entry.problem("revocationURL", found: "nothing", wanted: "the address that revocation needs")
        }
        revocation.method = section.choice("method", of: RevocationMethod.self)?.method ?? revocation.method
        revocation.place = section.choice("token") ?? revocation.place
        if revocation.place == .bearer { revocation.authentication = .none }
        revocation.tokenParameter = section.string("tokenParameter") ?? revocation.tokenParameter
        revocation.authentication =
            section.choice("authentication", knownElsewhereAs: ClientAuthentication.namesInMetadata)
            ?? revocation.authentication
        checkHeaders(of: section)
        revocation.parameters = values("parameters", section, of: entry, also: learnedNames.union(["token"]))
        revocation.headers = templates("headers", section, of: entry, also: learnedNames.union(["token"]))
        revocation.tokenType = section.choice("tokenType") ?? revocation.tokenType
        revocation.goneErrors = section.words("goneErrors")
        section.finish()
        // Metadata names no address with a place for it.
        let templates = addresses.sets.compactMap(\.revocation)
        let havePlace = !templates.isEmpty && templates.allSatisfy { $0.placeholders.contains("token") }
        if revocation.place == .path, !havePlace {
            entry.problem("revocationURL", found: "no {token}", wanted: "the token's place in the path")
        }
    }

    /// RFC 9110 § 11.6.2: a request has one `Authorization`, and with `bearer` the token is there.
    private func checkHeaders(of section: YAMLReader) {
        let isBasic = revocation.authentication == .basic || revocation.authentication == .basicRaw
        guard revocation.place == .bearer, isBasic else { return }
        section.problem(
            "authentication", found: revocation.authentication.rawValue.quoted,
            wanted: "none, or post: the token is in the header Authorization (token: bearer)")
    }

    private enum RevocationMethod: String, CaseIterable {
        case post = "POST"
        case get = "GET"
        case delete = "DELETE"

        var method: RequestMethod {
            switch self {
            case .post: .post
            case .get: .get
            case .delete: .delete
            }
        }
    }

    /// Parameters with placeholders; `nil` where one is to be left out.
    private func values(
        _ name: String, _ section: YAMLReader, of entry: YAMLReader? = nil, also own: Set<String>
    ) -> [(name: String, value: ValueTemplate?)] {
        (section.optionalPairs(name) ?? []).map { key, text in
            let value = text.map { ValueTemplate($0) }
            checkPlaceholders(
                value?.names ?? [], of: "\(name).\(key)", in: entry ?? section, besides: own.union(Self.common))
            return (key, value)
        }
    }

    private func templates(
        _ name: String, _ section: YAMLReader, of entry: YAMLReader, also own: Set<String>
    ) -> [(name: String, value: ValueTemplate)] {
        (section.pairs(name) ?? []).map { key, text in
            let value = ValueTemplate(text)
            Self.check(header: key, text, in: name, section)
            checkPlaceholders(value.names, of: "\(name).\(key)", in: entry, besides: own.union(Self.common))
            return (key, value)
        }
    }

    private static func check(header name: String, _ value: String, in key: String, _ section: YAMLReader) {
        if !HeaderText.isName(name) || !HeaderText.isValue(value) {
            section.problem(
                "\(key).\(name)", found: value.quoted, wanted: "an HTTP header (RFC 9110 § 5)")
        } else if HeaderText.framing.contains(name.lowercased()) {
            section.problem("\(key).\(name)", found: "a value", wanted: "none: the transport sets it")
        }
    }
}

extension OAuthProfile.ResponseShape {
    init(_ entry: YAMLReader, over other: Self) {
        self = other
        accessToken = entry.pointer("accessToken") ?? accessToken
        refreshToken = entry.pointer("refreshToken") ?? refreshToken
        tokenType = entry.pointer("tokenType") ?? tokenType
        expiresIn = entry.pointer("expiresIn") ?? expiresIn
        expiresAt = entry.pointer("expiresAt") ?? expiresAt
        scope = entry.pointer("scope") ?? scope
        idToken = entry.pointer("idToken") ?? idToken
        prefix = entry.string("prefix") ?? prefix
        error = entry.pointer("error") ?? error
        errorDescription = entry.pointer("errorDescription") ?? errorDescription
        if let text = entry.string("lifetime") {
            if text == "never" {
                lifetime = .never
            } else if let seconds = Int64(text), (1...3_153_600_000).contains(seconds) {
                lifetime = .seconds(seconds)
            } else {
                entry.problem("lifetime", found: text.quoted, wanted: "seconds, or never")
            }
        }
        if let section = entry.section("failureUnless") {
            let pointer = section.pointer("pointer", isRequired: true)
            let scalar = section.node("equals")?.scalar
            section.finish()
            if let pointer, let scalar {
                failureUnless = Condition(pointer: pointer, equals: JSONValue(scalar))
            } else if scalar == nil {
                section.problem("equals", found: "nothing to compare", wanted: "text, a number, true or false")
            }
        }
    }
}

extension YAMLReader {
    /// Words of a provider.
    func words(_ name: String) -> Set<FoldedText> {
        let words = strings(name) ?? []
        for word in words where FoldedText(word).description.isEmpty || word.utf8.count > FoldedText.longest {
            problem(name, found: word.quoted, wanted: "the provider's words, 1 to \(FoldedText.longest) bytes")
        }
        return Set(words.map { FoldedText($0) })
    }

    func pointer(_ name: String, isRequired: Bool = false) -> JSONPointer? {
        let wanted = "a JSON pointer such as /data/token (RFC 6901)"
        guard let text = isRequired ? required(name, wanted) : string(name) else { return nil }
        let pointer = JSONPointer(text)
        if pointer == nil { problem(name, found: text.quoted, wanted: wanted) }
        return pointer
    }
}

extension JSONValue {
    fileprivate init(_ scalar: Node.Scalar) {
        if scalar.style == .plain, let flag = Bool.construct(from: scalar) {
            self = .bool(flag)
        } else if scalar.style == .plain, let number = Double(scalar.string) {
            self = .number(number)
        } else {
            self = .string(scalar.string)
        }
    }
}
