import ArgumentParser
import Broker
import BrokerServer
import Foundation
import Logging
import SQLiteStore
import Secrets

extension Sources {
    struct Try: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Connect once by hand, and report what the provider granted.",
            discussion: """
                Prints an address to open in any browser and serves the provider's redirect itself, where the \
                configuration's broker would. No token is printed or kept.
                """)

        @Argument(help: "The source type, such as google_drive.")
        var type: String

        @OptionGroup var options: ConfigurationOption

        @Option(name: .long, help: "A parameter of the source type, as name=value; may be repeated.")
        var parameter: [String] = []

        @Option(name: .long, help: "A scope to ask for in place of the source type's own; may be repeated.")
        var scope: [String] = []

        func validate() throws { _ = try Parameters.read(parameter) }

        func run() async throws {
            var configuration = try await ConfigurationReader.configuration(file: options.config)
            _ = try Sources.sourceType(type, in: configuration.catalog)
            let parameters = try Parameters.read(parameter)
            guard await !Self.isRunning(configuration) else {
                throw Refusal(
                    "a broker answers at \(configuration.host):\(configuration.port), where the callback would go",
                    hint: "stop it meanwhile: what comes back to it is for its own callers alone")
            }
            let folder = FileManager.default.temporaryDirectory.appending(path: "cloakroom-try-\(UUID().uuidString)")
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            defer { try? FileManager.default.removeItem(at: folder) }
            // A broker for this one flow: a store of its own, and no token that any caller could have.
            configuration.storePath = folder.appending(path: "try.db").path
            configuration.rules = Callers.Rules(
                issuer: configuration.rules.issuer, audience: Base64URL.encode(Random.bytes(32)))
            let verifier = ExchangeVerifier.random()
            configuration.broker.trialVerifier = verifier
            // Its pages talk to nobody.
            configuration.broker.frontends = Frontends(origins: [configuration.broker.publicURL.origin])
            configuration.logLevel = .critical
            try await Self.run(
                configuration, type, verifier, parameters: parameters, scopes: scope.isEmpty ? nil : scope)
        }

        private static func run(
            _ configuration: Configuration, _ type: String, _ verifier: ExchangeVerifier,
            parameters: [String: String], scopes: [String]?
        ) async throws {
            let (listening, announcement) = AsyncStream<Void>.makeStream()
            let service = try Service(configuration, onListening: { announcement.finish() })
            let trial = Trial(broker: service.broker, sourceType: type, verifier: verifier)
            let redirect = SourceType.ID(type).map { service.broker.redirects.url(of: $0) } ?? type
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // Returns where a signal ends it, and throws where the address is not free.
                    try await service.run()
                    throw Refusal(Self.givenUp)
                }
                group.addTask {
                    // Whoever is given the address must find its end served.
                    for await _ in listening {}
                    let address = try await trial.begin(parameters, scopes: scopes)
                    Terminal.result("open this address in a browser, and consent:\n\n  \(address)\n")
                    Terminal.write("waiting for \(redirect) … (Ctrl-C gives up)")
                    do {
                        Terminal.result(try await trial.report())
                    } catch let refusal as Refusal {
                        try? await Task.sleep(for: Self.lastPages)
                        throw refusal
                    } catch StoreError.closed {
                        throw Refusal(Self.givenUp)
                    }
                    try? await Task.sleep(for: Self.lastPages)
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        }

        private static let givenUp = "given up before anyone came back"
        /// The browser is still to load its last page, and what belongs to it.
        private static let lastPages = Duration.seconds(2)

        /// Whether something answers `/healthz` where this configuration's broker would listen.
        private static func isRunning(_ configuration: Configuration) async -> Bool {
            let host = ["0.0.0.0", "::", ""].contains(configuration.host) ? "127.0.0.1" : configuration.host
            return await HealthCheck.answers("http://\(host):\(configuration.port)/healthz")
        }
    }
}

/// One flow, started and watched by whoever holds the master key.
struct Trial {
    let broker: Broker
    let sourceType: String
    let verifier: ExchangeVerifier
    private let flow = Box()

    /// Set once, by `begin`, before anyone reads it.
    private final class Box: @unchecked Sendable { var id: FlowID? }

    private static let tenant = "cloakroom-try"

    func begin(_ parameters: [String: String], scopes: [String]?) async throws -> String {
        guard let tenant = TenantID(Self.tenant) else { throw Refusal("the trial's tenant is malformed") }
        do {
            let authorization = try await broker.authorize(
                AuthorizeRequest(
                    tenant: tenant, sourceType: sourceType, parameters: parameters, scopes: scopes,
                    exchangeChallenge: ProofKeyChallenge(of: verifier).text))
            flow.id = authorization.flow
            return authorization.url
        } catch {
            throw Refusal("the flow could not start: \(Self.words(error))", hint: Self.hint(error, sourceType))
        }
    }

