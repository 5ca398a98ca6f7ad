import Broker
import Catalog
import Daemon
import Formats
import Secrets

/// The one flow of `sources try`: starts it, waits for its end, and reports what came without a token.
struct Trial: Sendable {
    let broker: Broker
    let sourceType: String
    let parameters: [String: String]
    /// `nil`: the source type's own.
    let scopes: [String]?
    let verifier: ExchangeVerifier
    /// What to try where the provider refuses the client; `nil` where nothing about it is in doubt.
    var advice: String?
    /// The facts of the entry that nobody has confirmed before this trial.
    var unverified: [OAuthProfile.UnverifiedFact] = []
    /// The provider is found from a parameter.
    var isFound = false

    /// Of no installation: the database is one for this flow alone.
    private static let tenant = "cloakroom-try"

    /// Starts the flow: its id, and the address to open in a browser.
    func begin() async throws -> (flow: FlowID, address: AuthorizationURL) {
        guard let tenant = TenantID(Self.tenant) else { throw Refusal("the trial's tenant is malformed") }
        let request = AuthorizeRequest(
            tenant: tenant, sourceType: sourceType, parameters: parameters, scopes: scopes,
            exchangeChallenge: CodeChallenge(of: verifier).text)
        for (number, step) in (await broker.examineResource(for: request) ?? []).enumerated() {
            Terminal.write("\(number + 1). \(step)".visible)
        }
        do {
            let authorization = try await broker.authorize(request)
            if let examined = await broker.examineMetadata(for: request), let remark = examined.remark {
                Terminal.write("warning: the metadata of \(examined.issuer): \(remark)".visible)
            }
            return (authorization.flow, authorization.url)
        } catch {
            throw Refusal(
                "the flow could not start: \(Self.words(error, isFound: isFound))",
                hint: Self.hint(error, of: sourceType, isFound: isFound))
        }
    }

    /// Waits for the flow's end, and tells in plain words and without a token what came back.
    func report(of id: FlowID) async throws -> String {
        while true {
            guard let ended = try await broker.conclude(id, verifier: verifier) else {
                // Asked for again and again, as any frontend would: nothing in the broker tells of a flow's end.
                try await Task.sleep(for: .milliseconds(300))
                continue
            }
            switch ended {
            case .expired: throw Refusal("nobody came back in time", hint: "run the command again, and consent sooner")
            case .failed(let error, let reason):
                let words = reason.map { ": \($0)" } ?? ""
                let usual =
                    "compare the app's redirect address, client id, secret and scopes with `cloakroom sources show \(sourceType)`"
                throw Refusal(
                    "the flow failed with \(error)\(words)",
                    hint: Self.hint(error, reason: reason ?? "", usual: usual, advice: advice))
            case .unreadable: throw Refusal("the credentials cannot be decrypted", hint: "run the command again")
            case .redeemed: throw Refusal("somebody else took the credentials", hint: "run the command again")
            case .succeeded(let json): return try Self.summary(json, unverified: unverified)
            }
        }
    }

    /// - Parameter advice: only a refusal by the token endpoint can be for want of the right proof; where nothing is at
    ///   the address, nobody has looked at it.
    static func hint(_ error: String, reason: String, usual: String, advice: String?) -> String {
        guard error == "provider_rejected" else { return usual }
        if ["answered 404", "answered 405", "answered 410"].contains(where: reason.contains) {
            return "nothing takes tokens' requests at this address: compare it with the provider's documentation"
        }
        return advice.map { "\(usual); \($0)" } ?? usual
    }

    /// The redirect address that an authorization request names; `nil` where it was pushed ahead.
    static func redirectURI(in address: String) -> String? {
        let query = address.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        return Percent.pairs(query)?.first { $0.0 == "redirect_uri" }?.1
    }

    /// The credentials' lines; each is made visible by itself, since the provider's words are among them.
    static func summary(_ json: SecretBytes, unverified: [OAuthProfile.UnverifiedFact] = []) throws -> String {
        guard case .object(let members)? = json.expose({ JSONValue(json: $0) }) else {
            throw Refusal("the credentials could not be read")
        }
        let has = { (name: String) in members[name].map { $0 != .null } ?? false }
        var lines = ["connected: the provider granted an access token of type \(members["tokenType"]?.string ?? "?")"]
        if let scope = members["scope"]?.string {
            lines.append("scopes granted: \(scope)")
        } else {
            lines.append("scopes granted: not told, which means those that were asked for (RFC 6749 § 5.1)")
        }
        let expiry = members.time("expiresAt")
        lines.append("access token expires: \(expiry.isEmpty ? "not told" : expiry)")
        lines.append("refresh token: \(has("refreshToken") ? "yes" : "no")")
        if has("idToken") { lines.append("id_token: yes") }
        if case .object(let extras)? = members["extras"], !extras.isEmpty {
            lines.append("extras: \(extras.keys.sorted().joined(separator: ", "))")
        }
        if case .array(let warnings)? = members["warnings"] {
            lines += warnings.compactMap(\.string).map { "warning: \(meaning(of: $0))" }
        }
        lines += outcome(of: unverified, hasRefreshToken: has("refreshToken"), hasScope: has("scope"))
        lines.append("the tokens were dropped; revoke the app's access at the provider if this was only a trial")
        return lines.map(\.visible).joined(separator: "\n")
    }

    /// What a connection says of the facts that were in doubt. One that was not used is in doubt still.
    private static func outcome(
        of unverified: [OAuthProfile.UnverifiedFact], hasRefreshToken: Bool, hasScope: Bool
    ) -> [String] {
        let seen = unverified.filter { fact in
            switch fact {
            case .clientAuthentication, .pkce, .tokenRequest, .issuer, .callback: true
            case .scopes: hasScope
            case .refreshToken, .revocation, .tokenResponse, .regions: false
            }
        }
        let left = unverified.filter { !seen.contains($0) }.map { fact in
            guard fact == .refreshToken else { return fact.words }
            return "\(fact.words) (\(hasRefreshToken ? "one came, and was not used" : "none came"))"
        }
        var lines: [String] = []
        if !seen.isEmpty {
            lines.append("unverified before, and seen to work: \(seen.map(\.words).joined(separator: ", "))")
        }
        if !left.isEmpty { lines.append("unverified still: \(left.joined(separator: ", "))") }
        return lines
    }
}
