import Yams

/// All source types of this installation. Made once at start; nothing changes it.
public struct Catalog: Sendable {
    /// Sorted by id.
    public let sourceTypes: [SourceType]
    private let byID: [SourceType.ID: SourceType]

    public subscript(id: SourceType.ID) -> SourceType? { byID[id] }

    /// The names under which clients may be configured: source types and providers, where there is OAuth.
    package var clientNames: Set<String> {
        Set(sourceTypes.filter { $0.oauth != nil }.flatMap { [$0.id.description, $0.provider] })
    }

    init(_ sourceTypes: [SourceType.ID: SourceType]) {
        byID = sourceTypes
        self.sourceTypes = sourceTypes.values.sorted { $0.id < $1.id }
    }

    /// The built-in catalog, then `files` in their order: each adds source types, or replaces them whole.
    ///
    /// What is wrong goes to `findings`, one line each; the result then holds what was sound.
    package init(files: [(name: String, text: String)] = [], allowInsecure: Bool, findings: Findings) {
        var sourceTypes: [SourceType.ID: SourceType] = [:]
        for (name, text) in BuiltInCatalog.files + files {
            guard let top = YAMLReader(text: text, file: name, findings: findings) else { continue }
            if let entries = top.section("sourceTypes") {
                for name in entries.names {
                    guard let entry = entries.section(name) else { continue }
                    guard let id = SourceType.ID(name) else {
                        entries.problem(
                            name, found: YAMLReader.quote(name), wanted: "a source type like ^[a-z][a-z0-9_]{0,63}$")
                        continue
                    }
                    if let sourceType = SourceType(entry, id: id, allowInsecure: allowInsecure) {
                        sourceTypes[id] = sourceType
                    }
                }
            } else if !top.names.contains("sourceTypes") {
                top.problem("sourceTypes", found: "nothing", wanted: "a mapping of source types")
            }
            top.finish()
        }
        self.init(sourceTypes)
    }

}

extension SourceType {
    init?(_ entry: YAMLReader, id: ID, allowInsecure: Bool) {
        let before = entry.findings.lines.count
        let displayName = entry.required("displayName", "the name that people know it by")
        let category = entry.required("category", "a word such as drive, wiki or chat")
        let provider = entry.string("provider") ?? id.description
        if ID(provider) == nil {
            entry.problem("provider", found: YAMLReader.quote(provider), wanted: "a name like ^[a-z][a-z0-9_]{0,63}$")
        }
        let documentation = entry.string("documentation")
        let section = entry.section("oauth")
        let oauth = section.flatMap { OAuthProfile($0, allowInsecure: allowInsecure) }
        entry.finish()
        guard let displayName, let category, entry.findings.lines.count == before else { return nil }
        self.init(
            id: id, displayName: displayName, category: category, provider: provider, documentation: documentation,
            oauth: oauth)
    }
}

extension OAuthProfile {
    /// Members of the format that this version does not act on. Said at start: a rule that is not kept must not
    /// look as if it were.
    private static let unsupported = [
        "discovery", "openid", "jwksURL", "pushedAuthorizationURL",
    ]

