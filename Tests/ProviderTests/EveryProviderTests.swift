import Broker
import Formats
import Foundation
import Sandbox
import StrictYAML
import Testing

@testable import Catalog

/// Every OAuth entry of the built-in catalog, from authorize to revocation, against a provider that is as strict as is
/// known of it. `Requirements` were written from what is known of the providers, not from the catalog.
@Suite struct EveryProviderTests {
    static let requirements: [String: ProviderRequirement] = {
        files.reduce(into: [:]) { $0.merge($1.entries) { first, _ in first } }
    }()

    /// By category, as the catalog is.
    private static let files: [(name: String, entries: [String: ProviderRequirement])] = {
        let folder = Bundle.module.resourceURL?.appending(path: "Requirements")
        let urls = folder.flatMap {
            try? FileManager.default.contentsOfDirectory(at: $0, includingPropertiesForKeys: nil)
        }
        return (urls ?? []).compactMap { url in
            do {
                return (url.lastPathComponent, try ProviderRequirements(json: Data(contentsOf: url)).entries)
            } catch {
                Issue.record("\(url.lastPathComponent): \(error)")
                return nil
            }
        }
    }()

    static let (catalog, findings): (Catalog, [String]) = {
        let findings = Findings()
        let catalog = Catalog.builtIn(findings: findings)
        return (catalog, findings.lines)
    }()

    @Test(arguments: requirements.keys.sorted())
    func `a person can connect, and the tokens can be used up`(_ entry: String) async throws {
        let requirement = try #require(Self.requirements[entry])
        let performance = Performance(entry: entry, requirement: requirement, catalog: Self.catalog)
        let faults = try await performance.faults()
        let outcome = faults.isEmpty ? "ok" : "\n  - " + faults.joined(separator: "\n  - ")
        print("\(entry): \(performance.summary): \(outcome)")
        #expect(faults == [])
    }

    @Test func `every OAuth entry of the catalog has requirements, and is sound`() {
        #expect(Self.findings == [])
        #expect(Self.requirements.count == Self.files.reduce(0) { $0 + $1.entries.count }, "no entry stands twice")
        // Those that are found have no provider of whom something is known.
        let entries = Self.catalog.sourceTypes.filter { $0.oauth.map { $0.resourceParameter == nil } ?? false }
            .map(\.id.description)
        #expect(entries.filter { Self.requirements[$0] == nil } == [])
    }

    @Test func `what rests on general knowledge alone is unverified in the entry`() throws {
        for sourceType in Self.catalog.sourceTypes {
            guard let profile = sourceType.oauth, let requirement = Self.requirements[sourceType.id.description] else {
                continue
            }
            for word in requirement.unverified {
                let fact = try #require(
                    GeneralKnowledge(rawValue: word), "\(sourceType.id): \(word) is no fact that is known of")
                guard let claim = fact.claim(of: profile) else { continue }
                #expect(profile.unverified.contains(claim), "\(sourceType.id) rests on \(word)")
            }
        }
    }
}

/// The facts that `ProviderRequirement.unverified` names.
private enum GeneralKnowledge: String {
    case clientAuth, pkce, defaultScopes, scopeSeparator, revocationUrl, revocationKind, tokenRequestFormat, tokenParams
    case tokenResponse, errorQuirks, regionalVariants, issuer, callbackExtras, callbackVerification, sourceType
    case refreshSupported = "refresh.supported"
    case refreshNeedsScope = "refresh.needsScope"
    case refreshRotates = "refresh.rotates"
    case refreshNeverExpires = "refresh.neverExpires"

    /// The fact of the entry that stands or falls with it; `nil` where the entry says nothing that depends on it.
    func claim(of profile: OAuthProfile) -> OAuthProfile.UnverifiedFact? {
        switch self {
        case .clientAuth: .clientAuthentication
        case .pkce: .pkce
        case .scopeSeparator: .scopes
        case .refreshSupported, .refreshNeedsScope: .refreshToken
        case .revocationUrl, .revocationKind: profile.hasRevocation ? .revocation : nil
        case .tokenRequestFormat, .tokenParams: .tokenRequest
        case .tokenResponse: profile.response.isOfItsOwn ? .tokenResponse : nil
        case .errorQuirks:
            profile.response.isOfItsOwn || !profile.reauthorizationErrors.isEmpty ? .tokenResponse : nil
        case .refreshNeverExpires: profile.response.lifetime == .never ? .tokenResponse : nil
        case .regionalVariants: profile.addresses.regions.isEmpty ? nil : .regions
        case .issuer: profile.issuer == nil ? nil : .issuer
        case .callbackExtras:
            profile.addresses.tokenOrigin != nil || profile.learned.contains { $0.callbackParameter != nil }
                ? .callback : nil
        case .callbackVerification: profile.callbackSignature == nil ? nil : .callback
        // Which scopes are asked for by default is a choice. New refresh tokens are taken from every provider. The
        // name and the category of an entry are nothing that a provider says.
        case .defaultScopes, .refreshRotates, .sourceType: nil
        }
    }
}

extension OAuthProfile.ResponseShape {
    /// Looks elsewhere than at what RFC 6749 § 5.1 and § 5.2 name.
    fileprivate var isOfItsOwn: Bool {
        let usual = Self()
        let pointers: [KeyPath<Self, JSONPointer>] = [
            \.accessToken, \.refreshToken, \.tokenType, \.expiresIn, \.scope, \.idToken, \.error, \.errorDescription,
        ]
        return expiresAt != nil || failureUnless != nil || prefix != nil
            || pointers.contains { self[keyPath: $0] != usual[keyPath: $0] }
    }
}
