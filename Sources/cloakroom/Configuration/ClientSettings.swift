import Broker
import Catalog
import Daemon
import Formats
import Foundation
import JOSE
import Secrets
import StrictYAML
import Transport

/// The clients that the configuration names, each checked against the source types that will use it.
extension ConfigurationReader {
    /// - Parameters:
    ///   - isWhole: no catalog file was refused, so that a name that nobody bears is a slip.
    ///   - environment: what it sets is in no file.
    func clients(_ catalog: Catalog, isWhole: Bool, environment: [String: String]) -> [String: Client] {
        let section = section("clients")
        var clients: [String: Client] = [:]
        var isFileSecret = false
        let known = catalog.clientNames
        for name in section.names {
            guard let entry = section.section(name) else { continue }
            // Where an entry was refused, its client is not unknown.
            if isWhole, !known.contains(name) {
                // An unknown name in the environment refuses nothing; see `EnvironmentOverlay`.
                if let variables = settings.variables(of: entry.path) {
                    notes.remarks.append(
                        "environment: \(variables): no source type or provider of the catalog is called "
                            + name.quoted + name.guess(among: known.sorted()) + ": ignored")
                    continue
                }
                section.problem(
                    name, found: "an unknown name",
                    wanted: "a source type with OAuth, or a provider, of the catalog"
                        + name.guess(among: known.sorted()))
            }
            let users = catalog.sourceTypes(of: [name])
            let id = entry.required("clientId", "the client id that the provider gave")
            // RFC 7617 § 2: the server would take what is behind the colon for the secret.
            if id?.contains(":") == true, users.contains(where: { $0.oauth?.clientAuthentication == .basicRaw }) {
                entry.problem("clientId", found: (id ?? "").quoted, wanted: "one without a colon, for basic_raw")
            }
            let secret = clientSecret(entry, users)
            isFileSecret = isFileSecret || hasSecretInFile(entry, environment)
            let key = clientKey(entry, users)
            let certificate = clientCertificate(entry, users)
            let parameters = parameters(entry, users)
            let usesLegacyRedirect = entry.bool("legacyRedirect") ?? false
            entry.finish()
            if let id {
                clients[name] = Client(
                    id: id, secret: secret, key: key, certificate: certificate, parameters: parameters,
                    usesLegacyRedirect: usesLegacyRedirect)
            }
        }
        if isFileSecret {
            // Once, however many clients have theirs in it. By its whole path: relative ones are the folder's.
            let file = URL(fileURLWithPath: settings.top.file).path
            _ = secretContents(file, of: "clientSecret", in: settings.top, wanted: "the configuration")
        }
        return clients
    }

    /// A secret in the configuration file itself, where the environment does not give another one.
    private func hasSecretInFile(_ entry: YAMLReader, _ environment: [String: String]) -> Bool {
        let variable = SettingNames.broker.variable((entry.path + ["clientSecret"]).joined(separator: "."))
        return entry.names.contains("clientSecret")
            && !environment.keys.contains { $0.uppercased() == variable }
    }

    private func clientSecret(_ entry: YAMLReader, _ users: [SourceType]) -> ClientSecret? {
        let text = entry.string("clientSecret")
        let file = entry.string("clientSecretFile")
        if text != nil, file != nil {
            entry.problem("clientSecretFile", found: "both this and clientSecret", wanted: "one of the two")
        }
        if text == nil, file == nil, let user = users.first(where: { $0.oauth?.needsSecret == true }) {
            entry.problem(
                "clientSecretFile", found: "nothing",
                wanted: "the client secret that \"\(user.id)\" needs (or clientSecret, for trials)")
        }
        let secret = file.flatMap { self.secret($0, of: "clientSecretFile", in: entry, wanted: "the client secret") }
        return (secret.map { String(decoding: $0, as: UTF8.self) } ?? text).map { ClientSecret($0) }
    }

