import Broker
import Foundation
import Yams

/// The configuration as it was written: the file, and over it the environment.
struct Settings {
    let top: YAMLReader
    /// Relative paths are relative to this.
    let folder: URL
    /// Remarks on how it was read.
    let remarks: [String]

    /// Settings with one value each, in the order of the documentation. `clients` and `frontend.tenants` have names of
    /// their own.
    private static let names = [
        "http.host", "http.port", "http.publicURL", "http.maxConnections", "http.requestTimeout",
        "http.trustedProxies", "admin.host", "admin.port", "frontend.origins", "frontend.returnURLs", "auth.issuer",
        "auth.audience", "auth.jwksFile",
        "auth.jwksURL", "auth.hmacSecretFile", "auth.tenantClaim", "auth.scopeClaim", "storage.url", "masterKeyFile",
        "lifetimes.state",
        "lifetimes.credentialKey", "lifetimes.auditEvents", "provider.connectTimeout", "provider.timeout",
        "provider.maxResponseBytes",
        "provider.allowInsecure", "provider.allowPrivateAddresses", "provider.caFile", "provider.callsPerTenant",
        "provider.callsPerHost", "catalogFiles",
        "limits.authorizePerTenant", "limits.callbackPerAddress", "limits.redeemPerAddress",
        "limits.refreshPerTenant", "limits.revokePerTenant",
        "limits.outstandingFlowsPerTenant",
        "limits.outstandingFlows", "log.level", "log.format",
        "tracing.endpoint", "tracing.sampleRatio",
    ]
    private static let lists: Set = ["http.trustedProxies", "frontend.origins", "frontend.returnURLs", "catalogFiles"]
    static let clientNames = [
        "clientId", "clientSecret", "clientSecretFile", "privateKeyFile", "keyId", "algorithm", "certificateFile",
        "certificateKeyFile", "legacyRedirect",
    ]
    private static let prefix = "CLOAKROOM_"
    /// Read by the commands that call the admin API, not settings.
    private static let others: Set = ["CLOAKROOM_BROKER", "CLOAKROOM_TOKEN"]

    /// `nil` (and a finding) where the file cannot be read.
    init?(file: String?, environment: [String: String], findings: Findings) {
        var root = Node.mapping(Node.Mapping([]))
        if let file {
            guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
                findings.add("\(file): found no readable file, wanted the configuration in YAML and UTF-8")
                return nil
            }
            // Read once by itself, so that what is wrong with the YAML is told with the file's name.
            guard YAMLReader(text: text, file: file, findings: findings) != nil else { return nil }
            if let node = try? Yams.compose(yaml: text), node.mapping != nil { root = node }
            folder = URL(fileURLWithPath: file).absoluteURL.deletingLastPathComponent()
        } else {
            folder = URL(fileURLWithPath: FileManager.default.currentDirectoryPath, isDirectory: true)
        }

