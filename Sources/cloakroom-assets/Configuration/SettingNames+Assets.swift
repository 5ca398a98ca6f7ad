import Daemon

extension SettingNames {
    /// The asset service's settings. `embedding.models` is a list of mappings, which no variable can say.
    static let assets = SettingNames(
        program: "cloakroom-assets",
        all: [
            "http.host", "http.port", "http.maxConnections", "http.requestTimeout", "http.trustedProxies",
            "frontend.origins", "auth.issuer", "auth.audience", "auth.jwksFile", "auth.jwksURL",
            "auth.hmacSecretFile", "auth.tenantClaim", "auth.scopeClaim", "storage.url", "masterKeyFile",
            "broker.url", "broker.signingKeyFile", "broker.keyId", "broker.issuer", "broker.audience",
            "broker.tokenFile", "broker.timeout", "sources.connectTimeout", "sources.timeout",
            "sources.allowInsecure", "sources.allowPrivateAddresses", "sources.maxDocumentBytes",
            "sources.maxDocuments", "sources.retry.attempts", "sources.retry.base", "sources.retry.max",
            "sources.addresses.google_drive", "sources.addresses.github", "sources.addresses.notion",
            "chunking.size", "chunking.overlap", "workers.operations", "workers.documents", "limits.uploadBytes",
            "log.level", "log.format", "tracing.endpoint", "tracing.sampleRatio",
        ],
        lists: ["http.trustedProxies", "frontend.origins"])
}
