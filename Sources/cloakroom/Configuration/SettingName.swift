import Formats

/// The names of settings, as the file has them (`http.publicURL`) and the environment (`CLOAKROOM_HTTP_PUBLIC_URL`).
enum SettingName {
    /// Settings with one value each, in the order of the documentation. `clients` and `frontend.tenants` have names of
    /// their own.
    private static let all = [
        "http.host", "http.port", "http.publicURL", "http.maxConnections", "http.requestTimeout",
        "http.trustedProxies", "admin.host", "admin.port", "frontend.origins", "frontend.returnURLs", "auth.issuer",
        "auth.audience", "auth.jwksFile", "auth.jwksURL", "auth.hmacSecretFile", "auth.tenantClaim",
        "auth.scopeClaim", "storage.url", "masterKeyFile", "lifetimes.state", "lifetimes.credentialKey",
        "lifetimes.auditEvents", "provider.connectTimeout", "provider.timeout", "provider.maxResponseBytes",
        "provider.allowInsecure", "provider.allowPrivateAddresses", "provider.caFile", "provider.callsPerTenant",
        "provider.callsPerHost", "provider.proxy", "provider.proxyPasswordFile", "provider.noProxy", "catalogFiles",
        "limits.authorizePerTenant", "limits.callbackPerAddress",
        "limits.redeemPerAddress", "limits.refreshPerTenant", "limits.revokePerTenant",
        "limits.outstandingFlowsPerTenant", "limits.outstandingFlows", "log.level", "log.format", "tracing.endpoint",
        "tracing.sampleRatio",
    ]
    private static let lists: Set = [
        "http.trustedProxies", "frontend.origins", "frontend.returnURLs", "provider.noProxy", "catalogFiles",
    ]
    private static let tenantMembers = ["origins", "returnURLs"]
    /// The longest first: what ends in `_CERTIFICATE_KEY_FILE` may end in a shorter one's name too.
    private static let clientMembers = [
        "clientId", "clientSecret", "clientSecretFile", "privateKeyFile", "keyId", "algorithm", "certificateFile",
        "certificateKeyFile", "legacyRedirect",
    ].sorted { $0.count > $1.count }

    static let prefix = "CLOAKROOM_"
    /// Read by the commands that call the admin API, not settings.
    private static let others: Set = ["CLOAKROOM_BROKER", "CLOAKROOM_TOKEN"]

    /// Tells whether a variable of the environment is meant as a setting, well named or not.
    static func isMeant(by variable: String) -> Bool {
        variable.hasPrefix(prefix) && !others.contains(variable)
    }

    /// `http.publicURL` is `CLOAKROOM_HTTP_PUBLIC_URL`.
    static func variable(_ name: String) -> String {
        prefix + name.split(separator: ".").map { snake(String($0)) }.joined(separator: "_")
    }

    /// The variables with fixed names.
    static var variables: [String] { all.map(variable) }

    /// The setting that an unknown variable may have meant, as ` (did you mean "…"?)`: one that is spelt nearly so, or
    /// one of that name in a section that was left out.
    static func guess(_ name: String) -> String {
        let near = name.guess(among: variables)
        let rest = name.dropFirst(prefix.count - 1)
        guard near.isEmpty, rest.utf8.count > 1, let meant = variables.first(where: { $0.hasSuffix(rest) }) else {
            return near
        }
        return " (did you mean \"\(meant)\"?)"
    }

    /// The place in the file of what a variable sets; `nil` where it is the name of no setting.
    ///
    /// Capitals of a tenant's name cannot be told from its variable: it comes as it is spelt there.
    static func path(of variable: String) -> [String]? {
        if let name = all.first(where: { self.variable($0) == variable }) {
            return name.split(separator: ".").map(String.init)
        }
        if let (tenant, member) = split(variable, after: "FRONTEND_TENANTS_", before: tenantMembers) {
            return ["frontend", "tenants", tenant, member]
        }
        if let (client, member) = split(variable, after: "CLIENTS_", before: clientMembers) {
            return ["clients", client.lowercased(), member]
        }
        return parameterPath(of: variable)
    }

    /// `CLOAKROOM_CLIENTS_OKTA_PARAMETERS_DOMAIN`: the parameter's name is the catalog's, not one of ours.
    private static func parameterPath(of variable: String) -> [String]? {
        let start = prefix + "CLIENTS_"
        guard variable.hasPrefix(start), let middle = variable.firstRange(of: "_PARAMETERS_") else { return nil }
        let client = variable[..<middle.lowerBound].dropFirst(start.count)
        let parameter = variable[middle.upperBound...]
        guard !client.isEmpty, !parameter.isEmpty else { return nil }
        return ["clients", client.lowercased(), "parameters", parameter.lowercased()]
    }

    /// The name between the beginning of a variable and the member at its end.
    private static func split(
        _ variable: String, after start: String, before members: [String]
    ) -> (name: String, member: String)? {
        let start = prefix + start
        guard variable.hasPrefix(start) else { return nil }
        for member in members {
            let end = "_" + snake(member)
            guard variable.hasSuffix(end) else { continue }
            let name = variable.dropFirst(start.count).dropLast(end.count)
            return name.isEmpty ? nil : (String(name), member)
        }
        return nil
    }

    /// Tells whether a setting takes a list, which the environment writes with commas.
    static func isList(_ path: [String]) -> Bool {
        path.starts(with: ["frontend", "tenants"]) || lists.contains(path.joined(separator: "."))
    }

    /// `publicURL` is `PUBLIC_URL`.
    private static func snake(_ name: String) -> String {
        var snake = ""
        var previous: Character?
        for character in name {
            if character.isUppercase, previous?.isLowercase == true { snake += "_" }
            snake += character.uppercased()
            previous = character
        }
        return snake
    }
}
