import Broker
import Catalog
import CurlTransport
import Formats
import Foundation
import HTTPTypes
import HummingbirdTesting
import SQLiteStore
import Sandbox
import Secrets

/// One entry of the catalog against the simulator's idea of its provider: every step that a person's connection takes.
///
/// What departs from the requirement is a sentence in `faults`, beside what the simulator itself notes.
struct Rehearsal {
    static let publicURL = "https://broker.example.com"
    /// A client secret with characters that have to be encoded in one place or another.
    static let secret = "s3cret :%+ü&="

    let entry: String
    let requirement: ProviderRequirement
    let simulator: Simulator
    let browser: any TestClientProtocol
    let broker: Broker
    let clock: Clock
    let place: ProviderRequirement.Place
    /// The place's parameters under the catalog's names, without those that come with the client.
    let parameters: [String: String]
    let profile: OAuthProfile
    let tenant: TenantID
    var faults: [String] = []

    private var redirect: RedirectPath { SourceType.ID(entry).map(broker.redirects.path) ?? .legacy }
    private var redirectURI: String { broker.redirects.url(redirect) }

    // MARK: steps

    /// Authorize, consent, callback, redemption; then the tokens are used up.
    mutating func run() async throws {
        guard let callback = try await consented(scopes: nil), let key = try await exchanged(callback) else { return }
        guard let json = try await broker.redeem(key, for: tenant, verifier: nil) else {
            faults.append("the credential key gave nothing")
            return
        }
        var credentials = try Self.decoded(json)
        await compare(credentials)
        await compareExtras(credentials)
        if requirement.refresh != nil, !place.lasting {
            for _ in 1...2 {
                // Beyond the time that an answer is remembered for, so that the provider is asked again.
                clock.now = earliestRefresh(credentials) ?? clock.now + 60
                guard let refreshed = try await refreshed(credentials) else { return }
                credentials = refreshed
            }
        }
        await revoke(credentials)
    }

    /// The moment that the redeemer is told, where the provider refreshes none before.
    private func earliestRefresh(_ credentials: JSON) -> Int64? {
        credentials["/extras/refreshNotBefore"]?.integer.map { $0 / 1000 }
    }

    /// The consent page's redirect, as the query that it brings to the broker.
    mutating func consented(scopes: [String]?) async throws -> String? {
        let authorization: Authorization
        do {
            authorization = try await broker.authorize(
                AuthorizeRequest(tenant: tenant, sourceType: entry, parameters: parameters, scopes: scopes))
        } catch {
            faults.append("authorize: \(error)")
            return nil
        }
        // A browser sends no fragment: the page reads it.
        let halves = authorization.url.expose { $0.split(separator: "#", maxSplits: 1).map(String.init) }
        let uri = Rerouting.path(of: halves[0])
        var headers: HTTPFields = [.init("Simulator-Place")!: place.name]
        if halves.count > 1 { headers[.init("Simulator-Fragment")!] = halves[1] }
        let response = try await browser.execute(uri: uri, method: .get, headers: headers)
        guard response.status == .found, let location = response.headers[.location],
            location.hasPrefix(redirectURI + "?")
        else {
            faults.append("the consent page answered \(response.status.code)")
            return nil
        }
        return String(location.dropFirst(redirectURI.count + 1))
    }

    private mutating func exchanged(_ callback: String) async throws -> CredentialKey? {
        switch await broker.callback(CallbackRequest(callback.utf8, at: redirect)) {
        case .succeeded(_, let key): return key
        case .failed(let failure, _):
            faults.append("callback: \(failure)")
            return nil
        }
    }

    private mutating func refreshed(_ credentials: JSON) async throws -> JSON? {
        let renewsItself = requirement.refresh?.sends == .accessToken
        guard
            let token = credentials["/refreshToken"]?.string
                ?? (renewsItself ? credentials["/accessToken"]?.string : nil)
        else {
            faults.append("there is no refresh token")
            return nil
        }
        do {
            let json = try await broker.refresh(
                RefreshRequest(
                    tenant: tenant, sourceType: entry, refreshToken: RefreshToken(token), parameters: known))
            let refreshed = try Self.decoded(json)
            await compare(refreshed, after: "refresh")
            return renewsItself ? refreshed.setting("refreshToken", to: refreshed["/accessToken"]) : refreshed
        } catch let error as RefreshError {
            faults.append("refresh: \(error)")
            return nil
        }
    }

    private mutating func revoke(_ credentials: JSON) async {
        let ways = requirement.revocations.filter { $0.address != nil || place.revocation != nil }
        guard !ways.isEmpty else { return }
        let isRefreshToken =
            profile.revocation.tokenType == .refreshToken || ways.allSatisfy { $0.accepts == .refreshToken }
        guard let token = credentials[isRefreshToken ? "/refreshToken" : "/accessToken"]?.string else {
            // A lasting token has no refresh token that could be revoked.
            if !place.lasting { faults.append("there is no token to revoke") }
            return
        }
        do {
            try await broker.revoke(
                TokenRevocationRequest(
                    tenant: tenant, sourceType: entry, token: AccessOrRefreshToken(token),
                    tokenTypeHint: isRefreshToken ? "refresh_token" : "access_token", parameters: known))
            if await !simulator.isRevoked(token) { faults.append("revoke: the token is still good") }
        } catch .unsupported {
            if !ways.allSatisfy(\.optional) { faults.append("revoke: the catalog offers none") }
        } catch {
            faults.append("revoke: \(error)")
        }
    }

