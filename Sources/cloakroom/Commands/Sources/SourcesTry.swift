import ArgumentParser
import Broker
import BrokerServer
import Catalog
import Daemon
import Formats
import Foundation
import HTTPService
import Logging
import Secrets

extension Sources {
    /// Runs a broker at the configuration's address for one flow, with the real client and provider and a database of
    /// its own. Refuses while a broker answers there.
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
            var configuration = try ConfigurationReader.configuration(file: options.config)
            let sourceType = try Sources.sourceType(type, in: configuration.catalog)
            let parameters = try Parameters.read(parameter)
            try await HealthCheck.refuseRunningBroker(
                configuration, whose: "where the callback would go",
                hint: "stop it meanwhile: what comes back to it is for its own callers alone")
            let folder = try TemporaryFolder("cloakroom-try")
            defer { folder.remove() }
            // A broker for this one flow: a store of its own, and no token that any caller could have.
            configuration.store = .sqlite(path: folder.path("try.db"))
            configuration.rules = BearerTokenVerifier.Rules(
                issuer: configuration.rules.issuer, audience: Base64URL.encode(Random.bytes(32)))
            let verifier = ExchangeVerifier.random()
            configuration.broker.trialVerifier = verifier
            // Its pages talk to nobody.
            configuration.broker.frontends = Frontends(origins: [configuration.broker.publicURL.origin])
            configuration.logLevel = .critical
            let (listening, announcement) = AsyncStream<Void>.makeStream()
            let process = try BrokerProcess(configuration, onListening: { announcement.finish() })
            let trial = Trial(
                broker: process.broker, sourceType: type, parameters: parameters,
                scopes: scope.isEmpty ? nil : scope, verifier: verifier,
                advice: sourceType.oauth?.adviceOnAuthentication(
                    isOwn: configuration.catalog.own.contains(sourceType.id)),
                unverified: sourceType.oauth?.unverified ?? [], isFound: sourceType.oauth?.resourceParameter != nil)
            try await Self.run(trial, in: process, listening: listening)
        }

        /// Serves and waits at once; whichever ends first ends both.
        private static func run(
            _ trial: Trial, in process: BrokerProcess, listening: AsyncStream<Void>
        ) async throws {
            let id = SourceType.ID(trial.sourceType)
            // Where the provider is found, only the flow knows its address.
            let known = trial.isFound ? nil : id.map { process.broker.redirects.url(of: $0) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // Returns where a signal ends it, and throws where the address is not free.
                    try await process.run()
                    throw Refusal(givenUp)
                }
                group.addTask {
                    // Whoever is given the address must find its end served.
                    for await _ in listening {}
                    let (flow, address) = try await trial.begin()
                    address.expose { Terminal.result("open this address in a browser, and consent:\n\n  \($0)\n") }
                    let redirect = known ?? address.expose { Trial.redirectURI(in: $0) }
                    Terminal.write("waiting for \(redirect ?? trial.sourceType) … (Ctrl-C gives up)".visible)
                    do {
                        Terminal.result(try await trial.report(of: flow))
                    } catch let refusal as Refusal {
                        try? await Task.sleep(for: lastPages)
                        throw refusal
                    } catch StoreError.closed {
                        throw Refusal(givenUp)
                    }
                    try? await Task.sleep(for: lastPages)
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        }

        private static let givenUp = "given up before anyone came back"
        /// The browser is still to load its last page, and what belongs to it.
        private static let lastPages = Duration.seconds(2)
    }
}
