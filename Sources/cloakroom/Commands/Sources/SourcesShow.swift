import ArgumentParser
import Broker
import Catalog
import Daemon
import Formats
import Foundation

extension Sources {
    /// Tells an operator how to register an app for one source type. Without a configuration, the redirect address has
    /// a placeholder for the public URL.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Explain one source type: how to register its app, and which settings to write.")

        @Argument(help: "The source type, such as google_drive.")
        var type: String

        @OptionGroup var options: ConfigurationOption

        @Option(name: .long, help: "Show the redirect address of this tenant's own app, and the command that sets it.")
        var tenant: String?

        @Flag(
            name: .long, help: "Print the built-in entry as it is in the catalog, to be changed in a file of your own.")
        var yaml = false

        func run() throws {
            let (catalog, configuration) = try Sources.catalog(options.config)
            let sourceType = try Sources.sourceType(type, in: catalog, isBuiltIn: configuration == nil)
            if yaml {
                guard let text = Catalog.builtInText(of: sourceType.id) else {
                    throw Refusal(
                        "\(sourceType.id) is not built in", hint: "its entry is in a file of your own: see catalogFiles"
                    )
                }
                return Terminal.result(text)
            }
            guard let owner = tenant.map({ TenantID($0) }) else {
                return Terminal.result(Self.text(of: sourceType, catalog: catalog, configuration: configuration))
            }
            guard let owner else {
                throw Refusal("the tenant must match \(TenantID.pattern)")
            }
            Terminal.result(
                Self.text(of: sourceType, catalog: catalog, configuration: configuration, owner: owner))
        }

        /// Rows of names and values, then what to put into the configuration, or the command for a tenant's own app.
        ///
        /// - Parameter owner: the tenant whose own app is meant, which has a redirect address of its own.
        static func text(
            of sourceType: SourceType, catalog: Catalog, configuration: Configuration?, owner: TenantID? = nil
        ) -> String {
            var rows: [(String, String)] = [
                ("source type", sourceType.id.description), ("name", sourceType.displayName),
                ("category", sourceType.category),
            ]
            guard let oauth = sourceType.oauth else {
                rows.append(("OAuth", "none: nothing to register or to connect"))
                return lines(rows)
            }
            let redirects =
                configuration?.redirects
                ?? RedirectAddresses(publicURL: "{http.publicURL}", catalog: catalog, clients: [:])
            rows.append(("provider", sourceType.provider))
            if let documentation = sourceType.documentation { rows.append(("documentation", documentation)) }
            if let registration = sourceType.registration { rows.append(("registration", registration)) }
            let path = owner.map { redirects.path(of: sourceType.id, ownedBy: $0) } ?? redirects.path(of: sourceType.id)
            let isFound = oauth.resourceParameter != nil && owner == nil && !path.description.contains("/")
            // The broker registers them itself.
            rows.append(
                (
                    "redirect address",
                    redirects.url(path)
                        + (isFound ? "/…, one for each authorization server: `cloakroom sources try` tells it" : "")
                ))
            if owner == nil, let later = configuration?.laterRedirects.url(of: sourceType.id),
                later != redirects.url(path)
            {
                rows.append(("without legacyRedirect", later))
            }
            let scopes = oauth.defaultScopes(of: configuration?.client(for: sourceType))
            rows.append(("scopes", scopes.isEmpty ? "none" : scopes.joined(separator: " ")))
            for parameter in oauth.parameters {
                let who = parameter.setByOperator ? "set by you" : parameter.required ? "required" : "optional"
                let words = parameter.description.isEmpty ? "" : ": \(parameter.description)"
                rows.append(("parameter \(parameter.name)", "\(who), \(parameter.pattern.text)\(words)"))
            }
            let authentication =
                oauth.resourceParameter == nil ? oauth.clientAuthentication.rawValue : "as the server wants"
            rows.append(("client authentication", authentication))
            if let perInstance = oauth.clientPerInstance {
                let words = perInstance ? "yes: each client is for the instance in its parameters" : "no"
                rows.append(("client per instance", words))
            }
            rows.append(("PKCE", oauth.proofKey.rawValue))
            rows.append(("refresh token", oauth.refreshToken.rawValue))
            rows.append(("revocation", oauth.hasRevocation ? "yes" : "none: delete the tokens, and tell the person"))
            if !oauth.unverified.isEmpty {
                rows.append(("unverified", oauth.unverified.map(\.words).joined(separator: ", ")))
                rows.append(("", "try it with `cloakroom sources try` before anybody needs it"))
            }
            for value in oauth.learned {
                rows.append(("learned \(value.name)", "told by the provider; refreshes take it among their parameters"))
            }
            if let seconds = oauth.refreshNotBefore {
                rows.append(("refresh not before", "\(seconds) s to the token's end: see extras.refreshNotBefore"))
            }
            if let origin = oauth.addresses.tokenOrigin {
                rows.append(
                    (
                        "token origin",
                        "the callback's \(origin.callbackParameter), which refreshes need among their parameters"
                    ))
            }
            if let owner { return lines(rows) + "\n\n" + command(sourceType, oauth, for: owner) }
            if let configuration {
                rows.append(("configured", configuration.isConfigured(sourceType) ? "yes" : "no"))
            }
            return lines(rows) + "\n\nsettings:\n" + settings(sourceType, oauth)
        }