    /// The parameters that refresh and revocation are told: the caller's, and those that only the callback knew.
    private var known: [String: String] { parameters.merging(place.learned) { $1 } }

    // MARK: other ways

    /// A caller's own list of scopes does not lose what the provider needs besides.
    mutating func askForCallersScopes() async throws {
        let scope = requirement.consent.scope
        let own = scope.examples.filter { scope.always?.values.contains($0) != true }
        if !own.isEmpty { _ = try await consented(scopes: own) }
    }

    /// A code that the provider does not know is refused, and the broker sees that in whatever shape it comes.
    mutating func presentWrongCode() async throws {
        guard let callback = try await consented(scopes: nil) else { return }
        let name = requirement.consent.codeParameter
        let members = callback.split(separator: "&").map { $0.hasPrefix("\(name)=") ? "\(name)=wrong" : $0 }
        let result = await broker.callback(CallbackRequest(members.joined(separator: "&").utf8, at: redirect))
        let isSigned = requirement.consent.signature != nil
        let wanted = isSigned ? "invalid_callback" : "provider_rejected"
        if case .failed(let failure, _) = result, failure.error.code == wanted {
        } else {
            faults.append("a wrong code gave \(result), wanted \(wanted)")
        }
        let noted = await simulator.takeViolations()
        if noted != (isSigned ? [] : ["\(entry): token request has an unknown code"]) { faults += noted }
    }

    // MARK: comparison

    private mutating func compare(_ credentials: JSON, after step: String = "exchange") async {
        guard let issued = await simulator.issued(entry) else {
            faults.append("\(step): the provider gave nothing")
            return
        }
        if credentials["/accessToken"]?.string != issued.accessToken { faults.append("\(step): another access token") }
        if requirement.refresh?.sends != .accessToken, credentials["/refreshToken"]?.string != issued.refreshToken {
            faults.append("\(step): \(issued.refreshToken == nil ? "a" : "another or no") refresh token")
        }
        let end = credentials["/expiresAt"]?.integer
        let told = issued.expiresAt.map { $0 * 1000 }
        if place.lasting || requirement.answer.expiry == .never {
            if end != nil { faults.append("\(step): an end where the token has none") }
        } else if requirement.answer.expiry == .told, end != told {
            faults.append("\(step): the token ends at \(told ?? 0), read was \(end.map(String.init) ?? "nothing")")
        } else if let end, end <= clock.now * 1000 {
            faults.append("\(step): the token ended before it began")
        }
        if requirement.answer.expiry == .never, !requirement.isUnsureOfEnd,
            Self.warnings(credentials).contains("expiry_unknown")
        {
            faults.append("\(step): expiry_unknown, though the token never ends")
        }
    }

    /// Checks that what is worth keeping is kept, and nothing that the provider did not say.
    private mutating func compareExtras(_ credentials: JSON) async {
        guard let issued = await simulator.issued(entry), case .object(let extras)? = credentials["/extras"] else {
            return
        }
        let callback = await simulator.callbackMembers(entry)
        var wanted: [(String, JSON?)] = requirement.answer.keeps.map { ($0, issued.answer[$0]) }
        wanted += requirement.consent.keeps.map { ($0, callback[$0].map { .string($0) }) }
        if let after = requirement.afterConnecting { wanted += after.keeps.map { ($0, after.body[$0]) } }
        for (name, value) in wanted {
            if let value, !JSON.object(extras).holds(value) { faults.append("extras lack \(name)") }
        }
        let said: [JSON] =
            [issued.answer, requirement.afterConnecting?.body ?? .null] + callback.values.map { JSON.string($0) }
        for (name, value) in extras.sorted(by: { $0.key < $1.key })
        where name != "refreshNotBefore" && !said.contains(where: { $0.holds(value) }) {
            faults.append("extras hold \(name), which nobody said")
        }
        if Self.warnings(credentials).contains("extras_missing") { faults.append("extras_missing") }
    }

    private static func warnings(_ credentials: JSON) -> [String] {
        guard case .array(let warnings)? = credentials["/warnings"] else { return [] }
        return warnings.compactMap(\.string)
    }

    private static func decoded(_ json: SecretBytes) throws -> JSON {
        try json.expose { try JSONDecoder().decode(JSON.self, from: Data($0)) }
    }
}

extension ProviderRequirement {
    /// True if only general knowledge says that the token does not expire.
    var isUnsureOfEnd: Bool { unverified.contains("refresh.neverExpires") || unverified.contains("tokenResponse") }
}

extension JSON {
    var string: String? { if case .string(let text) = self { text } else { nil } }
    var integer: Int64? { if case .integer(let number) = self { number } else { nil } }

    func setting(_ name: String, to value: JSON?) -> JSON {
        guard case .object(var members) = self else { return self }
        members[name] = value
        return .object(members)
    }
}
