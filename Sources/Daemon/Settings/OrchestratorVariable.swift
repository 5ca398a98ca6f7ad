/// Variables that orchestrators put beside everything that runs near a service, named after it: one called `cloakroom`,
/// `cloakroom-http` or `cloakroom-admin` fills our names with its addresses.
struct OrchestratorVariable {
    /// The names that an operator may have written.
    let names: SettingNames

    /// Tells whether a variable is one of these, by its name, and by its value where an operator could have chosen the
    /// name.
    ///
    /// Kubernetes sets `NAME_SERVICE_HOST`, `NAME_SERVICE_PORT`, `NAME_SERVICE_PORT_<port's name>`, and with Docker's
    /// links `NAME_PORT` (`tcp://10.0.0.1:8080`) and `NAME_PORT_8080_TCP` with `_ADDR`, `_PORT` and `_PROTO` behind it.
    /// Docker's links also set `NAME_NAME` (`/web/cloakroom`) and `NAME_ENV_<variable>`.
    func isOne(_ variable: String, _ value: String) -> Bool {
        let words = variable.split(separator: "_", omittingEmptySubsequences: false)
        if Self.isAddress(value), words.last == "PORT" { return true }
        // What is a setting's name, an operator may have written.
        guard names.path(of: variable) == nil else { return false }
        return Self.isService(words) || Self.isPort(words) || variable.hasPrefix(names.prefix + "ENV_")
            || (variable == names.prefix + "NAME" && value.hasPrefix("/"))
    }

    private static func isService(_ words: [Substring]) -> Bool {
        guard let place = words.lastIndex(of: "SERVICE"), place + 1 < words.count else { return false }
        return words[place + 1] == "PORT" || (words[place + 1] == "HOST" && place + 2 == words.count)
    }

    private static func isPort(_ words: [Substring]) -> Bool {
        guard let place = words.dropLast(2).lastIndex(of: "PORT") else { return false }
        let rest = words[(place + 1)...]
        return rest.first.map { UInt16($0) != nil } == true
            && protocols.contains(rest.dropFirst().first?.lowercased() ?? "")
            && (rest.count == 2
                || (rest.count == 3 && rest.last.map { ["ADDR", "PORT", "PROTO"].contains($0) } == true))
    }

    /// No setting that ends in `PORT` takes such a value.
    private static func isAddress(_ value: String) -> Bool {
        protocols.contains { value.hasPrefix($0 + "://") }
    }

    /// Those that a Kubernetes service may have.
    private static let protocols = ["tcp", "udp", "sctp"]
}
