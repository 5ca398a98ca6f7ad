import ArgumentParser
import Broker
import Catalog
import Daemon
import Formats
import Foundation

/// Tenants' own OAuth clients, by the admin API of a running broker. Secrets go in and never come out.
struct ClientsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clients",
        abstract: "Manage tenants' own OAuth apps, which their flows use instead of the shared ones.",
        subcommands: [Set.self, Show.self, Delete.self])

    /// One tenant's app for one source type.
    struct Place: ParsableArguments {
        @Option(name: .long, help: "The tenant.")
        var tenant: String

        @Option(name: .long, help: "The source type.")
        var sourceType: String

        /// Below `/v1/admin/`. Encoded, so that a slash in a name leads nowhere else.
        var path: String {
            "tenants/\(Percent.encode(tenant))/clients/\(Percent.encode(sourceType))"
        }
    }

    /// Replaces the whole client: what is not given now is not kept of the old one.
    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Set or replace a tenant's app.")

        @OptionGroup var admin: AdminOptions
        @OptionGroup var place: Place

        @Option(name: .long, parsing: .unconditional, help: "The app's client id.")
        var clientId: String

        @Option(name: .long, help: "A file with the client secret; - reads standard input.")
        var clientSecretFile: String?

        @Option(name: .long, help: "A scope to ask for in place of the source type's own; may be repeated.")
        var scope: [String] = []

        @Option(name: .long, help: "A parameter that only operators set, as name=value; may be repeated.")
        var parameter: [String] = []

        func validate() throws { _ = try Parameters.read(parameter) }

        func run() async throws {
            var members: [String: JSONValue] = ["clientId": .string(clientId)]
            if let clientSecretFile { members["clientSecret"] = .string(try Self.secret(clientSecretFile)) }
            if !scope.isEmpty { members["scopes"] = .array(scope.map(JSONValue.string)) }
            if !parameter.isEmpty {
                members["parameters"] = .object(try Parameters.read(parameter).mapValues(JSONValue.string))
            }
            let body = JSONValue.object(members)
            let kept = try await admin.ask { api in try await api.call(.put, place.path, body: body) }
            try ClientsCommand.show(kept, admin)
        }

        /// Never as an argument: those are seen by everyone on the machine.
        private static func secret(_ file: String) throws -> String {
            let secret =
                if file == "-" {
                    try UnreadableFile.refused("the client secret") { () throws(UnreadableFile) in
                        try ReadFile.standardInput().line()
                    }
                } else {
                    try AdminOptions.secret("client secret", in: file, of: "--client-secret-file")
                }
            guard !secret.isEmpty else { throw Refusal("the client secret file \(file.quoted) is empty") }
            return secret
        }
    }

    /// Shows the client, or the redirect address to register where there is none yet; that is still a refusal.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a tenant's app, without its secret.")

        @OptionGroup var admin: AdminOptions
        @OptionGroup var place: Place

        func run() async throws {
            do {
                let kept = try await admin.ask { api in try await api.call(.get, place.path) }
                try ClientsCommand.show(kept, admin)
            } catch let refusal as Refusal {
                // Who registers an app needs the address before there is a client id.
                if let address = refusal.address {
                    if admin.json {
                        Terminal.json(["redirectUri": address])
                    } else {
                        Terminal.table([["REDIRECT ADDRESS", address]], isWhole: true)
                    }
                }
                throw refusal
            }
        }
    }

    /// Deletes the client, after it has shown which one.
    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a tenant's app: its flows use the shared one again.")

        @OptionGroup var admin: AdminOptions
        @OptionGroup var place: Place

        @Flag(name: .long, help: "Do not ask for confirmation.")
        var yes = false

        func run() async throws {
            try await admin.call { api in
                if !yes {
                    let kept = try await api.call(.get, place.path)
                    guard case .object(let members)? = kept else {
                        throw ClientsCommand.notAClient
                    }
                    try Confirmation.ask(
                        """
                        This deletes the client "\(members.text("clientId").visible)" and its secret.
                        Flows of tenant "\(place.tenant.visible)" for "\(place.sourceType.visible)" use the shared client from then on.
                        """)
                }
                _ = try await api.call(.delete, place.path)
                if admin.json { Terminal.json([String: String]()) } else { Terminal.write("deleted") }
            }
        }
    }

    private static var notAClient: Refusal { Refusal("the broker's answer is not a client", hint: "see --broker") }

    private static func show(_ client: JSONValue?, _ admin: AdminOptions) throws(Refusal) {
        guard case .object(let members)? = client else { throw notAClient }
        if admin.json { return Terminal.json(members) }
        var scopes = "the source type's own"
        if case .array(let given)? = members["scopes"] { scopes = given.compactMap(\.string).joined(separator: " ") }
        var rows = [
            ["TENANT", members.text("tenant")], ["SOURCE TYPE", members.text("sourceType")],
            ["CLIENT ID", members.text("clientId")],
            ["CLIENT SECRET", members["hasClientSecret"] == .bool(true) ? "set" : "none"], ["SCOPES", scopes],
        ]
        if case .object(let parameters)? = members["parameters"] {
            for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
                rows.append(["PARAMETER \(name)", value.string ?? ""])
            }
        }
        rows.append(["REDIRECT ADDRESS", members.text("redirectUri")])
        rows.append(["CHANGED", members.time("updatedAt")])
        // Whole on a narrow terminal too: an address that is cut short cannot be registered.
        Terminal.table(rows, isWhole: true)
    }
}

/// `name=value` arguments. The value may hold more of `=`.
enum Parameters {
    static func read(_ pairs: [String]) throws -> [String: String] {
        var parameters: [String: String] = [:]
        for pair in pairs {
            guard let equals = pair.firstIndex(of: "=") else { throw ValidationError("--parameter takes name=value") }
            parameters[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
        }
        return parameters
    }
}
