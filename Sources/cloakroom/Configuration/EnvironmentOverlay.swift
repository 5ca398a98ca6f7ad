import Broker
import Catalog
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

    /// - Parameter tenants: those that the file names.
    init(_ environment: [String: String], tenants: [String], findings: Findings) {
        var foreign: [String] = []
        // Sorted, so that the same environment is always told in the same order.
        for (variable, value) in environment.sorted(by: { $0.key < $1.key }) where SettingName.isMeant(by: variable) {
            if OrchestratorVariable.isOne(variable, value) {
                foreign.append(variable)
                continue
            }
            // No refusal: whatever starts the broker may put names there that no operator wrote.
            guard var path = SettingName.path(of: variable) else {
                remarks.append(
                    "environment: \(variable) is the name of no setting\(SettingName.guess(variable)): ignored")
                continue
            }
            if path.starts(with: ["frontend", "tenants"]) {
                path[2] = tenant(spelt: path[2], in: variable, among: tenants, findings: findings)
            }
            values.append((path, Self.node(value, at: path)))
            origins[path.joined(separator: ".")] = variable
        }
        if !foreign.isEmpty {
            remarks.append(
                "environment: \(foreign.joined(separator: ", ")): ignored, since Kubernetes and Docker set such names "
                    + "beside a service called cloakroom; `enableServiceLinks: false` keeps them away (did you mean "
                    + "CLOAKROOM_HTTP_HOST or CLOAKROOM_HTTP_PORT?)")
        }
    }

    private static func node(_ value: String, at path: [String]) -> Node {
        guard SettingName.isList(path) else { return Node(value) }
        return Node(value.split(separator: ",").map { Node($0.trimmingCharacters(in: .whitespaces)) })
    }

    /// The tenant that a variable means: capitals, `-` and `.` cannot be told in its name, so the file says which it
    /// is.
    ///
    /// A tenant that is taken for another one would be let out to everybody's pages.
    private mutating func tenant(
        spelt name: String, in variable: String, among tenants: [String], findings: Findings
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
}
