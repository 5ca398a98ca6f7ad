import Broker
import BrokerServer
import Catalog
import CurlTransport
import Daemon
import Formats
import Foundation
import HTTPService
import JOSE
import Logging
import Secrets

/// Everything that an operator decides, checked.
struct Configuration {
    /// The name of what the settings were read from, for messages.
    var origin: String
    /// The callers' address.
    var address: ListenerAddress
    /// The operators' address; `nil`: the same as everybody's.
    var operators: ListenerAddress?
    var listener = ListenerBounds()
    var broker: Broker.Settings
    var proxies = TrustedProxies()
    var limits = Limits()
    var bounds = FlowBounds()
    var rules: BearerTokenVerifier.Rules
    var callerKeys: CallerKeys
    var store: StoreLocation
    var keyRing: KeyRing
    /// Read again when it changes; the state is the one that `keyRing` was read from.
    var masterKeyFile: MasterKeyFile.State?
    var transport: CurlTransport.Configuration
    var shares = ProviderShares()
    var catalog: Catalog
    var clients: [String: Client]
    var logLevel: Logger.Level
    var logFormat: LogFormat
    /// `nil`: no spans are made.
    var tracing: Tracing?
    /// Lines on what an operator should know but need not mend.
    var remarks: [String]
    /// The files that hold a secret, this configuration's own among them where one is written into it.
    var secretFiles: [SecretFile] = []

    /// The database's file; `nil` where it is none.
    var storePath: String? { if case .sqlite(let path) = store { path } else { nil } }

    /// A line each for what is allowed but dangerous: at start and in `check`.
    var warnings: [String] {
        advice + secretFiles.compactMap(\.fault).map { "\($0); \(SecretFile.hint)" }
    }

    /// Settings that are allowed, but dangerous or without effect: a line each.
    var advice: [String] { remarks + legacyClients + incompleteClients + secretsOfNoIssuer + secretsElsewhere }

    /// Secrets of built-in providers' clients that entries of the operator's own would send to other hosts.
    private var secretsElsewhere: [String] {
        let served = catalog.own.sorted().compactMap { catalog[$0] }.filter { client(for: $0)?.secret != nil }
        return CatalogReview.remarksOnSecrets(of: served, allowInsecure: catalog.allowsInsecure)
    }

    /// Secrets that go nowhere, since nobody said which authorization server they are for.
    private var secretsOfNoIssuer: [String] {
        catalog.sourceTypes(of: clients.keys).compactMap { sourceType in
            guard sourceType.oauth?.resourceParameter != nil, let client = client(for: sourceType),
                client.secret != nil, client.parameters[OAuthProfile.issuerParameter] == nil
            else { return nil }
            let name = clients.name(for: sourceType) ?? sourceType.id.description
            return "clients.\(name) has a secret and no parameters.issuer: it is sent to no server before you set the "
                + "issuer that it was given by"
        }
    }

    /// Clients that keep the redirect address of before, with the one to register in its place.
    private var legacyClients: [String] {
        let later = laterRedirects
        return clients.filter(\.value.usesLegacyRedirect).keys.sorted().map { name in
            let users = catalog.sourceTypes(of: [name])
                .filter { needsRegistration($0) && clients.name(for: $0) == name }
            let addresses = Set(users.map { later.url(of: $0.id) }).sorted().joined(separator: " and ")
            let first = addresses.isEmpty ? "" : "register \(addresses), then "
            return "clients.\(name).legacyRedirect is set: it shares \(broker.publicURL.text)/oauth/callback, so that "
                + "another server may be given its codes (RFC 9700 § 4.4); \(first)take the setting away"
        }
    }

    /// Clients that no flow can use yet: a value that only the operator sets is missing beside the client's id.
    private var incompleteClients: [String] {
        catalog.sourceTypes(of: clients.keys).compactMap { sourceType in
            let name = sourceType.id.description
            guard let client = clients[name], let missing = sourceType.oauth?.missingParameters(of: client),
                !missing.isEmpty
            else { return nil }
            return "clients.\(name) has no value for \(missing.joined(separator: ", ")): nobody can connect "
                + "\(name) before you set clients.\(name).parameters"
        }
    }

    /// Tells whether a flow of this source type could start.
    func isConfigured(_ sourceType: SourceType) -> Bool {
        sourceType.isConfigured(by: client(for: sourceType), opening: broker.resources)
    }

    /// The addresses to which flows of the installation's clients come back.
    var redirects: RedirectAddresses {
        RedirectAddresses(publicURL: broker.publicURL.text, catalog: catalog, clients: clients)
    }

    /// The same once no client has `legacyRedirect` any more.
    var laterRedirects: RedirectAddresses {
        RedirectAddresses(
            publicURL: broker.publicURL.text, catalog: catalog,
            clients: clients.mapValues { Client(id: $0.id, secret: $0.secret, parameters: $0.parameters) })
    }

    /// The redirect addresses to register, with the source types of each.
    var registrations: [(address: String, sourceTypes: [SourceType.ID])] {
        let redirects = redirects
        let configured = catalog.sourceTypes(of: clients.keys).filter(needsRegistration).map(\.id)
        return Dictionary(grouping: configured) { redirects.url(of: $0) }
            .map { (address: $0.key, sourceTypes: $0.value) }.sorted { $0.address < $1.address }
    }

    /// True where a flow could start, or a client was set for this source type alone, which may lack a value yet: one
    /// that bears the provider's name may be meant for others of the provider only.
    private func needsRegistration(_ sourceType: SourceType) -> Bool {
        // There the broker registers itself, but for a client that was set.
        if sourceType.oauth?.resourceParameter != nil {
            return client(for: sourceType)?.parameters[OAuthProfile.issuerParameter] != nil
        }
        return sourceType.oauth != nil && (isConfigured(sourceType) || clients[sourceType.id.description] != nil)
    }

    func client(for sourceType: SourceType) -> Client? { clients.client(for: sourceType) }
}