    init?(_ entry: YAMLReader, allowInsecure: Bool) {
        let before = entry.findings.lines.count
        let parameters = Self.parameters(entry)
        // A parameter that was refused is declared all the same: its mistake is told once.
        let refused = Set(entry.mappingNames("parameters")).subtracting(parameters.map(\.name))
        let template = { (name: String) in Self.template(name, entry, parameters, refused, allowInsecure) }
        let authorizationURL = template("authorizationURL")
        let tokenURL = template("tokenURL")
        for name in ["authorizationURL", "tokenURL"] where !entry.names.contains(name) {
            entry.problem(name, found: "nothing", wanted: "an https address")
        }
        // Read by refresh and revocation; checked here so that a mistake shows at start.
        _ = template("refreshURL")
        _ = template("revocationURL")
        for name in Self.unsupported {
            guard let node = entry.node(name) else { continue }
            if node.scalar.flatMap({ Bool.construct(from: $0) }) != false {
                entry.problem(name, found: "it set", wanted: "it left out: this version does not support it")
            }
        }
        let issuer = entry.string("issuer")
        let requireIssuer = entry.bool("requireIssuer") ?? false
        if requireIssuer, issuer == nil {
            entry.problem("issuer", found: "nothing", wanted: "the issuer that requireIssuer asks for")
        }
        let scopes = Self.scopes("scopes", entry)
        let alwaysScopes = Self.scopes("alwaysScopes", entry)
        let scopeSeparator = entry.string("scopeSeparator") ?? " "
        if scopeSeparator.isEmpty {
            entry.problem("scopeSeparator", found: "\"\"", wanted: "what stands between two scopes")
        }
        let scopeParameter = entry.string("scopeParameter") ?? "scope"
        let authorizationParameters = entry.pairs("authorizationParameters") ?? []
        // What binds the flow is ours alone: a catalog entry cannot replace it.
        let reserved = ["client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "nonce"]
        let isPlain =
            !scopeParameter.isEmpty
            && scopeParameter.utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == 0x5F || $0 == 0x2D || $0 == 0x2E }
        if !isPlain || (reserved + ["response_type"]).contains(scopeParameter) {
            entry.problem("scopeParameter", found: YAMLReader.quote(scopeParameter), wanted: "a parameter of its own")
        }
        for (name, _) in authorizationParameters where reserved.contains(name) {
            entry.problem("authorizationParameters.\(name)", found: "it set", wanted: "it left out: the broker sets it")
        }
        let tokenParameters = entry.pairs("tokenParameters") ?? []
        let tokenHeaders = entry.pairs("tokenHeaders") ?? []
        for (name, value) in tokenHeaders where !HeaderText.isName(name) || !HeaderText.isValue(value) {
            entry.problem(
                "tokenHeaders.\(name)", found: YAMLReader.quote(value), wanted: "an HTTP header (RFC 9110 § 5)")
        }
        for (name, _) in tokenHeaders where HeaderText.framing.contains(name.lowercased()) {
            entry.problem("tokenHeaders.\(name)", found: "it set", wanted: "it left out: the transport sets it")
        }
        let clientAuthentication = entry.choice("clientAuthentication", of: ClientAuthentication.self) ?? .basic
        let tokenRequestFormat = entry.choice("tokenRequestFormat", of: TokenRequestFormat.self) ?? .form
        let tokenMethod = entry.choice("tokenMethod", of: TokenMethod.self) ?? .post
        let proofKey = entry.choice("pkce", of: ProofKey.self) ?? .s256
        let refreshRule = entry.choice("refreshToken", of: RefreshTokenRule.self)
        let cutsOpener = entry.bool("cutsOpener") ?? false
        let response = entry.section("response").map { ResponseShape($0) } ?? ResponseShape()
        let extras = entry.section("extras").map { Extras($0) } ?? Extras()
        entry.finish()
        guard let authorizationURL, let tokenURL, entry.findings.lines.count == before else { return nil }

        let asksForOfflineAccess =
            alwaysScopes.contains { Self.offlineScopes.contains($0) }
            || scopes.contains { Self.offlineScopes.contains($0) }
            || authorizationParameters.contains {
                $0.value == "offline" || ($0.name == "duration" && $0.value == "permanent")
            }
        self.init(
            authorizationURL: authorizationURL, tokenURL: tokenURL, issuer: issuer, requireIssuer: requireIssuer,
            scopes: scopes, alwaysScopes: alwaysScopes, scopeSeparator: scopeSeparator, scopeParameter: scopeParameter,
            authorizationParameters: authorizationParameters, tokenParameters: tokenParameters,
            tokenHeaders: tokenHeaders, clientAuthentication: clientAuthentication,
            tokenRequestFormat: tokenRequestFormat, tokenMethod: tokenMethod == .get ? .get : .post, proofKey: proofKey,
            refreshToken: refreshRule ?? (asksForOfflineAccess ? .expected : .optional), cutsOpener: cutsOpener,
            parameters: parameters.sorted { $0.name < $1.name }, response: response, extras: extras)
    }

    /// Scopes by which providers are asked for a refresh token (OpenID Connect Core § 11, and their own words).
    static let offlineScopes: Set = ["offline_access", "refresh_token", "offline", "offline.access"]

    private enum TokenMethod: String, CaseIterable {
        case post = "POST"
        case get = "GET"
    }

    private static func parameters(_ entry: YAMLReader) -> [Parameter] {
        guard let section = entry.section("parameters") else { return [] }
        var parameters: [Parameter] = []
        for name in section.names {
            guard let one = section.section(name) else { continue }
            let text = one.required("pattern", "a regular expression that values match whole") ?? ""
            let description = one.string("description") ?? ""
            let defaultValue = one.string("default")
            let required = one.bool("required") ?? (defaultValue == nil)
            one.finish()
            guard !text.isEmpty else { continue }
            guard let pattern = Pattern(text) else {
                one.problem("pattern", found: YAMLReader.quote(text), wanted: "a regular expression")
                continue
            }
            if let defaultValue, !pattern.matches(defaultValue) {
                one.problem("default", found: YAMLReader.quote(defaultValue), wanted: "a value that matches \(text)")
            }
            parameters.append(
                Parameter(
                    name: name, description: description, pattern: pattern, required: required,
                    defaultValue: defaultValue))
        }
        return parameters
    }

