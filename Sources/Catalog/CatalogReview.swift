import Formats
import StrictYAML

/// Remarks on entries that the loader takes: what a careful reviewer would ask their author.
package enum CatalogReview {
    /// One line each: the entry's place, what was noticed, and what to do.
    ///
    /// - Parameters:
    ///   - catalog: the author's own entries.
    ///   - builtIn: what the broker has already, for comparison. Read whole.
    package static func remarks(on catalog: Catalog, beside builtIn: Catalog) -> [String] {
        catalog.sourceTypes.flatMap { sourceType -> [String] in
            var remarks = builtInRemarks(sourceType, builtIn) + secretRemarks(sourceType, beside: builtIn)
            if let profile = sourceType.oauth {
                if sourceType.registration == nil {
                    remarks.append("registration: nothing tells operators where to register the app")
                }
                remarks += profile.remarksOnHosts + profile.remarksOnPatterns + profile.remarksOnRefreshing
                remarks += offlineRemarks(profile, as: sourceType, builtIn)
            }
            return remarks.map { "sourceTypes.\(sourceType.id).\($0)" }
        }
    }

    private static func builtInRemarks(_ sourceType: SourceType, _ builtIn: Catalog) -> [String] {
        if builtIn[sourceType.id] != nil {
            return ["displayName: this replaces the built-in entry whole: compare `cloakroom sources show --yaml`"]
        }
        guard let origin = sourceType.oauth?.addresses.own.token?.fixedOrigin else { return [] }
        let known = builtIn.sourceTypes.filter { $0.oauth?.addresses.own.token?.fixedOrigin == origin }
        // Of many at one host, the one that is most alike.
        let token = sourceType.oauth?.addresses.own.token?.text
        guard let first = known.first(where: { $0.oauth?.addresses.own.token?.text == token }) ?? known.first,
            !known.contains(where: { $0.provider == sourceType.provider })
        else { return [] }
        let more = known.count > 1 ? " and \(known.count - 1) more" : ""
        return [
            "provider: \(origin) is built in as \(first.id)\(more): use such an entry, or share its client by provider: \(first.provider)"
        ]
    }

    /// A client that is shared with built-in entries gives its secret to every host that this entry names.
    private static func secretRemarks(_ sourceType: SourceType, beside builtIn: Catalog) -> [String] {
        // The client's name may be that of the provider, or of the entry.
        let names = Set([sourceType.id.description, sourceType.provider])
        let others = builtIn.sourceTypes(of: names)
        guard let profile = sourceType.oauth, profile.needsSecret, !others.isEmpty else { return [] }
        let known = Set(others.flatMap { $0.oauth?.hostsOfSecret.map(\.compared) ?? [] })
        let strange = profile.hostsOfSecret.filter { !known.contains($0.compared) }.map(\.shown)
        guard !strange.isEmpty else { return [] }
        let name = names.first { $0 == others[0].provider } ?? others[0].id.description
        return [
            "provider: the client secret of the built-in \(name) would go to \(Set(strange).sorted().joined(separator: ", ")), which no built-in entry of it names: give the entry a provider of its own, unless the host is the provider's"
        ]
    }

    /// The same for entries of the operator's own that a client of a built-in provider serves, without those that take
    /// a built-in entry's place: there another host may be just what is wanted.
    package static func remarksOnSecrets(of sourceTypes: [SourceType], allowInsecure: Bool) -> [String] {
        if sourceTypes.isEmpty { return [] }
        let builtIn = Catalog(allowInsecure: allowInsecure, findings: Findings())
        return sourceTypes.filter { builtIn[$0.id] == nil }.flatMap { sourceType in
            secretRemarks(sourceType, beside: builtIn).map { "sourceTypes.\(sourceType.id).\($0)" }
        }
    }

    /// Ways of asking for offline access that built-in entries of the same provider have, and this one lacks.
    private static func offlineRemarks(
        _ profile: OAuthProfile, as sourceType: SourceType, _ builtIn: Catalog
    ) -> [String] {
        guard profile.refreshToken != .never, let origin = profile.addresses.own.authorization?.fixedOrigin else {
            return []
        }
        let others = builtIn.sourceTypes.filter {
            $0.id != sourceType.id && $0.oauth?.addresses.own.authorization?.fixedOrigin == origin
        }
        // Where they differ among themselves, it is the product that decides.
        let ways = others.compactMap { $0.oauth?.offlineWays }
        guard let first = ways.first, ways.allSatisfy({ $0 == first }) else { return [] }
        let missing = first.subtracting(profile.offlineWays)
        return missing.sorted().map { way in
            "\(way): missing, without which this provider gives no refresh token (see the built-in \(others[0].id))"
        }
    }
}

