import Daemon

extension SettingNames {
    /// The broker's settings.
    static let broker = SettingNames(
        program: "cloakroom",
        all: [
            "http.host", "http.port", "http.publicURL", "http.maxConnections", "http.requestTimeout",
            "http.trustedProxies", "admin.host", "admin.port", "frontend.origins", "frontend.returnURLs",
            "auth.issuer", "auth.audience", "auth.jwksFile", "auth.jwksURL", "auth.hmacSecretFile",
            "auth.tenantClaim", "auth.scopeClaim", "storage.url", "storage.passwordFile",
            "storage.requireSynchronousStandby", "masterKeyFile", "lifetimes.state",
            "lifetimes.credentialKey", "lifetimes.auditEvents", "provider.connectTimeout", "provider.timeout",
            "provider.maxResponseBytes", "provider.allowInsecure", "provider.allowPrivateAddresses",
            "provider.caFile", "provider.callsPerTenant", "provider.callsPerHost", "provider.proxy",
            "provider.proxyPasswordFile", "provider.noProxy", "catalogFiles", "mcp.servers",
            "mcp.clientDocuments", "limits.authorizePerTenant",
            "limits.callbackPerAddress", "limits.redeemPerAddress", "limits.refreshPerTenant",
            "limits.revokePerTenant", "limits.outstandingFlowsPerTenant", "limits.outstandingFlows", "limits.shared",
            "log.level",
            "log.format", "tracing.endpoint", "tracing.sampleRatio",
        ],
        lists: [
            "http.trustedProxies", "frontend.origins", "frontend.returnURLs", "provider.noProxy", "catalogFiles",
            "mcp.servers",
        ],
        families: [
            Family(
                "frontend.tenants", members: ["origins", "returnURLs"], areLists: true,
                spelling: Spelling(noun: "tenant", setting: "pages")),
            Family(
                "clients",
                members: [
                    "clientId", "clientSecret", "clientSecretFile", "privateKeyFile", "keyId", "algorithm",
                    "certificateFile", "certificateKeyFile", "legacyRedirect",
                ], open: "parameters"),
        ],
        // Read by the commands that call the admin API; and those of the asset service, which may run beside a broker.
        others: ["CLOAKROOM_BROKER", "CLOAKROOM_TOKEN", "CLOAKROOM_ASSETS_"])
}
