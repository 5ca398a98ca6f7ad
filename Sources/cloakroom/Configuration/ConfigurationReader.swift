import Broker
import BrokerServer
import CurlTransport
import Foundation
import Logging
import Secrets

/// Turns settings into a configuration, and says all that is wrong at once.
struct ConfigurationReader {
    let settings: Settings
    private let findings: Findings
    private let secretFiles = SecretFiles()

    /// Those that were read.
    private final class SecretFiles {
        var all: [SecretFile] = []
    }

    /// The configuration, or a refusal with a line for each thing that is wrong.
    static func configuration(
        file: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws -> Configuration {
        let findings = Findings()
        guard let settings = Settings(file: file, environment: environment, findings: findings) else {
            throw Refusal(findings.lines)
        }
        let reader = ConfigurationReader(settings: settings, findings: findings)
        let configuration = await reader.read()
        guard let configuration, findings.lines.isEmpty else { throw Refusal(findings.lines) }
        return configuration
    }

    private func read() async -> Configuration? {
        let top = settings.top
        var remarks = settings.remarks

        let http = section("http")
        let host = http.string("host") ?? "127.0.0.1"
        let port = http.integer("port", in: 1...65535) ?? 8080
        let publicURL = publicURL(http)
        let proxies = proxies(http)
        var listener = ListenerBounds()
        if let most = http.integer("maxConnections", in: 1...1_000_000) { listener.maxConnections = most }
        if let seconds = http.integer("requestTimeout", in: 1...300) { listener.requestTimeout = .seconds(seconds) }
        http.finish()
        let operators = operators(top, beside: Configuration.Address(host: host, port: port))
        if let publicURL, publicURL.text.hasPrefix("http://") {
            remarks.append("http.publicURL is plain http: suitable for trials on this machine only")
        }

        let frontend = section("frontend")
        let frontends = frontends(frontend, default: publicURL?.origin, &remarks)
        frontend.finish()

        let provider = section("provider")
        let transport = transport(provider)
        let shares = shares(provider)
        provider.finish()

        let auth = section("auth")
        let issuer = auth.required("issuer", "the iss of callers' tokens")
        let audience = auth.required("audience", "the aud of callers' tokens")
        let tenantClaim = auth.string("tenantClaim") ?? "tenant"
        let scopeClaim = auth.string("scopeClaim") ?? "scope"
        let callerKeys = await callerKeys(auth, allowInsecure: transport.allowInsecure, &remarks)
        auth.finish()

        let storage = section("storage")
        let storePath = storePath(storage)
        storage.finish()

        let keyRing = keyRing(top)

        let lifetimes = section("lifetimes")
        let stateLifetime = lifetimes.integer("state", in: 1...86_400) ?? 600
        let keyLifetime = lifetimes.integer("credentialKey", in: 1...86_400) ?? 300
        // A day to ten years; the trail tells of spent keys for longer than the flows do.
        let eventLifetime = lifetimes.integer("auditEvents", in: 86_400...315_360_000) ?? 90 * 86_400
        lifetimes.finish()

        let (catalog, isWhole) = catalog(top, allowInsecure: transport.allowInsecure)
        let clients = clients(section("clients"), catalog, isWhole: isWhole)

        let limited = section("limits")
        let limits = Limits(
            authorizePerTenant: rate("authorizePerTenant", limited),
            callbackPerAddress: rate("callbackPerAddress", limited),
            redeemPerAddress: rate("redeemPerAddress", limited),
            refreshPerTenant: rate("refreshPerTenant", limited), revokePerTenant: rate("revokePerTenant", limited))
        let bounds = FlowBounds(
            perTenant: limited.integer("outstandingFlowsPerTenant", in: 0...100_000) ?? 0,
            inAll: limited.integer("outstandingFlows", in: 0...1_000_000) ?? 0)
        limited.finish()
        // The broker speaks no TLS itself: behind an https address, and on loopback, something stands before it.
        let isBehindProxy = publicURL?.text.hasPrefix("https://") == true || Self.isLoopback(host)
        if limits.countsAddresses, proxies.isEmpty, isBehindProxy {
            remarks.append(
                "limits by address are set and http.trustedProxies is empty: behind a proxy all callers share one limit"
            )
        }

        let log = section("log")
        let level = log.choice("level", of: Logger.Level.self) ?? .info
        let format = log.choice("format", of: Configuration.LogFormat.self) ?? .json
        log.finish()

        let traced = section("tracing")
        let tracing = tracing(traced)
        traced.finish()
        top.finish()

        guard let publicURL, let frontends, let issuer, let audience, let callerKeys, let storePath, let keyRing else {
            return nil
        }
        return Configuration(
            origin: settings.top.file, host: host, port: port, operators: operators, listener: listener,
            broker: Broker.Settings(
                publicURL: publicURL, frontends: frontends, stateLifetime: Int64(stateLifetime),
                credentialKeyLifetime: Int64(keyLifetime), auditEventLifetime: Int64(eventLifetime)),
            proxies: proxies, limits: limits, bounds: bounds,
            rules: Callers.Rules(
                issuer: issuer, audience: audience, tenantClaim: tenantClaim, scopeClaim: scopeClaim),
            callerKeys: callerKeys,
            storePath: storePath, keyRing: keyRing.ring, masterKeyFile: keyRing.file, transport: transport,
            shares: shares, catalog: catalog, clients: clients,
            logLevel: level, logFormat: format, tracing: tracing, remarks: remarks,
            secretFiles: secretFiles.all)
    }

    /// A section that is absent, or no mapping (a finding then), reads as an empty one.
    private func section(_ name: String) -> YAMLReader {
        if let section = settings.top.section(name) { return section }
        return settings.top.emptySection(name)
    }

    // MARK: addresses

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }

