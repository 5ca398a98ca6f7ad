extension Simulator {
    /// The consent page (RFC 6749 § 4.1.1), of somebody who always agrees.
    ///
    /// The header `Simulator-Place` names the place that the account lives at; without it, it is the address's first.
    func consent(_ request: SimulatedRequest, _ endpoints: [Endpoint]) -> SimulatedResponse {
        guard let entry = asker(request, endpoints), let client = clients[entry],
            let requirement = requirements[entry]
        else {
            note(endpoints[0].entry, "consent request has a wrong or no client_id")
            return .problem("invalid_client", status: 400)
        }
        let mine = endpoints.filter { $0.entry == entry }
        let wanted = request.header("Simulator-Place")
        guard let index = (mine.first { requirement.places[$0.place].name == wanted } ?? mine.first)?.place else {
            note(
                entry,
                "consent request at \(request.address.text), wanted \(requirement.places[0].authorization.words)")
            return .problem("invalid_request", status: 400)
        }
        if let wanted, requirement.places[index].name != wanted {
            note(entry, "consent request at \(request.address.text), which is not where \(wanted) is")
        }
        let place = requirement.places[index]
        let query = requirement.consent.parameters(of: request)
        let captured = mine.first { $0.place == index }?.captures["clientId"]
        let faults =
            requirement.consent.faults(query, at: place, client: client, hasClientID: captured == client.id)
            + requirement.consent.fragmentFaults(request)
        note(entry, faults.map { "consent request " + $0 })
        guard faults.isEmpty else { return .problem("invalid_request", status: 400) }

        let scope = requirement.consent.scope.list(query)
        let always = requirement.consent.scope.always
        let code = grants.code(
            for: .init(
                entry: entry, place: index, redirectURI: requirement.consent.sent("redirect_uri", query), scope: scope,
                state: query["state"] ?? "", challenge: query["code_challenge"],
                challengeMethod: query["code_challenge_method"],
                refreshes: requirement.refresh?.sends == .refreshToken && !place.lasting
                    && always?.values.contains { scope.contains($0) } != false),
            plain: requirement.consent.signature != nil)
        return .redirect(
            client.redirectURI,
            callback(
                code: code, query: query, entry: entry, consent: requirement.consent, place: place, client: client))
    }

    /// The entry whose client sent the request, wherever its provider has the client's id.
    private func asker(_ request: SimulatedRequest, _ endpoints: [Endpoint]) -> String? {
        let here = endpoints.first { endpoint in
            guard let client = clients[endpoint.entry], let consent = requirements[endpoint.entry]?.consent else {
                return false
            }
            let query = consent.parameters(of: request)
            if consent.names["client_id"] == "-", endpoint.captures["clientId"] == nil {
                // Nothing but its redirect address tells it then.
                return consent.sent("redirect_uri", query) == client.redirectURI
            }
            return consent.sent("client_id", query) ?? endpoint.captures["clientId"] == client.id
        }
        return here?.entry ?? clients.first { $0.value.id == request.query["client_id"] }?.key
    }

    private func callback(
        code: String, query: FormFields, entry: String, consent: ProviderRequirement.Consent,
        place: ProviderRequirement.Place, client: Client
    ) -> FormFields {
        let template = Template([
            "now": .integer(now()), "scope": query[consent.scope.parameter].map { .string($0) },
            "challenge": query["code_challenge"].map { .string($0) },
            "challengeMethod": query["code_challenge_method"].map { .string($0) },
        ])
        let additions = place.callback.compactMapValues { template.text($0) }
        grants.callbacks[entry] = additions
        var members = FormFields([consent.codeParameter: code, "state": query["state"] ?? ""])
        for (name, value) in additions.sorted(by: { $0.key < $1.key }) { members.append(name, value) }
        if let signature = consent.signature {
            let signed = members.pairs.sorted { $0.name < $1.name }.map { "\($0.name)=\($0.value)" }
            let hmac = HMACSHA256.code(
                for: Array(signed.joined(separator: "&").utf8), key: Array(client.secret.utf8))
            members.append(signature, hmac.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        }
        return members
    }
}

extension ProviderRequirement.Consent {
    /// The parameters of a consent request: behind the fragment, which only the provider's page sees, or in the query.
    func parameters(of request: SimulatedRequest) -> FormFields {
        guard fragment?.hasPrefix("/") == true else { return request.query }
        let halves = (request.fragment ?? "").split(separator: "?", maxSplits: 1)
        return FormFields(decoding: halves.count > 1 ? halves[1] : "")
    }

    func fragmentFaults(_ request: SimulatedRequest) -> [String] {
        let sent = request.fragment?.split(separator: "?", maxSplits: 1).first.map(String.init)
        if sent == fragment { return [] }
        return ["has \(sent.map { "the fragment \($0)" } ?? "no fragment"), wanted \(fragment ?? "none")"]
    }

    /// A parameter of the protocol, under the provider's name for it.
    func sent(_ name: String, _ query: FormFields) -> String? { query[names[name] ?? name] }

    private func nameFaults(_ query: FormFields) -> [String] {
        names.sorted { $0.key < $1.key }.filter { query[$0.key] != nil }.map { name, other in
            "has \(name), wanted \(other == "-" ? "none" : other)"
        }
    }

    func faults(
        _ query: FormFields, at place: ProviderRequirement.Place, client: Simulator.Client, hasClientID: Bool
    ) -> [String] {
        var faults: [String] = []
        if let name = query.repeated { faults.append("has \(name) twice") }
        if let empty = query.pairs.first(where: { $0.value.isEmpty }) { faults.append("has an empty \(empty.name)") }
        switch query["response_type"] {
        case nil where !responseType.contains("-"): faults.append("has no response_type, wanted \(responseType.words)")
        case let sent? where !responseType.contains(sent):
            faults.append("has response_type \(sent), wanted \(responseType == "-" ? "none" : responseType.words)")
        default: break
        }
        faults += nameFaults(query)
        if !hasClientID, names["client_id"] != "-", sent("client_id", query) != client.id {
            faults.append("has a wrong or no \(names["client_id"] ?? "client_id")")
        }
        if nonce, query["nonce"] == nil { faults.append("has no nonce") }
        switch sent("redirect_uri", query) {
        case nil where redirectURI == .required && names["redirect_uri"] != "-":
            faults.append("has no \(names["redirect_uri"] ?? "redirect_uri")")
        case let sent? where sent != redirectAlias ?? client.redirectURI:
            faults.append("has a redirect_uri that is not registered")
        default: break
        }
        if query["state"] == nil { faults.append("has no state") }
        for (name, wanted) in parameters.sorted(by: { $0.key < $1.key }) where !place.waived.contains(name) {
            guard let sent = query[name] else {
                faults.append("has no \(name), wanted \(wanted.words)")
                continue
            }
            if !wanted.contains(sent) { faults.append("has \(name) \(sent), wanted \(wanted.words)") }
        }
        return faults + scope.faults(query) + challengeFaults(query)
    }

    private func challengeFaults(_ query: FormFields) -> [String] {
        guard let challenge = query["code_challenge"] else {
            return switch pkce {
            case .required: ["has no code_challenge, which the provider requires"]
            case .verified: ["has no code_challenge, though the provider verifies it"]
            case .unknown, .refused: []
            }
        }
        if pkce == .refused { return ["has a code_challenge, which the provider does not know"] }
        let method = query["code_challenge_method"] ?? "plain"
        if !challengeMethods.contains(method) {
            return ["has code_challenge_method \(method), wanted \(challengeMethods.words)"]
        }
        return challenge.utf8.count == 43 ? [] : ["has a code_challenge that is no SHA-256"]
    }
}

extension ProviderRequirement.Scope {
    func list(_ query: FormFields) -> [String] {
        query[parameter]?.split(separator: separator).map(String.init) ?? []
    }

    func faults(_ query: FormFields) -> [String] {
        var faults: [String] = []
        for other in ["scope", "user_scope", "scopes"] where other != parameter && query[other] != nil {
            faults.append("has \(other), wanted \(parameter)")
        }
        guard let text = query[parameter] else {
            return presence == .required && !examples.isEmpty ? faults + ["has no \(parameter)"] : faults
        }
        if examples.isEmpty, known { return faults + ["has \(parameter), wanted none"] }
        let asked = list(query)
        if let broken = asked.first(where: { $0.contains(separator == "," ? " " : ",") }) {
            faults.append(
                "has \(parameter) \(broken), wanted \(separator == " " ? "spaces" : separator) between scopes")
        } else if known {
            for unknown in asked where !examples.contains(unknown) && always?.contains(unknown) != true {
                faults.append("has the scope \(unknown), which is not known")
            }
        }
        if let always, !always.values.contains(where: { asked.contains($0) }) {
            faults.append("asks for \(text) without \(always.words), so that there would be no refresh token")
        }
        return faults
    }
}

extension SimulatedResponse {
    static func problem(_ error: String, status: Int) -> SimulatedResponse {
        SimulatedResponse(
            status: status, headers: [("Content-Type", "application/json")], body: "{\"error\":\"\(error)\"}")
    }

    static func redirect(_ address: String, _ members: FormFields) -> SimulatedResponse {
        SimulatedResponse(
            status: 302, headers: [("Location", address + (address.contains("?") ? "&" : "?") + members.encoded)])
    }
}
