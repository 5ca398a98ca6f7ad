/// One request to a provider's token endpoint or to what lies behind it, with all that is needed to judge it.
struct TokenCall {
    let request: SimulatedRequest
    let parameters: RequestParameters
    let endpoints: [Simulator.Endpoint]
    let entry: String
    let requirement: ProviderRequirement
    let client: Simulator.Client
    let subject: SimulatedGrants.Subject?
    let now: Int64

    /// The place of the account that the code or token is of; where none of ours came, the address's first.
    var place: ProviderRequirement.Place {
        requirement.places[subject?.grant.place ?? endpoints.first { $0.entry == entry }?.place ?? 0]
    }

    /// The purpose of the request. One address may serve several.
    var kind: Simulator.Endpoint.Kind {
        let kinds = endpoints.filter { $0.entry == entry }.map(\.kind)
        if subject?.kind == .code { return .token }
        if let swap = requirement.afterConnecting?.parameters["grant_type"], parameters["grant_type"] == swap {
            return .afterConnecting
        }
        let isRefresh =
            requirement.refresh.map { refresh in
                refresh.grantType.values.contains { $0 != "-" && $0 == parameters["grant_type"] }
                    || refresh.parameters.contains { $0.key == "type" && $0.value == parameters[$0.key] }
            } ?? false
        // Some have no grant_type, or their own name for it.
        let isToken = subject?.kind == .refreshToken && kinds.contains(.refresh) && !kinds.contains(.revocation)
        if isRefresh || isToken { return .refresh }
        if kinds.contains(.revocation),
            !kinds.contains(.token)
                || requirement.revocations.contains(where: { $0.method.contains(request.method) })
                    && !requirement.exchange.method.contains(request.method)
        {
            return .revocation
        }
        if kinds.contains(.afterConnecting), !kinds.contains(.token) { return .afterConnecting }
        if kinds.contains(.token) { return .token }
        if kinds.contains(.refresh) { return .refresh }
        return kinds.first ?? .token
    }

    var proof: ClientProof {
        ClientProof(request, parameters, of: client, as: requirement.exchange, now: now)
    }

    var template: Template {
        var values: [String: JSON?] = [
            "clientId": .string(client.id), "clientSecret": .string(client.secret),
            "redirectURI": .string(client.redirectURI), "now": .integer(now),
            "issuedAt": .string(String(now * 1000)), "lifetime": .integer(requirement.answer.lifetime),
            "lifetimeText": .string(String(requirement.answer.lifetime)),
            "end": .integer(now + requirement.answer.lifetime),
        ]
        if let subject {
            values["token"] = .string(subject.text)
            values["state"] = .string(subject.grant.state)
            values["scope"] = .string(subject.grant.scope.joined(separator: requirement.consent.scope.separator))
            values["scopeWithCommas"] = .string(subject.grant.scope.joined(separator: ","))
        }
        return Template(values)
    }

    // MARK: rules that several requests share

    func addressFaults(_ wanted: Choice?) -> [String] {
        guard let wanted else { return [] }
        return wanted.values.contains { request.address.captures(of: $0) != nil }
            ? [] : ["is at \(request.address.text), wanted \(wanted.words)"]
    }

    func methodFaults(_ wanted: Choice) -> [String] {
        wanted.contains(request.method) ? [] : ["is a \(request.method), wanted \(wanted.words)"]
    }

    func formatFaults(_ wanted: Choice) -> [String] {
        guard let format = parameters.format else { return ["has a body that is neither a form nor JSON"] }
        var faults = wanted.contains(format) ? [] : ["is \(format), wanted \(wanted.words)"]
        if let name = parameters.fields.repeated { faults.append("has \(name) twice") }
        if let empty = parameters.fields.pairs.first(where: { $0.value.isEmpty && $0.name != "refresh" }) {
            faults.append("has an empty \(empty.name)")
        }
        let secrets = [client.secret, subject?.text]
        if let pair = parameters.inAddress.pairs.first(where: { secrets.contains($0.value) }) {
            faults.append("has \(pair.name) in its address")
        }
        return faults
    }

    /// A certificate is shown in the handshake: who stands between says so in the header `Simulator-Certificate`.
    var certificateFaults: [String] {
        requirement.exchange.certificate && request.header("Simulator-Certificate") == nil
            ? ["shows no client certificate"] : []
    }

    func headerFaults(_ wanted: [String: String]) -> [String] {
        wanted.sorted { $0.key < $1.key }.compactMap { name, demanded in
            let value = template.text(demanded) ?? demanded
            guard let sent = request.header(name), !sent.isEmpty else {
                return "has no header \(name), wanted \(demanded)"
            }
            // A library's own name is what a provider that asks for an identifying one turns away.
            let anonymous = name == "User-Agent" && sent.lowercased().hasPrefix("curl/")
            return value == sent || value == "*" && !anonymous ? nil : "has \(name): \(sent), wanted \(value)"
        }
    }

    func parameterFaults(_ wanted: [String: String]) -> [String] {
        wanted.sorted { $0.key < $1.key }.compactMap { name, template in
            guard let value = self.template.text(template) else { return nil }
            guard let sent = parameters[name] ?? parameters.inAddress[name] else { return "has no \(name)" }
            return sent == value || template == "*" ? nil : "has another \(name) than \(template)"
        }
    }
}
