import Formats
import StrictYAML

extension OAuthProfile {
    /// Reads `clientPerInstance`, which must be there where a parameter chooses a host that is sent the client's
    /// secret: else any caller chooses who gets it (CVE-2023-36019).
    func readInstances(_ entry: YAMLReader, allowInsecure: Bool) {
        clientPerInstance = entry.bool("clientPerInstance")
        let leading = namesLeadingTheSecret
        if let (name, address) = leading.first, !entry.names.contains("clientPerInstance") {
            entry.problem(
                "clientPerInstance", found: "nothing",
                wanted: "true or false: {\(name)} stands in the host of \(address), which is sent the client's secret")
        }
        if clientPerInstance == true {
            let names = Set(leading.map(\.name))
            for index in parameters.indices where names.contains(parameters[index].name) {
                parameters[index].setByOperator = true
            }
            if addresses.tokenOrigin != nil {
                entry.problem(
                    "tokenOrigin", found: "both this and clientPerInstance: true",
                    wanted: "one of the two: the operator says which host has the client, not the callback")
            }
        }
        // A trial's hosts are those of one machine.
        if !allowInsecure {
            checkFreeHosts(entry)
            checkLearnedHosts(entry)
        }
    }

    /// Parameters in hosts that are sent the client's secret, or a proof made with its key, each with its address.
    private var namesLeadingTheSecret: [(name: String, address: String)] {
        trustedTemplates.flatMap { address, template in template.namesInHost.map { ($0, address) } }
            .filter { found in parameters.contains { $0.name == found.0 } }
    }

    /// The addresses that the client proves itself to, or whose answers name them.
    private var trustedTemplates: [(name: String, template: URLTemplate)] {
        let provesItself = clientAuthentication != .none || needsSecretForTokens || requestObject
        let provesItselfToRevoke =
            revocation.authentication != .none || Self.holdSecret(revocation.parameters, revocation.headers)
        let provesItselfToConnect =
            afterConnecting.map { provesItself || Self.holdSecret($0.parameters, $0.headers) } ?? false
        var found: [(name: String, template: URLTemplate?)] = []
        for set in addresses.sets {
            if provesItself { found += [("tokenURL", set.token), ("refreshURL", set.refresh)] }
            if provesItselfToRevoke { found.append(("revocationURL", set.revocation)) }
            if provesItselfToConnect { found.append(("afterConnecting", set.afterConnecting)) }
        }
        if provesItself { found.append(("pushedAuthorizationURL", pushedAuthorizationURL)) }
        // Its metadata names the token endpoint and the one that revokes.
        if discovery, provesItself || provesItselfToRevoke {
            found.append(("issuer", issuer.flatMap { try? URLTemplate($0) }))
        }
        return found.compactMap { found in found.template.map { (found.name, $0) } }
    }

    /// Reports the values of callers or callbacks that could name a host that is not the vendor's.
    private func checkFreeHosts(_ entry: YAMLReader) {
        var told: Set<String> = []
        for (_, template) in trustedTemplates {
            for name in template.namesInHost where !told.contains(name) {
                guard let parameter = parameters.first(where: { $0.name == name }), !parameter.setByOperator,
                    !FixedDomain.holds(template, withValuesOf: name, patterns: parameters.map { ($0.name, $0.pattern) })
                else { continue }
                told.insert(name)
                entry.problem(
                    "parameters.\(name).pattern", found: parameter.pattern.text.quoted,
                    wanted: "one label under a domain of the vendor that is written out (or clientPerInstance: true)")
            }
        }
        guard let tokenOrigin = addresses.tokenOrigin else { return }
        let name = tokenOrigin.callbackParameter
        let isFixed = tokenOrigin.origin.map {
            FixedDomain.holds($0, withValuesOf: name, patterns: [(name, tokenOrigin.pattern)])
        }
        if !(isFixed ?? FixedDomain.holds(tokenOrigin.pattern)) {
            entry.problem(
                "tokenOrigin.pattern", found: tokenOrigin.pattern.text.quoted,
                wanted: "hosts that are written out, or one label under a domain of the vendor that is")
        }
    }
}

/// Tells whether all hosts that values can make of an address lie under one that the catalog's author wrote out.
enum FixedDomain {
    private static let dot = UInt8(ascii: ".")

    /// Values that are whole hosts, or origins: all written out, or all ending in `.domain.tld`, with no more dots
    /// than the pattern has.
    static func holds(_ pattern: Pattern) -> Bool {
        let values = pattern.values
        if values.areEnumerated { return true }
        return values.writesOut(dot) && isDomain(values.commonEnd.utf8.drop { $0 != dot })
    }

    /// Values of `name` in the host of `template`: one label each, and a domain after it.
    static func holds(
        _ template: URLTemplate, withValuesOf name: String, patterns: [(name: String, pattern: Pattern)]
    ) -> Bool {
        guard let pattern = patterns.first(where: { $0.name == name })?.pattern else { return false }
        let parts = template.hostParts
        if parts == [.placeholder(name)] { return holds(pattern) }
        if pattern.values.areEnumerated { return true }
        guard !pattern.values.mayHold(dot), let place = parts.lastIndex(of: .placeholder(name)) else { return false }
        // What comes after, a harmless value in place of each choice among written ones.
        var rest = ""
        for part in parts[(place + 1)...] {
            switch part {
            case .literal(let text): rest += text
            case .placeholder(let other):
                let values = patterns.first { $0.name == other }?.pattern.values
                rest += values?.areEnumerated == true ? "a.a" : "*"
            }
        }
        let end = rest.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).last
        return rest.utf8.first == dot && isDomain((end ?? rest.utf8[...]).drop { $0 != dot })
    }

    /// `.domain.tld`, perhaps with more labels before and a port after.
    private static func isDomain(_ text: Substring.UTF8View.SubSequence) -> Bool {
        let labels = text.split(separator: dot, omittingEmptySubsequences: false)
        return labels.count >= 3 && labels.dropFirst().allSatisfy { !$0.isEmpty }
    }
}