        var origins: [String: String] = [:]
        var remarks: [String] = []
        let tenants = Self.tenants(in: root)
        for (variable, value) in environment.sorted(by: { $0.key < $1.key })
        where variable.hasPrefix(Self.prefix) && !Self.others.contains(variable) {
            guard var path = Self.path(of: variable) else {
                let known = Self.names.map(Self.variable)
                findings.add(
                    "environment: \(variable): found an unknown name, wanted a setting such as CLOAKROOM_HTTP_PORT"
                        + YAMLReader.guess(variable, among: known))
                continue
            }
            if path.starts(with: ["frontend", "tenants"]) {
                path[2] = Self.tenant(spelt: path[2], in: variable, among: tenants, &remarks, findings)
            }
            let node: Node
            if Self.lists.contains(path.joined(separator: ".")) || path.starts(with: ["frontend", "tenants"]) {
                node = Node(value.split(separator: ",").map { Node($0.trimmingCharacters(in: .whitespaces)) })
            } else {
                node = Node(value)
            }
            Self.set(node, at: path[...], in: &root)
            origins[path.joined(separator: ".")] = "environment: \(variable)"
        }
        self.remarks = remarks
        let sources = origins
        guard
            let top = YAMLReader(
                node: root, file: file ?? "environment", path: [], findings: findings, origin: { sources[$0] })
        else { return nil }
        self.top = top
    }

    private static func path(of variable: String) -> [String]? {
        if let name = names.first(where: { Self.variable($0) == variable }) { return name.components(separatedBy: ".") }
        let tenants = prefix + "FRONTEND_TENANTS_"
        for member in ["origins", "returnURLs"] where variable.hasPrefix(tenants) {
            guard variable.hasSuffix("_" + snake(member)) else { continue }
            let name = variable.dropFirst(tenants.count).dropLast(snake(member).count + 1)
            return name.isEmpty ? nil : ["frontend", "tenants", String(name), member]
        }
        let clients = prefix + "CLIENTS_"
        guard variable.hasPrefix(clients) else { return nil }
        // The longest name first: `…_CLIENT_SECRET_FILE` also ends in nothing shorter, `…_CERTIFICATE_KEY_FILE` does.
        for member in clientNames.sorted(by: { $0.count > $1.count }) {
            let suffix = "_" + snake(member)
            guard variable.hasSuffix(suffix) else { continue }
            let name = variable.dropFirst(clients.count).dropLast(suffix.count)
            guard !name.isEmpty else { return nil }
            return ["clients", name.lowercased(), member]
        }
        if let range = variable.range(of: "_PARAMETERS_") {
            let name = variable[..<range.lowerBound].dropFirst(clients.count)
            let parameter = variable[range.upperBound...]
            guard !name.isEmpty, !parameter.isEmpty else { return nil }
            return ["clients", name.lowercased(), "parameters", parameter.lowercased()]
        }
        return nil
    }

    /// The tenants that the file names.
    private static func tenants(in root: Node) -> [String] {
        root.mapping?["frontend"]?.mapping?["tenants"]?.mapping?.keys.compactMap { $0.scalar?.string } ?? []
    }

    /// The tenant that a variable means: capitals, `-` and `.` cannot be told in its name, so the file says which it
    /// is.
    ///
    /// A tenant that is taken for another one would be let out to everybody's pages.
    private static func tenant(
        spelt name: String, in variable: String, among tenants: [String], _ remarks: inout [String],
        _ findings: Findings
    ) -> String {
        let meant = tenants.filter { tenant in
            tenant.uppercased().utf8.map { $0 == 0x2D || $0 == 0x2E ? 0x5F : $0 }.elementsEqual(name.utf8)
        }
        if meant.count > 1 {
            findings.add(
                "environment: \(variable): found more than one tenant that it could mean "
                    + "(\(meant.joined(separator: ", "))), wanted their lists in the file")
        } else if meant.isEmpty {
            remarks.append(
                "\(variable) sets the pages of the tenant \"\(name.lowercased())\", in small letters; "
                    + "where it is written otherwise, name it under frontend.tenants in the file")
        }
        return meant.first ?? name.lowercased()
    }

    /// `http.publicURL` is `CLOAKROOM_HTTP_PUBLIC_URL`.
    static func variable(_ name: String) -> String {
        prefix + name.split(separator: ".").map { snake(String($0)) }.joined(separator: "_")
    }

    private static func snake(_ name: String) -> String {
        var snake = ""
        var previous: Character?
        for character in name {
            if character.isUppercase, previous?.isLowercase == true { snake += "_" }
            snake += character.uppercased()
            previous = character
        }
        return snake
    }

    private static func set(_ node: Node, at path: ArraySlice<String>, in parent: inout Node) {
        guard let first = path.first else {
            parent = node
            return
        }
        var pairs = (parent.mapping ?? Node.Mapping([])).map { ($0.key, $0.value) }
        let index = pairs.firstIndex { $0.0.scalar?.string == first }
        var child = index.map { pairs[$0].1 } ?? Node.mapping(Node.Mapping([]))
        set(node, at: path.dropFirst(), in: &child)
        if let index { pairs[index].1 = child } else { pairs.append((Node(first), child)) }
        parent = Node.mapping(Node.Mapping(pairs))
    }

    /// A path as the operator wrote it, from the configuration's folder.
    func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path, relativeTo: folder).path
    }
}