    private func operators(_ top: YAMLReader, beside main: Configuration.Address) -> Configuration.Address? {
        guard top.names.contains("admin") else { return nil }
        let admin = section("admin")
        let address = Configuration.Address(
            host: admin.string("host") ?? "127.0.0.1", port: admin.integer("port", in: 1...65535) ?? 8081)
        admin.finish()
        let isEverywhere = ["0.0.0.0", "::"].contains { $0 == main.host || $0 == address.host }
        if address.port == main.port, address.host == main.host || isEverywhere {
            admin.problem("port", found: "\(address.port), which is that of http", wanted: "a port of its own")
        }
        return address
    }

    private func publicURL(_ http: YAMLReader) -> StrictURL? {
        let wanted = "the https address under which browsers reach the broker"
        guard let text = http.required("publicURL", wanted) else { return nil }
        var trimmed = text[...]
        while trimmed.hasSuffix("/") { trimmed = trimmed.dropLast() }
        guard let url = StrictURL(trimmed), !url.rest.contains("?") else {
            http.problem("publicURL", found: YAMLReader.quote(text), wanted: wanted)
            return nil
        }
        return url
    }

    private func proxies(_ http: YAMLReader) -> TrustedProxies {
        let wanted = "addresses or blocks of them, such as 10.0.0.0/8 or ::1"
        return TrustedProxies(
            (http.strings("trustedProxies") ?? []).compactMap { text in
                let block = AddressBlock(text)
                if block == nil { http.problem("trustedProxies", found: YAMLReader.quote(text), wanted: wanted) }
                return block
            })
    }

    /// Requests a second. Less than one in a thousand seconds is a slip, not a wish.
    private func rate(_ name: String, _ limits: YAMLReader) -> Double {
        guard let rate = limits.number(name, upTo: 1_000_000) else { return 0 }
        if rate > 0, rate < 0.001 {
            limits.problem(name, found: "\(rate)", wanted: "0 for no limit, or at least 0.001 requests a second")
        }
        return rate
    }

    private func tracing(_ traced: YAMLReader) -> Configuration.Tracing? {
        let ratio = traced.number("sampleRatio", upTo: 1) ?? 1
        guard let text = traced.string("endpoint") else { return nil }
        guard let url = StrictURL(text), !url.rest.isEmpty else {
            traced.problem(
                "endpoint", found: YAMLReader.quote(text),
                wanted: "the address where a collector takes OTLP, such as http://127.0.0.1:4318/v1/traces")
            return nil
        }
        return Configuration.Tracing(endpoint: url.text, sampleRatio: ratio)
    }

    private func storePath(_ storage: YAMLReader) -> String? {
        let text = storage.string("url") ?? "sqlite:cloakroom.db"
        let path = text.hasPrefix("sqlite:") ? String(text.dropFirst("sqlite:".count)) : ""
        guard !path.isEmpty, !path.hasPrefix(":"), !path.hasPrefix("file:") else {
            // The scheme alone: the rest of a database address may hold a password.
            let scheme = text.split(separator: ":", maxSplits: 1).first.map(String.init) ?? ""
            let found =
                text.hasPrefix("sqlite:")
                ? YAMLReader.quote(text) : "an address with the scheme \(YAMLReader.quote(scheme))"
            storage.problem("url", found: found, wanted: "sqlite:PATH, a file; this version has no other store")
            return nil
        }
        return settings.absolute(path)
    }

    private func transport(_ provider: YAMLReader) -> CurlTransport.Configuration {
        var transport = CurlTransport.Configuration()
        if let seconds = provider.integer("connectTimeout", in: 1...300) {
            transport.connectTimeout = .seconds(seconds)
        }
        if let seconds = provider.integer("timeout", in: 1...300) { transport.timeout = .seconds(seconds) }
        if let bytes = provider.integer("maxResponseBytes", in: 1024...(1 << 30)) { transport.maxResponseBytes = bytes }
        // What is neither true nor false has been said; the addresses that it decides about are not said again.
        transport.allowInsecure = provider.bool("allowInsecure") ?? provider.names.contains("allowInsecure")
        transport.allowPrivateAddresses = provider.bool("allowPrivateAddresses") ?? false
        if let file = provider.string("caFile") {
            transport.caFile = settings.absolute(file)
            _ = contents(file, of: "caFile", in: provider, wanted: "certificate authorities in PEM")
        }
        return transport
    }

