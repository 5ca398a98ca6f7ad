import Broker
import Catalog
import CurlTransport
import Formats
import Foundation
import HummingbirdTesting
import JOSE
import SQLiteStore
import Sandbox
import Secrets
import Transport

/// All that one entry is put through, at each place its provider lives at.
struct Performance {
    let entry: String
    let requirement: ProviderRequirement
    let catalog: Catalog

    /// A sentence for each thing that went wrong; empty where nothing did.
    func faults() async throws -> [String] {
        guard let id = SourceType.ID(entry), let sourceType = catalog[id] else { return ["is not in the catalog"] }
        guard let profile = sourceType.oauth else { return ["has no OAuth in the catalog"] }
        let clock = Clock()
        // The client is configured under the entry's name, which is the provider's of most.
        let name = entry
        let key = SigningKey.makeP256()
        let verification = VerificationKey(jwk: key.publicJWK)
        let client = Simulator.Client(
            id: "client:\(entry)/1", secret: Rehearsal.secret,
            redirectURI: "\(Rehearsal.publicURL)/oauth/callback/\(name)",
            verifies: { verification?.verify($1, of: $0, with: .ES256) == true })
        let simulator = Simulator(requirements: [entry: requirement], clients: [entry: client]) { clock.now }
        let folder = FileManager.default.temporaryDirectory.appending(path: "cloakroom-providers-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let keyRing = try KeyRing("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        let store = try SQLiteStore(path: folder.appending(path: "cloakroom.db").path, keyRing: keyRing)
        let curl = CurlTransport(configuration: .init(allowInsecure: true, allowPrivateAddresses: true))
        defer { curl.shutdown() }

        return try await simulator.application().test(.live) { browser in
            let transport = Rerouting(transport: curl, simulator: "http://localhost:\(browser.port ?? 0)")
            var faults: [String] = []
            for (index, place) in requirement.places.enumerated() {
                clock.now = place.moment ?? Clock.usual
                let parameters = self.parameters(of: place, profile)
                let broker = try self.broker(client, key, parameters, profile, store, transport, clock)
                guard let tenant = TenantID("acme") else { return ["no tenant"] }
                var rehearsal = Rehearsal(
                    entry: entry, requirement: requirement, simulator: simulator, browser: browser, broker: broker,
                    clock: clock, place: place,
                    parameters: parameters.filter { !Self.operators(profile).contains($0.key) }, profile: profile,
                    tenant: tenant)
                if place.setByOperator, profile.parameters.contains(where: { !$0.setByOperator }) {
                    rehearsal.faults.append("callers may choose the server that is sent the client's secret")
                }
                try await rehearsal.run()
                rehearsal.faults += await simulator.takeViolations().map(self.withoutName)
                if index == 0, rehearsal.faults.isEmpty {
                    try await rehearsal.askForCallersScopes()
                    rehearsal.faults += await simulator.takeViolations().map {
                        "caller's scopes: " + self.withoutName($0)
                    }
                    try await rehearsal.presentWrongCode()
                }
                faults += rehearsal.faults.map { requirement.places.count > 1 ? "[\(place.name)] \($0)" : $0 }
            }
            return faults
        }
    }

    /// The steps that were done, in a few words.
    var summary: String {
        var steps = ["authorize", "exchange"]
        if let after = requirement.afterConnecting { steps.append(after.swaps ? "swap" : "learn more") }
        if let refresh = requirement.refresh {
            steps.append("refresh (\(refresh.sends == .accessToken ? "by itself" : refresh.rotation.rawValue))")
        }
        if let revocation = requirement.revocations.first {
            let isStandard = revocation.method == "POST" && revocation.token == "form"
            let own = (revocation.method.values + revocation.token.values).joined(separator: " ")
            steps.append("revoke (\(isStandard ? "rfc7009" : own))")
        }
        if requirement.places.count > 1 { steps.append("\(requirement.places.count) places") }
        return steps.joined(separator: ", ")
    }

    private func withoutName(_ violation: String) -> String {
        violation.hasPrefix(entry + ": ") ? String(violation.dropFirst(entry.count + 2)) : violation
    }

    /// The place's parameters under the catalog's names: what a provider calls a thing binds nobody, so that a single
    /// unknown name stands for the single one that is left.
    private func parameters(of place: ProviderRequirement.Place, _ profile: OAuthProfile) -> [String: String] {
        let names = profile.parameters.map(\.name)
        var parameters = place.parameters
        let unknown = parameters.keys.filter { !names.contains($0) && $0 != "region" }
        let left = names.filter { parameters[$0] == nil && $0 != "region" }
        if unknown.count == 1, left.count == 1 {
            parameters[left[0]] = parameters.removeValue(forKey: unknown[0])
        }
        return parameters
    }

    private static func operators(_ profile: OAuthProfile) -> Set<String> {
        Set(profile.parameters.filter(\.setByOperator).map(\.name))
    }

    private func broker(
        _ client: Simulator.Client, _ key: SigningKey, _ parameters: [String: String], _ profile: OAuthProfile,
        _ store: SQLiteStore, _ transport: Rerouting, _ clock: Clock
    ) throws -> Broker {
        guard let publicURL = StrictURL(Rehearsal.publicURL), let origin = Origin("https://app.example.com") else {
            throw CocoaError(.coderInvalidValue)
        }
        let operators = Self.operators(profile)
        return Broker(
            settings: .init(publicURL: publicURL, frontends: Frontends(origins: [origin])), catalog: catalog,
            clients: [
                entry: Client(
                    id: client.id, secret: ClientSecret(client.secret),
                    key: profile.needsKey ? JWSSigner(key: key, algorithm: .ES256, keyID: "key-1") : nil,
                    certificate: profile.needsCertificate ? ClientCertificate(file: "c.pem", keyFile: "k.pem") : nil,
                    parameters: parameters.filter { operators.contains($0.key) })
            ],
            keyRing: try KeyRing("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), store: store,
            transport: transport, now: { Timestamp(milliseconds: clock.now * 1000) })
    }
}