        private static func lines(_ rows: [(String, String)]) -> String {
            let width = rows.map(\.0.unicodeScalars.count).max() ?? 0
            return rows.map { name, value in
                name + String(repeating: " ", count: width - name.unicodeScalars.count + 2) + value.visible
            }.joined(separator: "\n")
        }

        /// The command that gives a tenant an app of its own.
        private static func command(_ sourceType: SourceType, _ oauth: OAuthProfile, for tenant: TenantID) -> String {
            let isFound = oauth.resourceParameter != nil
            guard !oauth.needsKey, !oauth.needsCertificate else {
                return "its client authenticates by a key, which is set under clients: tenants cannot have their own"
            }
            var words = ["cloakroom clients set --tenant \(tenant) --source-type \(sourceType.id) --client-id …"]
            // One that is found says itself how its clients prove themselves: most by a secret.
            if oauth.needsSecret || isFound { words.append("--client-secret-file …") }
            words += oauth.parameters.filter(\.setByOperator).map { "--parameter \($0.name)=…" }
            let without = isFound ? "\n(without --client-secret-file for a public client)" : ""
            return "command:\n" + words.joined(separator: " ") + without
        }

        /// Lines to copy into the configuration, with only what this source type needs.
        private static func settings(_ sourceType: SourceType, _ oauth: OAuthProfile) -> String {
            let own = oauth.parameters.filter(\.setByOperator)
            let name = sourceType.suggestedClientName
            let isFound = oauth.resourceParameter != nil
            var lines = ["clients:", "  \(name):", "    clientId: \"…\""]
            if oauth.needsSecret { lines.append("    clientSecretFile: \(name).secret") }
            if isFound { lines.append("    clientSecretFile: \(name).secret    # not for a public client") }
            if oauth.needsKey { lines.append("    privateKeyFile: \(name).pem") }
            // The provider finds the key by its id; those that are known take one algorithm.
            if oauth.mintedSecret != nil { lines += ["    keyId: \"…\"", "    algorithm: ES256"] }
            if oauth.needsCertificate {
                lines.append("    certificateFile: \(name).crt")
                lines.append("    certificateKeyFile: \(name).key")
            }
            if !own.isEmpty { lines.append("    parameters:") }
            lines += own.map { "      \($0.name): \"…\"" }
            guard isFound else { return lines.joined(separator: "\n") }
            let opening = [
                "mcp: { servers: [\"mcp.example.com\"] }    # the hosts that may be connected: all that most need",
                "# trials: provider.allowInsecure for http, provider.allowPrivateAddresses for servers of this network",
                "# only for an authorization server that takes neither client documents nor registration:",
            ]
            return (opening + lines).joined(separator: "\n")
        }
    }
}
