import Foundation
package import StrictYAML
import Yams

/// The configuration as it was written: the file, and over it the environment.
package struct Settings {
    /// The whole of it.
    package let top: YAMLReader
    /// Relative paths are relative to this.
    private let folder: URL
    /// Remarks on how it was read.
    package let remarks: [String]
    /// The variable that each setting from the environment came from, by the setting's name.
    private let origins: [String: String]
    /// The file's part.
    private let written: Node

    /// `nil` (and a finding) where the file cannot be read.
    ///
    /// - Parameter file: `nil`: the environment says everything.
    package init?(file: String?, environment: [String: String], names: SettingNames, findings: Findings) {
        var root = Node.mapping(Node.Mapping([]))
        if let file {
            guard let written = Self.written(file, findings) else { return nil }
            root = written
            folder = URL(fileURLWithPath: file).absoluteURL.deletingLastPathComponent()
        } else {
            folder = URL(fileURLWithPath: FileManager.default.currentDirectoryPath, isDirectory: true)
        }
        written = root
        let overlay = EnvironmentOverlay(environment, names: names, over: root, findings: findings)
        for (path, node) in overlay.values { Self.set(node, at: path[...], in: &root) }
        remarks = overlay.remarks
        let origins = overlay.origins
        self.origins = origins
        guard
            let top = YAMLReader(
                node: root, file: file ?? "environment", path: [], findings: findings,
                origin: { origins[$0].map { "environment: \($0)" } })
        else { return nil }
        self.top = top
    }

    /// A file's settings; `nil` (and a finding) where it is no YAML of names and values.
    private static func written(_ file: String, _ findings: Findings) -> Node? {
        let text: String
        do throws(UnreadableFile) {
            text = try ReadFile(file).text()
        } catch {
            findings.add(
                "\(file): found no readable file (\(error.reason)), wanted the configuration in YAML and UTF-8")
            return nil
        }
        // Read once by itself, so that what is wrong with the YAML is told with the file's name.
        guard YAMLReader(text: text, file: file, findings: findings) != nil else { return nil }
        // An empty file is sound, and may leave all to the environment.
        guard let node = try? Yams.compose(yaml: text), node.mapping != nil else { return .mapping(Node.Mapping([])) }
        return node
    }

    /// Puts a value in the place of what the file has there, or makes the sections that lead to it.
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

    /// The variables that a setting or section came from, for messages; `nil` where the file has it too.
    package func variables(of path: [String]) -> String? {
        var node: Node? = written
        for name in path { node = node?.mapping?[name] }
        guard node == nil else { return nil }
        let name = path.joined(separator: ".")
        return origins.filter { $0.key == name || $0.key.hasPrefix(name + ".") }.values.sorted()
            .joined(separator: ", ")
    }

    /// A path as the operator wrote it, from the configuration's folder.
    package func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path, relativeTo: folder).path
    }
}
