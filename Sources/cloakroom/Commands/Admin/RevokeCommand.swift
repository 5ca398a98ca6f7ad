import ArgumentParser
import Broker
import Daemon
import Formats
import Foundation

/// Destroys credential keys and ends flows, by the admin API of a running broker. The exit status is 1 where a provider
/// did not revoke a token.
struct RevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Destroy credential keys, and end the flows that were started before.",
        discussion: """
            Providers are asked to revoke the tokens, where they can. What was redeemed already is not touched: the \
            asset service that has it revokes it.
            """)

    @OptionGroup var admin: AdminOptions
    @OptionGroup var selection: SelectionOptions

    @Flag(name: .long, help: "All keys and all flows.")
    var all = false

    @Option(name: .long, help: "The reason; kept in the audit trail.")
    var reason: String

    @Flag(name: .long, help: "Do not ask the providers to revoke the tokens.")
    var keepAtProvider = false

    @Flag(name: .long, help: "Do not ask for confirmation.")
    var yes = false

    /// Everything has to be asked for by `--all`: a selector that was forgotten does not mean it.
    func validate() throws {
        guard all == selection.isEmpty else {
            throw ValidationError("select by --tenant, --source-type or --id, or everything by --all")
        }
    }

    func run() async throws {
        try await admin.call { api in
            if !yes {
                let keys = try await Progress.showing("counting") { try await selection.keys(api) }
                let tenants = Set(keys.map { $0.text("tenant") }).count
                let which = all ? "in all" : selection.words
                let of = tenants > 1 ? " (\(tenants) tenants)" : ""
                try Confirmation.ask(
                    """
                    This destroys \(counted(keys.count, "credential key")) \(which)\(of)
                    and ends every flow \(all ? "" : selection.words + " ")that was started before now.
                    """)
            }
            let members: [String: JSONValue?] = [
                "tenant": selection.tenant.map(JSONValue.string),
                "sourceType": selection.sourceType.map(JSONValue.string),
                "id": selection.id.map(JSONValue.string), "all": all ? .bool(true) : nil, "reason": .string(reason),
                "revokeAtProvider": .bool(!keepAtProvider),
            ]
            let answer = try await Progress.showing("revoking; providers are being asked") {
                try await api.call(.post, "revocations", body: .object(members.compactMapValues(\.self)))
            }
            try report(answer)
        }
    }

    /// Prints what came of it; throws where a provider still honours tokens, so that scripts notice.
    private func report(_ answer: JSONValue?) throws {
        guard case .object(let result)? = answer else { throw Refusal("the broker's answer is not a result") }
        let failures = result["providerFailures"]?.objects ?? []
        if admin.json {
            Terminal.json(result)
        } else {
            let count = { (name: String) in String(result[name]?.whole ?? 0) }
            Terminal.table([
                ["REVOKED", "AT PROVIDER", "WITHOUT REVOCATION", "FAILED AT PROVIDER"],
                [
                    count("credentialKeysRevoked"), count("revokedAtProvider"), count("withoutRevocation"),
                    String(failures.count),
                ],
            ])
            if !failures.isEmpty {
                let rows = failures.map { [$0.text("id"), $0.text("sourceType"), $0.text("code")] }
                Terminal.result("")
                Terminal.table([["ID", "SOURCE TYPE", "CODE"]] + rows)
            }
        }
        guard failures.isEmpty else {
            throw Refusal(
                "the keys are destroyed, but \(failures.count) of their tokens were not revoked by the provider",
                hint: "they expire by themselves; nobody holds them")
        }
    }
}