extension OAuthProfile {
    /// The keys and values by which an entry asks for a refresh token.
    fileprivate var offlineWays: Set<String> {
        let scopes = (alwaysScopes + scopes).filter(Self.offlineScopes.contains).map { "oauth.alwaysScopes.\($0)" }
        let parameters = authorizationParameters.filter { name, value in
            value?.text == "offline" || (name == "duration" && value?.text == "permanent")
        }
        return Set(scopes + parameters.map { "oauth.authorizationParameters.\($0.name)" })
    }

    /// The hosts that are sent the client's secret: as the entry writes them, and with a placeholder's pattern in its
    /// place, since its name says nothing.
    fileprivate var hostsOfSecret: [(shown: String, compared: String)] {
        var templates = addresses.sets.flatMap { [$0.token, $0.refresh, $0.revocation].compactMap(\.self) }
        if connectsWithSecret { templates += addresses.sets.compactMap(\.afterConnecting) }
        if let pushedAuthorizationURL { templates.append(pushedAuthorizationURL) }
        // The addresses come from its metadata.
        if discovery, let issuer, let template = try? URLTemplate(issuer) { templates.append(template) }
        var patterns = (parameters.map { ($0.name, $0.pattern.text) } + learned.map { ($0.name, $0.pattern.text) })
        if let rule = addresses.tokenOrigin {
            patterns.append((rule.callbackParameter, rule.pattern.text))
            if let origin = rule.origin { templates.append(origin) }
        }
        let byName = Dictionary(patterns) { first, _ in first }
        let hosts = templates.map { template in
            (
                shown: template.host { "{\($0)}" }, compared: template.host { "{\(byName[$0] ?? $0)}" }
            )
        }
        guard let rule = addresses.tokenOrigin, rule.origin == nil else { return hosts }
        return hosts + [(shown: "what \(rule.callbackParameter) tells", compared: rule.pattern.text)]
    }

    fileprivate var remarksOnHosts: [String] {
        let templates = addresses.sets.flatMap {
            [$0.authorization, $0.token, $0.refresh, $0.revocation, $0.afterConnecting].compactMap(\.self)
        }
        var remarks = templates.filter(\.isInsecure).map { template in
            "oauth: \(template.text) sends codes and tokens in the clear: use https but for trials"
        }
        let inHosts = Set(templates.flatMap(\.namesInHost))
        for parameter in parameters
        where !parameter.setByOperator && inHosts.contains(parameter.name) && !parameter.pattern.values.areEnumerated {
            remarks.append(
                "oauth.parameters.\(parameter.name): callers choose the host: make sure that no stranger can have one of this pattern, or say clientPerInstance: true"
            )
        }
        return remarks
    }

    fileprivate var remarksOnPatterns: [String] {
        let patterns =
            parameters.map { ("parameters.\($0.name)", $0.pattern) }
            + learned.map { ("learned.\($0.name)", $0.pattern) }
        // The broker's own `region` is written by no author.
        return patterns.filter { !$1.text.hasPrefix("^") || !$1.text.hasSuffix("$") }.map { place, pattern in
            "oauth.\(place).pattern: \(pattern.text.quoted) is matched whole, which who reads it elsewhere does not know: write ^ and $"
        }
    }

    fileprivate var remarksOnRefreshing: [String] {
        scopes.filter(Self.offlineScopes.contains).map {
            "oauth.scopes: \($0) is lost where a caller names scopes of its own: move it to alwaysScopes"
        }
    }
}
