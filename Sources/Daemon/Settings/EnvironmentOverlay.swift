import Formats
import Foundation
import StrictYAML
import Yams

/// The settings that the environment gives, which win over the file's.
struct EnvironmentOverlay {
    private(set) var values: [(path: [String], node: Node)] = []
    /// The variable of each, by the setting's name, for messages.
    private(set) var origins: [String: String] = [:]
    private(set) var remarks: [String] = []
    private let names: SettingNames

    /// - Parameter written: the file's part.
    init(_ environment: [String: String], names: SettingNames, over written: Node, findings: Findings) {
        self.names = names
        var foreign: [String] = []
        let orchestrators = OrchestratorVariable(names: names)
        // Sorted, so that the same environment is always told in the same order.
        for (variable, value) in environment.sorted(by: { $0.key < $1.key }) where names.isMeant(by: variable) {
            if orchestrators.isOne(variable, value) {
                foreign.append(variable)
                continue
            }
            // No refusal: whatever starts the program may put names there that no operator wrote.
            guard var path = names.path(of: variable) else {
                remarks.append(
                    "environment: \(variable) is the name of no setting\(names.guess(variable)): ignored")
                continue
            }
            if let (spelling, family) = names.spelling(in: path) {
                let place = family.section.count
                path[place] = name(
                    spelt: path[place], in: variable, among: Self.names(in: family.section, of: written), spelling,
                    section: family.section.joined(separator: "."), findings: findings)
            }
            values.append((path, node(value, at: path)))
            origins[path.joined(separator: ".")] = variable
        }
        if !foreign.isEmpty {
            remarks.append(
                "environment: \(foreign.joined(separator: ", ")): ignored, since Kubernetes and Docker set such names "
                    + "beside a service called \(names.program); `enableServiceLinks: false` keeps them away (did you mean "
                    + "\(names.variable("http.host")) or \(names.variable("http.port"))?)")
        }
    }

    private func node(_ value: String, at path: [String]) -> Node {
        guard names.isList(path) else { return Node(value) }
        return Node(value.split(separator: ",").map { Node($0.trimmingCharacters(in: .whitespaces)) })
    }

    /// The names that the file has in a section.
    private static func names(in section: [String], of written: Node) -> [String] {
        var node: Node? = written
        for name in section { node = node?.mapping?[name] }
        return node?.mapping?.keys.compactMap { $0.scalar?.string } ?? []
    }

    /// The name that a variable means: capitals, `-` and `.` cannot be told in it, so the file says which it is.
    ///
    /// A tenant that is taken for another one would be let out to everybody's pages.
    private mutating func name(
        spelt name: String, in variable: String, among known: [String], _ words: SettingNames.Spelling,
        section: String, findings: Findings
    ) -> String {
        let meant = known.filter { known in
            known.uppercased().utf8.map { $0 == 0x2D || $0 == 0x2E ? 0x5F : $0 }.elementsEqual(name.utf8)
        }
        if meant.count > 1 {
            findings.add(
                "environment: \(variable): found more than one \(words.noun) that it could mean "
                    + "(\(meant.joined(separator: ", "))), wanted their lists in the file")
        } else if meant.isEmpty {
            remarks.append(
                "\(variable) sets the \(words.setting) of the \(words.noun) \"\(name.lowercased())\", in small letters; "
                    + "where it is written otherwise, name it under \(section) in the file")
        }
        return meant.first ?? name.lowercased()
    }
}
