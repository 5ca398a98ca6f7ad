#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Simulator {
    // MARK: exchange

    func exchange(_ call: TokenCall) -> SimulatedResponse {
        let rules = call.requirement.exchange
        let code = call.parameters[rules.codeParameter]
        var faults = call.addressFaults(call.place.token)
        faults += call.methodFaults(rules.method)
        faults += call.formatFaults(rules.format)
        faults += call.headerFaults(rules.headers)
        faults += call.parameterFaults(rules.parameters)
        faults += call.certificateFaults
        let proof = call.proof.faults(accepting: rules.authentication, over: code)
        faults += proof
        faults += call.grantTypeFaults(rules.grantType)
        faults += call.redirectFaults(rules.redirectURI)
        if rules.codeParameter != "code", call.parameters["code"] != nil { faults.append("has a code, wanted none") }
        var codeFaults: [String] = []
        if let subject = call.subject, subject.kind == .code {
            if code != subject.text { codeFaults.append("has its code elsewhere than in \(rules.codeParameter)") }
            if grants.isDead(subject.text) { codeFaults.append("has a code that was used before") }
            grants.spend(subject.text)
            codeFaults += call.verifierFaults(subject.grant)
        } else {
            codeFaults.append(code == nil ? "has no \(rules.codeParameter)" : "has an unknown code")
        }
        faults += codeFaults
        note(call.entry, faults.map { "token request " + $0 })
        guard faults.isEmpty, let subject = call.subject else {
            return failure(
                call, proof.isEmpty ? (codeFaults.isEmpty ? "invalid_request" : "invalid_grant") : "invalid_client")
        }
        let refreshToken = subject.grant.refreshes ? grants.refreshToken(of: subject.id) : nil
        return tokens(for: call, of: subject, as: call.requirement.answer.body, told: refreshToken, good: refreshToken)
    }

    // MARK: refresh

    func refresh(_ call: TokenCall) -> SimulatedResponse {
        guard let rules = call.requirement.refresh else {
            note(call.entry, "refresh request, though there is no refresh here")
            return failure(call, "unsupported_grant_type")
        }
        let exchange = call.requirement.exchange
        var faults = call.addressFaults(call.place.refresh ?? call.place.token)
        faults += call.methodFaults(rules.method ?? exchange.method)
        faults += call.formatFaults(rules.format ?? exchange.format)
        faults += call.headerFaults(rules.headers ?? exchange.headers)
        faults += call.parameterFaults(rules.parameters)
        faults += call.certificateFaults
        if let notBefore = rules.notBefore, let end = grants.issued[call.entry]?.expiresAt,
            call.now < end - notBefore
        {
            faults.append("comes too early: the access token is good for more than \(notBefore) s")
        }
        let proof = call.proof
            .faults(accepting: rules.authentication ?? exchange.authentication, over: call.subject?.text)
        faults += proof
        faults += call.grantTypeFaults(rules.grantType)
        let tokenFaults = call.tokenFaults(rules, isDead: call.subject.map { grants.isDead($0.text) } ?? false)
        faults += tokenFaults
        note(call.entry, faults.map { "refresh request " + $0 })
        guard faults.isEmpty, let subject = call.subject else {
            return failure(
                call, proof.isEmpty ? (tokenFaults.isEmpty ? "invalid_request" : "invalid_grant") : "invalid_client")
        }
        let body = rules.body ?? call.requirement.answer.body
        guard rules.sends == .refreshToken else {
            return tokens(for: call, of: subject, as: body, told: nil, good: nil)
        }
        let times = grants.countRefresh(of: subject.id)
        switch rules.rotation {
        case .kept:
            return tokens(for: call, of: subject, as: body, told: nil, good: subject.text)
        case .rotates, .lingers:
            if rules.rotation == .rotates { grants.spend(subject.text) }
            let token = grants.refreshToken(of: subject.id)
            return tokens(for: call, of: subject, as: body, told: token, good: token)
        case .varies:
            let token = times.isMultiple(of: 2) ? grants.refreshToken(of: subject.id) : nil
            return tokens(for: call, of: subject, as: body, told: token, good: token ?? subject.text)
        }
    }

    // MARK: after connecting

    func afterConnecting(_ call: TokenCall) -> SimulatedResponse {
        guard let rules = call.requirement.afterConnecting else { return SimulatedResponse(status: 404) }
        var faults = call.addressFaults(call.place.afterConnecting ?? rules.address)
        faults += call.methodFaults(rules.method)
        faults += call.parameterFaults(rules.parameters)
        let token = call.subject?.kind == .accessToken ? call.subject : nil
        if rules.scheme == "-" {
            let names = call.parameters.fields.pairs.filter { $0.value == token?.text }.map(\.name)
            if !names.contains(where: { rules.tokenParameter.contains($0) || rules.tokenParameter.contains("*") }) {
                faults.append("has no access token in \(rules.tokenParameter.words)")
            }
        } else if call.request.header("Authorization") != "\(rules.scheme) \(token?.text ?? "")" {
            faults.append("has no header Authorization: \(rules.scheme) and the access token")
        }
        note(call.entry, faults.map { "call after connecting " + $0 })
        guard faults.isEmpty, let token else { return .problem("invalid_token", status: 401) }
        guard !rules.swaps else {
            let first = grants.issued[call.entry]?.answer
            return tokens(for: call, of: token, as: rules.body, told: nil, good: nil, beside: first)
        }
        return .json(call.template.json(rules.body) ?? .null)
    }

    // MARK: revocation

    func revoke(_ call: TokenCall) -> SimulatedResponse {
        let ways = call.requirement.revocations.map { ($0, call.revocationFaults($0)) }
        guard let (rules, faults) = ways.min(by: { $0.1.count < $1.1.count }) else {
            return SimulatedResponse(status: 404)
        }
        note(call.entry, faults.map { "revocation request " + $0 })
        guard faults.isEmpty, let subject = call.subject else { return .problem("invalid_request", status: 400) }
        grants.revoke(subject.text)
        if call.requirement.answer.failure == .okFalse { return .json(.object(["ok": .bool(true)])) }
        return rules.status == 204 ? SimulatedResponse(status: 204) : .json(.object([:]))
    }

    // MARK: answers

    private func tokens(
        for call: TokenCall, of subject: SimulatedGrants.Subject, as body: JSON?, told: String?, good: String?,
        beside first: JSON? = nil
    ) -> SimulatedResponse {
        let requirement = call.requirement
        let accessToken = grants.accessToken(of: subject.id)
        let standard: JSON = .object([
            "access_token": .string("{accessToken}"), "token_type": .string("Bearer"),
            "expires_in": .string("{lifetime}"), "refresh_token": .string("{refreshToken}"),
            "scope": .string("{scope}"),
        ])
        let expires = requirement.answer.expiry == .told && !call.place.lasting
        let template = call.template.adding([
            "accessToken": .string(accessToken), "refreshToken": told.map { .string($0) },
            "scope": subject.grant.scope.isEmpty
                ? nil : .string(subject.grant.scope.joined(separator: requirement.consent.scope.separator)),
            "lifetime": expires ? .integer(requirement.answer.lifetime) : nil,
            "lifetimeText": expires ? .string(String(requirement.answer.lifetime)) : nil,
            "end": expires ? .integer(call.now + requirement.answer.lifetime) : nil,
        ])
        let answer = template.json(body ?? standard) ?? .null
        grants.issued[call.entry] = Issued(
            accessToken: accessToken, refreshToken: good,
            expiresAt: expires ? call.now + requirement.answer.lifetime : nil,
            scope: subject.grant.scope.isEmpty
                ? nil : subject.grant.scope.joined(separator: requirement.consent.scope.separator),
            answer: first.map { answer.completed(by: $0) } ?? answer)
        return written(answer, call)
    }

    private func failure(_ call: TokenCall, _ error: String) -> SimulatedResponse {
        var members: [String: JSON] = ["error": .string(error)]
        var status = error == "invalid_client" ? 401 : 400
        switch call.requirement.answer.failure {
        case .status: members["error_description"] = .string("the simulator noted why")
        case .ok: status = 200
        case .okFalse:
            status = 200
            members["ok"] = .bool(false)
        }
        var response = written(.object(members), call)
        response.status = status
        return response
    }

    private func written(_ answer: JSON, _ call: TokenCall) -> SimulatedResponse {
        let accepts = call.request.header("Accept")?.lowercased().contains("json") ?? false
        guard call.requirement.answer.encoding == .formUnlessAsked, !accepts, case .object(let members) = answer else {
            var response = SimulatedResponse.json(answer)
            response.body = (call.requirement.answer.prefix ?? "") + response.body
            return response
        }
        var fields = FormFields()
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            if let text = value.text { fields.append(name, text) }
        }
        return SimulatedResponse(
            status: 200, headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
            body: fields.encoded)
    }
}

extension SimulatedResponse {
    static func json(_ value: JSON) -> SimulatedResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
        return SimulatedResponse(status: 200, headers: [("Content-Type", "application/json")], body: text)
    }
}