    /// The key for `private_key_jwt` (RFC 7523 § 2.2) and request objects (RFC 9101 § 4).
    private func clientKey(_ entry: YAMLReader, _ users: [SourceType]) -> JWSSigner? {
        let wanted = "a private key in PEM: RSA of at least 2048 bits, P-256, P-384, P-521, Ed25519 or Ed448"
        let keyID = entry.string("keyId")
        let algorithm = entry.choice("algorithm", of: SignatureAlgorithm.self)
        guard let file = entry.string("privateKeyFile") else {
            if let user = users.first(where: { $0.oauth?.needsKey == true }) {
                entry.problem(
                    "privateKeyFile", found: "nothing", wanted: "the key that \"\(user.id)\" needs: \(wanted)")
            } else if keyID != nil || algorithm != nil {
                let setting = keyID == nil ? "algorithm" : "keyId"
                entry.problem(
                    "privateKeyFile", found: "nothing", wanted: "the key that \(setting) is said of: \(wanted)")
            }
            return nil
        }
        if keyID == nil, let user = users.first(where: { $0.oauth?.mintedSecret != nil }) {
            notes.remarks.append(
                "\(entry.path.joined(separator: ".")) has no keyId: \"\(user.id)\" is told by it which key made the secret"
            )
        }
        guard let bytes = secretContents(file, of: "privateKeyFile", in: entry, wanted: wanted) else { return nil }
        guard let key = SigningKey(pem: SecretBytes(bytes)) else {
            entry.problem(
                "privateKeyFile", found: "\(file.quoted), which holds no private key", wanted: wanted)
            return nil
        }
        if let algorithm, !key.algorithms.contains(algorithm) {
            entry.problem(
                "algorithm", found: algorithm.rawValue,
                wanted: "one that the key can make: \(key.algorithms.map(\.rawValue).joined(separator: ", "))")
            return nil
        }
        return (algorithm ?? key.algorithms.first).map { JWSSigner(key: key, algorithm: $0, keyID: keyID) }
    }

    /// The certificate for `tls` (RFC 8705 § 2).
    private func clientCertificate(_ entry: YAMLReader, _ users: [SourceType]) -> ClientCertificate? {
        let file = entry.string("certificateFile")
        let keyFile = entry.string("certificateKeyFile")
        if file == nil, keyFile == nil {
            if let user = users.first(where: { $0.oauth?.needsCertificate == true }) {
                entry.problem(
                    "certificateFile", found: "nothing", wanted: "the certificate in PEM that \"\(user.id)\" needs")
            }
            return nil
        }
        guard let file, let keyFile else {
            let missing = file == nil ? "certificateFile" : "certificateKeyFile"
            entry.problem(missing, found: "nothing", wanted: "certificateFile and certificateKeyFile, both")
            return nil
        }
        guard contents(file, of: "certificateFile", in: entry, wanted: "a certificate in PEM") != nil,
            let key = secretContents(keyFile, of: "certificateKeyFile", in: entry, wanted: "its private key in PEM")
        else { return nil }
        // Else libcurl would tell no more than that the handshake failed, at the first flow.
        guard SigningKey(pem: SecretBytes(key)) != nil else {
            entry.problem(
                "certificateKeyFile", found: "\(keyFile.quoted), which holds no private key",
                wanted: "the certificate's private key in PEM, without a passphrase")
            return nil
        }
        return ClientCertificate(file: settings.absolute(file), keyFile: settings.absolute(keyFile))
    }

    /// Values that callers cannot choose, since they decide who is sent the client's secret.
    private func parameters(_ entry: YAMLReader, _ users: [SourceType]) -> [String: String] {
        guard let section = entry.section("parameters") else { return [:] }
        let own = users.flatMap { $0.oauth?.parameters ?? [] }.filter(\.setByOperator)
        var values: [String: String] = [:]
        for name in section.names {
            guard let value = section.string(name) else { continue }
            let places = own.filter { $0.name == name }
            if places.isEmpty {
                let names = Set(own.map(\.name)).sorted()
                if let variable = settings.variables(of: section.path + [name]) {
                    notes.remarks.append(
                        "environment: \(variable): \(section.path.joined(separator: ".")) has no such name"
                            + name.guess(among: names) + ": ignored")
                    continue
                }
                section.problem(
                    name, found: "an unknown name",
                    wanted: names.isEmpty
                        ? "no parameters: callers give those of this client's source types"
                        : "one of \(names.joined(separator: ", "))" + name.guess(among: names))
            }
            for parameter in places where !parameter.pattern.matches(value) {
                section.problem(
                    name, found: value.quoted, wanted: "a value that matches \(parameter.pattern.text)")
            }
            values[name] = value
        }
        return values
    }
}