    /// What came back, in plain words and without a token.
    func report() async throws -> String {
        guard let id = flow.id else { throw Refusal("no flow was started") }
        while true {
            guard let ended = try await broker.conclude(id, verifier: verifier) else {
                try await Task.sleep(for: .milliseconds(300))
                continue
            }
            switch ended {
            case .expired: throw Refusal("nobody came back in time", hint: "run the command again, and consent sooner")
            case .failed(let error, let description):
                let words = description.map { ": \(YAMLReader.quote($0))" } ?? ""
                throw Refusal(
                    "the flow failed with \(error)\(words)",
                    hint:
                        "compare the app's redirect address, client id, secret and scopes with `cloakroom sources show \(sourceType)`"
                )
            case .redeemed: throw Refusal("somebody else took the credentials", hint: "run the command again")
            case .succeeded(let json): return try Self.summary(json)
            }
        }
    }

    private static func summary(_ json: SecretBytes) throws -> String {
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
        if let expiry = members["expiresAt"]?.lenientNumber {
            let date = Date(timeIntervalSince1970: expiry / 1000)
            lines.append("access token expires: \(date.formatted(.iso8601))")
        } else {
            lines.append("access token expires: not told")
        }
        lines.append("refresh token: \(has("refreshToken") ? "yes" : "no")")
        if has("idToken") { lines.append("id_token: yes") }
        if case .object(let extras)? = members["extras"], !extras.isEmpty {
            lines.append("extras: \(extras.keys.sorted().joined(separator: ", "))")
        }
        if case .array(let warnings)? = members["warnings"] {
            lines += warnings.compactMap(\.string).map { "warning: \(meaning(of: $0))" }
        }
        lines.append("the tokens were dropped; revoke the app's access at the provider if this was only a trial")
        return lines.map(\.visible).joined(separator: "\n")
    }

    private static func meaning(of warning: String) -> String {
        switch warning {
        case "missing_refresh_token":
            "missing_refresh_token: access ends with this token; ask for offline access, or connect again then"
        case "scope_reduced": "scope_reduced: less was granted than asked; calls that need the rest will fail"
        case "expiry_unknown":
            "expiry_unknown: the provider does not say when the token expires; refresh when a call is answered 401"
        case "extras_missing": "extras_missing: the call after connecting failed, and its extras are missing"
        case "extra_refused": "extra_refused: a value did not match the catalog's pattern, and was left out"
        default: warning
        }
    }

    private static func words(_ error: AuthorizeError) -> String {
        switch error {
        case .unknownSourceType: "there is no such source type"
        case .withoutOAuth(let id): "\"\(id)\" has no OAuth"
        case .notConfigured(let id): "\"\(id)\" has no client id"
        case .parameterUnknown(let name, let known):
            "the parameter \(YAMLReader.quote(name)) is unknown; the source type has \(known.isEmpty ? "none" : known.joined(separator: ", "))"
        case .parameterMissing(let name): "the parameter \"\(name)\" is missing"
        case .parameterRejected(let name, let pattern): "the parameter \"\(name)\" does not match \(pattern)"
        case .parameterIsTheOperators(let name): "the parameter \"\(name)\" comes with the client"
        case .parametersTooLong: "the parameters are too long together"
        case .parameterNotSetByOperator(let name): "clients has no parameters.\(name)"
        case .scopesMalformed: "a scope is malformed"
        case .returnURLMalformed, .returnURLNotAllowed, .returnURLWithoutChallenge, .frontendOriginNotAllowed,
            .exchangeChallengeMalformed:
            "the trial's own pages are not allowed"
        case .tenantHasTooManyFlows, .tooManyFlows: "too many flows are outstanding"
        case .provider(let error): "the provider gave no sound answer (\(error))"
        case .store(let error): "the store is not usable (\(error))"
        }
    }

    private static func hint(_ error: AuthorizeError, _ sourceType: String) -> String {
        switch error {
        case .parameterUnknown, .parameterMissing, .parameterRejected, .parametersTooLong:
            "give parameters as --parameter name=value; `cloakroom sources show \(sourceType)` lists them"
        case .parameterIsTheOperators(let name):
            "leave --parameter \(name) out: it is set beside the client id, under clients, as parameters.\(name)"
        case .parameterNotSetByOperator(let name):
            "set parameters.\(name) beside the client id, under clients"
        default: "`cloakroom sources show \(sourceType)` says what to set"
        }
    }
}