    private func shares(_ provider: YAMLReader) -> ProviderShares {
        var shares = ProviderShares()
        if let calls = provider.integer("callsPerTenant", in: 1...shares.inAll) { shares.perTenant = calls }
        if let calls = provider.integer("callsPerHost", in: 1...shares.inAll) { shares.perHost = calls }
        return shares
    }

    // MARK: keys

    /// A file that a setting names.
    func contents(_ file: String, of name: String, in reader: YAMLReader, wanted: String) -> [UInt8]? {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: settings.absolute(file))) else {
            reader.problem(
                name, found: YAMLReader.quote(file) + ", which cannot be read", wanted: "a file with \(wanted)")
            return nil
        }
        return [UInt8](data)
    }

    /// The same, of a file with something secret in it.
    func secretContents(_ file: String, of name: String, in reader: YAMLReader, wanted: String) -> [UInt8]? {
        secretFiles.all.append(
            SecretFile(setting: (reader.path + [name]).joined(separator: "."), path: settings.absolute(file)))
        return contents(file, of: name, in: reader, wanted: wanted)
    }

    /// A file with one line of secret text; the line's end is not part of it.
    func secret(_ file: String, of name: String, in reader: YAMLReader, wanted: String) -> [UInt8]? {
        guard let bytes = secretContents(file, of: name, in: reader, wanted: wanted) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else {
            reader.problem(name, found: YAMLReader.quote(file) + ", which is empty", wanted: "a file with \(wanted)")
            return nil
        }
        return Array(text.utf8)
    }

    private func callerKeys(
        _ auth: YAMLReader, allowInsecure: Bool, _ remarks: inout [String]
    ) async -> Configuration.CallerKeys? {
        let jwksFile = auth.string("jwksFile")
        let jwksURL = auth.string("jwksURL")
        let hmacSecretFile = auth.string("hmacSecretFile")
        if jwksFile != nil, jwksURL != nil {
            auth.problem("jwksURL", found: "both this and jwksFile", wanted: "one of the two")
            return nil
        }
        if hmacSecretFile != nil, jwksFile != nil || jwksURL != nil {
            remarks.append("auth.hmacSecretFile is not used: HS256 is only accepted where no JWKS is configured")
        }
        if let file = jwksFile {
            let wanted = "a JWK set (RFC 7517) with a key for RS256, PS256, ES256, ES384 or EdDSA"
            guard let bytes = contents(file, of: "jwksFile", in: auth, wanted: wanted) else { return nil }
            do {
                return .fixed(try VerificationKeys(jwks: bytes))
            } catch {
                let found = error == .notAKeySet ? ", which is no JWK set" : ", which has no usable key"
                auth.problem("jwksFile", found: YAMLReader.quote(file) + found, wanted: wanted)
                return nil
            }
        }
        if let url = jwksURL {
            guard let parsed = StrictURL(url), parsed.text.hasPrefix("https://") || allowInsecure else {
                auth.problem("jwksURL", found: YAMLReader.quote(url), wanted: "an https address")
                return nil
            }
            return .address(url)
        }
        if let file = hmacSecretFile {
            let wanted = "a shared secret of at least 32 bytes (RFC 7518 § 3.2)"
            guard let bytes = secret(file, of: "hmacSecretFile", in: auth, wanted: wanted) else { return nil }
            do {
                return .fixed(try VerificationKeys(sharedSecret: bytes))
            } catch {
                auth.problem(
                    "hmacSecretFile", found: YAMLReader.quote(file) + " with \(bytes.count) bytes", wanted: wanted)
                return nil
            }
        }
        auth.problem("jwksFile", found: "nothing", wanted: "one of jwksFile, jwksURL, hmacSecretFile")
        return nil
    }

    private func keyRing(_ top: YAMLReader) -> (ring: KeyRing, file: String)? {
        let wanted = MasterKeyFile.wanted
        guard let file = top.required("masterKeyFile", "a file with \(wanted)"),
            let bytes = secretContents(file, of: "masterKeyFile", in: top, wanted: wanted)
        else { return nil }
        do {
            return (try KeyRing(String(decoding: bytes, as: UTF8.self)), settings.absolute(file))
        } catch {
            top.problem("masterKeyFile", found: "\(YAMLReader.quote(file)) with \(error.finding)", wanted: wanted)
            return nil
        }
    }

    // MARK: catalog and clients

    /// The catalog, and whether all of it was sound.
    private func catalog(_ top: YAMLReader, allowInsecure: Bool) -> (Catalog, isWhole: Bool) {
        let before = findings.lines.count
        var files: [(name: String, text: String)] = []
        for file in top.strings("catalogFiles") ?? [] {
            guard let bytes = contents(file, of: "catalogFiles", in: top, wanted: "source types in YAML") else {
                continue
            }
            files.append((file, String(decoding: bytes, as: UTF8.self)))
        }
        let catalog = Catalog(files: files, allowInsecure: allowInsecure, findings: findings)
        return (catalog, findings.lines.count == before)
    }
}
