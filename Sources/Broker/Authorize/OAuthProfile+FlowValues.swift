public import Catalog
import Formats

extension OAuthProfile {
    /// The values for the placeholders, defaults filled in.
    ///
    /// Names are checked before values: no pattern is matched for a call that cannot succeed.
    ///
    /// - Parameters:
    ///   - client: has the values that only the operator sets.
    ///   - needed: the learned values that a refresh or a revocation cannot do without; `nil` for a flow, in which the
    ///     provider has told nothing yet. Otherwise the value by which a callback names the token endpoint's host is
    ///     accepted as well.
    func values(
        _ given: [String: String], client: Client, needing needed: [LearnedValue]? = nil
    ) throws(AuthorizeError) -> [String: String] {
        if parameters.isEmpty, given.isEmpty, needed?.isEmpty ?? true { return [:] }
        var values = try operatorValues(of: client)
        var given = given
        if let needed { try take(learned, from: &given, into: &values, needing: needed) }
        if needed != nil, let tokenOrigin = addresses.tokenOrigin,
            let value = given.removeValue(forKey: tokenOrigin.callbackParameter)
        {
            guard tokenOrigin.origin(value, allowInsecure: addresses.allowInsecure) != nil else {
                throw .parameterRejected(name: tokenOrigin.callbackParameter, pattern: tokenOrigin.pattern.text)
            }
            values[tokenOrigin.callbackParameter] = value
        }
        for name in given.keys.sorted() {
            guard let parameter = parameters.first(where: { $0.name == name }) else {
                throw .parameterUnknown(name: name, known: parameters.filter { !$0.setByOperator }.map(\.name))
            }
            if parameter.setByOperator { throw .parameterIsTheOperators(name: name) }
        }
        for parameter in parameters where !parameter.setByOperator {
            guard let value = given[parameter.name] ?? parameter.defaultValue else {
                if parameter.required { throw .parameterMissing(name: parameter.name) }
                continue
            }
            guard parameter.pattern.matches(value) else {
                throw .parameterRejected(name: parameter.name, pattern: parameter.pattern.text)
            }
            values[parameter.name] = value
        }
        guard values.reduce(0, { $0 + $1.key.utf8.count + $1.value.utf8.count }) <= Self.longestValues else {
            throw .parametersTooLong
        }
        // The place is checked too: a generous pattern must not let a value change the host or the path around it.
        var placed = values
        placed["clientId"] = client.id
        // Not known yet, and checked once it is.
        for value in learned where placed[value.name] == nil { placed[value.name] = "a" }
        for set in addresses.sets {
            for template in [set.authorization, set.token, set.refresh].compactMap(\.self) {
                if template.filled(with: placed) != nil { continue }
                let name = template.misplaced(in: placed) ?? ""
                let pattern = parameters.first { $0.name == name }?.pattern.text ?? ""
                throw .parameterRejected(name: name, pattern: pattern)
            }
        }
        return values
    }

    /// The values of an entry whose provider is found from a resource: its address and, outside of flows, the issuer of
    /// the caller's tokens.
    func resourceValues(_ given: [String: String], isOutside: Bool) throws(AuthorizeError) -> [String: String] {
        let asked = parameters.filter { !$0.setByOperator || isOutside }
        for name in given.keys.sorted() where !asked.contains(where: { $0.name == name }) {
            if parameters.contains(where: { $0.name == name }) { throw .parameterIsTheOperators(name: name) }
            throw .parameterUnknown(name: name, known: asked.map(\.name))
        }
        var values: [String: String] = [:]
        for parameter in asked {
            guard let value = given[parameter.name] else { throw .parameterMissing(name: parameter.name) }
            guard parameter.pattern.matches(value) else {
                throw .parameterRejected(name: parameter.name, pattern: parameter.pattern.text)
            }
            values[parameter.name] = value
        }
        return values
    }

    /// Takes what the provider told before, and the caller kept among the extras.
    private func take(
        _ learned: [LearnedValue], from given: inout [String: String], into values: inout [String: String],
        needing needed: [LearnedValue]
    ) throws(AuthorizeError) {
        for value in learned {
            guard let text = given.removeValue(forKey: value.name) else {
                if needed.contains(where: { $0.name == value.name }) { throw .parameterMissing(name: value.name) }
                continue
            }
            guard let taken = value.value(in: text) else {
                throw .parameterRejected(name: value.name, pattern: value.pattern.text)
            }
            values[value.name] = taken
        }
    }