    private static func template(
        _ name: String, _ entry: YAMLReader, _ parameters: [Parameter], _ refused: Set<String>, _ allowInsecure: Bool
    ) -> URLTemplate? {
        guard let text = entry.string(name) else { return nil }
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
            entry.problem(name, found: YAMLReader.quote(text), wanted: wanted)
            return nil
        }
        if template.isInsecure, !allowInsecure {
            entry.problem(
                name, found: YAMLReader.quote(text), wanted: "an https address (or provider.allowInsecure, for trials)")
        }
        for placeholder in template.placeholders where !refused.contains(placeholder) {
            guard let parameter = parameters.first(where: { $0.name == placeholder }) else {
                entry.problem(
                    name, found: "the placeholder {\(placeholder)}",
                    wanted: "one of the entry's parameters"
                        + YAMLReader.guess(placeholder, among: parameters.map(\.name)))
                continue
            }
            if !parameter.required, parameter.defaultValue == nil {
                entry.problem(
                    "parameters.\(placeholder)", found: "an optional parameter in \(name)",
                    wanted: "required: true, or a default")
            }
        }
        return template
    }

    private static func scopes(_ name: String, _ entry: YAMLReader) -> [String] {
        let scopes = entry.strings(name) ?? []
        for scope in scopes where !Scopes.isToken(scope) {
            entry.problem(name, found: YAMLReader.quote(scope), wanted: "scopes without spaces (RFC 6749 § 3.3)")
        }
        return scopes
    }
}

extension OAuthProfile.ResponseShape {
    init(_ entry: YAMLReader) {
        self.init()
        let pointer = { (name: String) -> JSONPointer? in
            guard let text = entry.string(name) else { return nil }
            let pointer = JSONPointer(text)
            if pointer == nil {
                entry.problem(
                    name, found: YAMLReader.quote(text), wanted: "a JSON pointer such as /data/token (RFC 6901)")
            }
            return pointer
        }
        accessToken = pointer("accessToken") ?? accessToken
        refreshToken = pointer("refreshToken") ?? refreshToken
        tokenType = pointer("tokenType") ?? tokenType
        expiresIn = pointer("expiresIn") ?? expiresIn
        expiresAt = pointer("expiresAt")
        scope = pointer("scope") ?? scope
        idToken = pointer("idToken") ?? idToken
        error = pointer("error") ?? error
        errorDescription = pointer("errorDescription") ?? errorDescription
        if let section = entry.section("failureUnless") {
            let text = section.required("pointer", "a JSON pointer (RFC 6901)") ?? ""
            let value = section.node("equals")
            section.finish()
            if let pointer = JSONPointer(text), let value, let scalar = value.scalar {
                failureUnless = Condition(pointer: pointer, equals: JSONValue(scalar))
            } else if JSONPointer(text) == nil {
                section.problem("pointer", found: YAMLReader.quote(text), wanted: "a JSON pointer (RFC 6901)")
            } else {
                section.problem("equals", found: "nothing to compare", wanted: "text, a number, true or false")
            }
        }
        // Read by refresh; checked here so that a mistake shows at start.
        if let refresh = entry.section("refresh") { _ = OAuthProfile.ResponseShape(refresh) }
        entry.finish()
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

extension OAuthProfile.Extras {
    init(_ entry: YAMLReader) {
        self.init()
        callback = entry.strings("callback") ?? []
        for name in callback where ["code", "state", "error", "error_description", "iss"].contains(name) {
            entry.problem(
                "callback", found: YAMLReader.quote(name), wanted: "parameters that the protocol does not use")
        }
        for (name, text) in entry.pairs("token") ?? [] {
            guard let pointer = JSONPointer(text) else {
                entry.problem("token.\(name)", found: YAMLReader.quote(text), wanted: "a JSON pointer (RFC 6901)")
                continue
            }
            token[name] = pointer
        }
        entry.finish()
    }
}

/// What may stand in an HTTP header (RFC 9110 § 5.1, § 5.5).
enum HeaderText {
    /// Headers that say where a message goes or ends: never an entry's business.
    static let framing: Set = [
        "host", "connection", "content-length", "transfer-encoding", "expect", "te", "trailer", "upgrade",
    ]

    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0.isASCIILetterOrDigit || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }

    static func isValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    }
}

/// Lists of scopes (RFC 6749 § 3.3).
enum Scopes {
    /// Visible ASCII without `"` and `\`.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 256
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
    }

    /// Both lists, each scope once, in order.
    static func union(_ first: [String], _ second: [String]) -> [String] {
        second.reduce(into: first) { scopes, scope in if !scopes.contains(scope) { scopes.append(scope) } }
    }

    /// The scopes in a provider's answer, whether it separates them by spaces or commas.
    static func split(_ text: String) -> [String] {
        text.split { $0 == " " || $0 == "," || $0 == "\n" || $0 == "\t" }.map(String.init)
    }
}
