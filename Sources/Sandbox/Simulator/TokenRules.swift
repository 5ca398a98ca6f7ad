extension TokenCall {
    func grantTypeFaults(_ wanted: Choice) -> [String] {
        guard let sent = parameters["grant_type"] else {
            return wanted.contains("-") ? [] : ["has no grant_type, wanted \(wanted.words)"]
        }
        // Who need not be told does not mind the standard's own word either.
        let known = wanted.contains("-") ? ["authorization_code", "refresh_token"] : []
        return wanted.contains(sent) || known.contains(sent) ? [] : ["has grant_type \(sent), wanted \(wanted.words)"]
    }

    func redirectFaults(_ presence: ProviderRequirement.Presence) -> [String] {
        switch parameters["redirect_uri"] {
        case nil: presence == .required ? ["has no redirect_uri"] : []
        case let sent?:
            sent == requirement.consent.redirectAlias ?? client.redirectURI
                ? [] : ["has another redirect_uri than the consent request"]
        }
    }

    /// RFC 7636 § 4.6, and RFC 9700 § 2.1.1: a verifier without a challenge is a downgrade attack.
    func verifierFaults(_ grant: SimulatedGrants.Grant) -> [String] {
        switch (parameters["code_verifier"], grant.challenge) {
        case (nil, nil): []
        case (nil, .some): ["has no code_verifier"]
        case (.some, nil): ["has a code_verifier, though there was no code_challenge"]
        case (let verifier?, let challenge?):
            (43...128).contains(verifier.utf8.count)
                && Base64URL.encode(SHA256.digest(Array(verifier.utf8))) == challenge
                ? [] : ["has a code_verifier that does not match the code_challenge"]
        }
    }

    func tokenFaults(_ rules: ProviderRequirement.Refresh, isDead: Bool) -> [String] {
        let kind: SimulatedGrants.Subject.Kind = rules.sends == .refreshToken ? .refreshToken : .accessToken
        guard let subject, subject.kind == kind else {
            return ["has no token of ours in \(rules.tokenParameter.words)"]
        }
        let names = parameters.fields.pairs.filter { $0.value == subject.text }.map(\.name)
        var faults: [String] = []
        if !names.contains(where: { rules.tokenParameter.contains($0) || rules.tokenParameter.contains("*") }) {
            faults.append("has its token in \(names.joined(separator: ", ")), wanted \(rules.tokenParameter.words)")
        }
        if isDead { faults.append("has a refresh token that was replaced or revoked") }
        return faults
    }

    func revocationFaults(_ rules: ProviderRequirement.Revocation) -> [String] {
        var faults = addressFaults(rules.address ?? place.revocation)
        faults += methodFaults(rules.method)
        faults += headerFaults(rules.headers)
        faults += parameterFaults(rules.parameters)
        faults += certificateFaults
        if let id = endpoints.first(where: { $0.entry == entry })?.captures["clientId"], id != client.id {
            faults.append("has a wrong client id in its address")
        }
        if let subject {
            faults += placeFaults(rules, subject.text)
            switch (rules.accepts, subject.kind) {
            case (_, .code), (.accessToken, .refreshToken), (.refreshToken, .accessToken):
                faults.append("has a token of a kind that cannot be revoked here")
            default: break
            }
        } else {
            faults.append("has no token of ours")
        }
        let isBearer = request.header("Authorization")?.lowercased().hasPrefix("bearer ") == true
        if !isBearer || !rules.token.contains("bearer") {
            faults += proof.faults(accepting: rules.authentication, over: nil)
        }
        return faults
    }

    private func placeFaults(_ rules: ProviderRequirement.Revocation, _ token: String) -> [String] {
        var used: [String] = []
        if request.header("Authorization") == "Bearer \(token)" { used.append("bearer") }
        if endpoints.contains(where: { $0.captures["token"] == token }) { used.append("path") }
        let isNamed = { (pair: FormFields.Pair) in
            pair.value == token && (rules.tokenParameter.contains(pair.name) || rules.tokenParameter.contains("*"))
        }
        if let format = parameters.format, parameters.fields.pairs.contains(where: isNamed) { used.append(format) }
        if parameters.inAddress.pairs.contains(where: isNamed) { used.append("query") }
        guard let place = used.first else {
            return ["has no token in \(rules.token.words) as \(rules.tokenParameter.words)"]
        }
        return used.allSatisfy { rules.token.contains($0) }
            ? [] : ["has the token in \(place), wanted \(rules.token.words)"]
    }
}