    /// The most bytes of all values and their names together: they are kept with the flow.
    static let longestValues = 4096

    /// The values that come with the client. Checked when they were set, and again: the catalog may have changed.
    private func operatorValues(of client: Client) throws(AuthorizeError) -> [String: String] {
        var values: [String: String] = [:]
        for parameter in parameters where parameter.setByOperator {
            guard let value = client.parameters[parameter.name] ?? parameter.defaultValue else {
                throw .parameterNotSetByOperator(name: parameter.name)
            }
            guard parameter.pattern.matches(value) else {
                throw .parameterRejected(name: parameter.name, pattern: parameter.pattern.text)
            }
            values[parameter.name] = value
        }
        return values
    }

    /// Tells whether `values` name the hosts that `client` belongs to. Those of a flow that began with another client
    /// do not: this one's secret must not go there.
    func agree(_ values: [String: String], with client: Client) -> Bool {
        parameters.allSatisfy {
            !$0.setByOperator || values[$0.name] == client.parameters[$0.name] ?? $0.defaultValue
        }
    }

    /// Tells whether `client` has all values that only an operator can set.
    func isComplete(_ client: Client) -> Bool { missingParameters(of: client).isEmpty }

    /// The names of the values that only an operator can set, has not set, and that have no default. For `doctor` and
    /// the list of source types.
    public func missingParameters(of client: Client) -> [String] {
        if parameters.isEmpty { return [] }
        return parameters.filter {
            $0.setByOperator && resourceParameter == nil && client.parameters[$0.name] == nil && $0.defaultValue == nil
        }
        .map(\.name)
    }

    /// Throws unless `given` is all that only an operator can set, and nothing else.
    func check(operators given: [String: String]) throws(AuthorizeError) {
        let own = parameters.filter(\.setByOperator)
        for (name, value) in given.sorted(by: { $0.key < $1.key }) {
            guard let parameter = own.first(where: { $0.name == name }) else {
                throw .parameterUnknown(name: name, known: own.map(\.name))
            }
            guard parameter.pattern.matches(value) else {
                throw .parameterRejected(name: name, pattern: parameter.pattern.text)
            }
        }
        if let missing = own.first(where: { given[$0.name] == nil && $0.defaultValue == nil }) {
            throw .parameterNotSetByOperator(name: missing.name)
        }
    }

    /// The scopes to ask for: the caller's or our own, and those that are always added.
    func scopes(_ given: [String]?, values: [String: String]) throws(AuthorizeError) -> [String] {
        let always = filled(alwaysScopes, values)
        guard let given else { return try bounded(Scopes.union(filled(scopes, values), always), 4096) }
        // A scope that holds the separator would be two.
        guard given.count <= 200, given.allSatisfy({ Scopes.isToken($0) && !$0.contains(scopeSeparator) }) else {
            throw .scopesMalformed
        }
        return try bounded(Scopes.union(bounded(Scopes.union([], given), 2048), always), 4096)
    }

    /// The list, if it is at most so many bytes long: it is kept with the flow.
    private func bounded(_ scopes: [String], _ most: Int) throws(AuthorizeError) -> [String] {
        let length = scopes.reduce(0) { $0 + $1.utf8.count } + max(0, scopes.count - 1) * scopeSeparator.utf8.count
        guard length <= most else { throw .scopesMalformed }
        return scopes
    }

    /// The scopes with their placeholders filled.
    private func filled(_ scopes: [String], _ values: [String: String]) -> [String] {
        scopes.map { scope in
            scope.utf8.contains(UInt8(ascii: "{")) ? ValueTemplate(scope).filled(with: values) ?? scope : scope
        }
    }
}

extension OAuthProfile {
    /// The scopes of a flow whose caller names none: the client's or the source type's own, and those always added.
    /// Placeholders are unfilled.
    public func defaultScopes(of client: Client?) -> [String] { Scopes.union(client?.scopes ?? scopes, alwaysScopes) }
}

extension SourceType {
    /// Tells whether a flow could start with `client`: it is there, with all values that only an operator can set. Where
    /// the broker becomes a client by itself, some server must be open. True for source types without OAuth.
    public func isConfigured(by client: Client?, opening servers: ResourceServers) -> Bool {
        guard let oauth else { return true }
        if oauth.resourceParameter != nil { return !servers.hosts.isEmpty }
        return client.map(oauth.isComplete) ?? false
    }
}
