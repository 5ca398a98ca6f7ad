import Formats

/// The names of a program's settings, as its file has them (`http.publicURL`) and the environment
/// (`CLOAKROOM_HTTP_PUBLIC_URL`).
package struct SettingNames: Sendable {
    /// Settings below a name that operators choose, such as `clients.<name>.clientId`.
    package struct Family: Sendable {
        /// The section that the names stand in, such as `clients`.
        let section: [String]
        /// The longest first: what ends in `_CERTIFICATE_KEY_FILE` may end in a shorter one's name too.
        let members: [String]
        /// The member that has names of any kind in it.
        let open: String?
        /// The members take lists.
        let areLists: Bool
        /// The names may have capitals and marks, which variables cannot spell.
        let spelling: Spelling?

        /// - Parameters:
        ///   - section: the section that the names stand in, such as `frontend.tenants`.
        ///   - open: the member that has names of any kind in it, such as `parameters`.
        ///   - spelling: the words about names that variables cannot spell; `nil`: they are in small letters.
        package init(
            _ section: String, members: [String], open: String? = nil, areLists: Bool = false,
            spelling: Spelling? = nil
        ) {
            self.section = section.split(separator: ".").map(String.init)
            self.members = members.sorted { $0.count > $1.count }
            self.open = open
            self.areLists = areLists
            self.spelling = spelling
        }
    }

    /// The words about names that variables cannot spell.
    package struct Spelling: Sendable {
        /// The noun for what has such a name: `tenant`.
        let noun: String
        /// The noun for what is set of it: `pages`.
        let setting: String

        /// - Parameters:
        ///   - noun: for what has such a name: `tenant`.
        ///   - setting: for what is set of it: `pages`.
        package init(noun: String, setting: String) {
            self.noun = noun
            self.setting = setting
        }
    }

    /// The program's name, which services that run it mostly have.
    let program: String
    /// The beginning of the variables: `CLOAKROOM_`.
    let prefix: String
    private let all: [String]
    private let lists: Set<String>
    private let families: [Family]
    /// Read by others, though they begin with `prefix`.
    private let others: [String]

    /// - Parameters:
    ///   - program: the program's name, such as `cloakroom-assets`, of which the variables' prefix is made.
    ///   - all: settings with one value each, in the order of the documentation.
    ///   - lists: those of `all` that take a list.
    ///   - others: variables that are no settings though they begin like some, or, with `_` at their ends, the beginnings
    ///     of such.
    package init(
        program: String, all: [String], lists: Set<String>, families: [Family] = [], others: [String] = []
    ) {
        self.program = program
        prefix = program.uppercased().replacing("-", with: "_") + "_"
        self.all = all
        self.lists = lists
        self.families = families
        self.others = others
    }

    /// Tells whether a variable of the environment is meant as a setting, well named or not.
    func isMeant(by variable: String) -> Bool {
        variable.hasPrefix(prefix)
            && !others.contains { $0.hasSuffix("_") ? variable.hasPrefix($0) : variable == $0 }
    }

    /// `http.publicURL` is `CLOAKROOM_HTTP_PUBLIC_URL`.
    package func variable(_ name: String) -> String {
        prefix + name.split(separator: ".").map { Self.snake(String($0)) }.joined(separator: "_")
    }

    /// The variables with fixed names.
    package var variables: [String] { all.map(variable) }

    /// The setting that an unknown variable may have meant, as ` (did you mean "…"?)`: one that is spelt nearly so, or
    /// one of that name in a section that was left out.
    func guess(_ name: String) -> String {
        let near = name.guess(among: variables)
        let rest = name.dropFirst(prefix.count - 1)
        guard near.isEmpty, rest.utf8.count > 1, let meant = variables.first(where: { $0.hasSuffix(rest) }) else {
            return near
        }
        return " (did you mean \"\(meant)\"?)"
    }

    /// The place in the file of what a variable sets; `nil` where it is the name of no setting.
    ///
    /// A name that variables cannot spell comes as it is spelt there.
    package func path(of variable: String) -> [String]? {
        if let name = all.first(where: { self.variable($0) == variable }) {
            return name.split(separator: ".").map(String.init)
        }
        for family in families {
            if let path = path(of: variable, in: family) { return path }
        }
        return nil
    }

    private func path(of variable: String, in family: Family) -> [String]? {
        let start = prefix + family.section.map(Self.snake).joined(separator: "_") + "_"
        guard variable.hasPrefix(start) else { return nil }
        let path = { (name: Substring) in
            family.section + [family.spelling == nil ? name.lowercased() : String(name)]
        }
        if let member = family.members.first(where: { variable.hasSuffix("_" + Self.snake($0)) }) {
            let name = variable.dropFirst(start.count).dropLast(Self.snake(member).count + 1)
            return name.isEmpty ? nil : path(name) + [member]
        }
        // The last name is not one of ours: `CLOAKROOM_CLIENTS_OKTA_PARAMETERS_DOMAIN`.
        let rest = variable.dropFirst(start.count)
        guard let open = family.open, let middle = rest.firstRange(of: "_" + Self.snake(open) + "_") else { return nil }
        let (name, last) = (rest[..<middle.lowerBound], rest[middle.upperBound...])
        return name.isEmpty || last.isEmpty ? nil : path(name) + [open, last.lowercased()]
    }

    /// Tells whether a setting takes a list, which the environment writes with commas.
    func isList(_ path: [String]) -> Bool {
        lists.contains(path.joined(separator: "."))
            || families.contains { $0.areLists && path.starts(with: $0.section) }
    }

    /// The words about the name in a path, where variables cannot spell it.
    func spelling(in path: [String]) -> (Spelling, of: Family)? {
        for family in families where path.starts(with: family.section) {
            if let spelling = family.spelling { return (spelling, family) }
        }
        return nil
    }

    /// `publicURL` is `PUBLIC_URL`.
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
}
