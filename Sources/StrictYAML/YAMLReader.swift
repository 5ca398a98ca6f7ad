import Formats
package import Yams

/// One mapping of a YAML file, read member by member. `finish` reports the members that nobody asked for.
package final class YAMLReader {
    /// The name that findings begin with: the file's, or `environment`.
    package let file: String
    /// The names of the sections that lead here; empty at the top.
    package let path: [String]
    /// Shared with the readers of all other sections.
    package let findings: Findings
    private var members: [(name: String, node: Node)] = []
    private var read: Set<String> = []
    private var known: [String] = []
    /// The source of a member, by its dotted path, where that was not the file; else `nil`.
    private let origin: (String) -> String?

    /// Reads the top of a file. `nil` (and a finding) where it is not YAML or not a mapping; an empty file is sound.
    package convenience init?(text: String, file: String, findings: Findings) {
        do {
            guard let node = try Yams.compose(yaml: text) else {
                self.init(node: .mapping(Node.Mapping([])), file: file, path: [], findings: findings)
                return
            }
            self.init(node: node, file: file, path: [], findings: findings)
        } catch let error as YamlError {
            findings.add("\(file): not YAML: \(Self.sentence(for: error))")
            return nil
        } catch {
            findings.add("\(file): not YAML")
            return nil
        }
    }

    /// Reads a node. `nil` (and a finding) where it is not a mapping; null is one without members.
    ///
    /// - Parameter origin: names the source of a member, by its dotted path, where that was not the file: an
    ///   environment variable.
    package init?(
        node: Node, file: String, path: [String], findings: Findings,
        origin: @escaping (String) -> String? = { _ in nil }
    ) {
        self.file = file
        self.path = path
        self.findings = findings
        self.origin = origin
        if node.isNull {
            members = []
            return
        }
        guard let mapping = node.mapping else {
            let place = path.isEmpty ? "" : "\(path.joined(separator: ".")): "
            findings.add("\(file): \(place)found \(Self.describe(node)), wanted a mapping of names to values")
            return nil
        }
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                findings.add("\(file): \(path.joined(separator: ".")): found a name that is not text, wanted a word")
                continue
            }
            if members.contains(where: { $0.name == name }) {
                problem(name, found: "the name twice", wanted: "one entry")
            }
            members.append((name, value))
        }
    }

    /// The members' names in the file's order.
    package var names: [String] { members.map(\.name) }

    /// Adds a finding about the member `name`, which need not be there.
    package func problem(_ name: String, found: String, wanted: String) {
        let place = (path + [name]).joined(separator: ".")
        if let source = origin(place) {
            findings.add("\(source): \(place): found \(found), wanted \(wanted)")
        } else {
            findings.add("\(file): \(place): found \(found), wanted \(wanted)")
        }
    }

    /// The member as it is, `nil` where it is absent. This and all that follow make the name known to `finish`.
    package func node(_ name: String) -> Node? {
        known.append(name)
        read.insert(name)
        return members.first { $0.name == name }?.node
    }

    /// A reader of the member, on which `finish` has to be called as well. `nil` where it is absent or (with a finding)
    /// neither a mapping nor null, which is one without members.
    package func section(_ name: String) -> YAMLReader? {
        guard let node = node(name) else { return nil }
        return YAMLReader(node: node, file: file, path: path + [name], findings: findings, origin: origin)
    }

    /// A section without members, for one that is not there.
    package func emptySection(_ name: String) -> YAMLReader {
        YAMLReader(emptyAt: path + [name], of: self)
    }

    private init(emptyAt path: [String], of parent: YAMLReader) {
        file = parent.file
        self.path = path
        findings = parent.findings
        origin = parent.origin
    }

    /// A reader of each mapping in a list, on which `finish` has to be called as well; none where it is absent or (with a
    /// finding) no list. What is no mapping is left out, with a finding. Their places count from 0: `models[0]`.
    package func sections(_ name: String) -> [YAMLReader] {
        guard let node = node(name) else { return [] }
        guard let sequence = node.sequence else {
            problem(name, found: Self.describe(node), wanted: "a list of mappings")
            return []
        }
        return sequence.enumerated().compactMap { index, element in
            YAMLReader(
                node: element, file: file, path: path + ["\(name)[\(index)]"], findings: findings, origin: origin)
        }
    }

    /// The names in a mapping, sound or not.
    package func mappingNames(_ name: String) -> [String] {
        node(name)?.mapping?.keys.compactMap { $0.scalar?.string } ?? []
    }

    /// The text of a scalar of any type. `nil` where it is absent or (with a finding) null, a list or a mapping.
    package func string(_ name: String) -> String? {
        guard let node = node(name) else { return nil }
        guard let scalar = node.scalar, !node.isNull else {
            problem(name, found: Self.describe(node), wanted: "text")
            return nil
        }
        return scalar.string
    }

    /// The same, with a finding also where it is absent or empty.
    ///
    /// - Parameter wanted: the finding's words for what belongs there.
    package func required(_ name: String, _ wanted: String) -> String? {
        let value = string(name)
        if value == "" {
            problem(name, found: "\"\"", wanted: wanted)
            return nil
        }
        if value == nil, !members.contains(where: { $0.name == name }) {
            problem(name, found: "nothing", wanted: wanted)
        }
        return value
    }

    /// `nil` where it is absent or (with a finding) neither true nor false.
    package func bool(_ name: String) -> Bool? {
        guard let node = node(name) else { return nil }
        guard let value = Bool.construct(from: node.scalar ?? Node.Scalar("")) else {
            problem(name, found: Self.describe(node), wanted: "true or false")
            return nil
        }
        return value
    }

    /// `nil` where it is absent or (with a finding) no whole number in `range`.
    package func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let node = node(name) else { return nil }
        guard let text = node.scalar?.string, let value = Int(text), range.contains(value) else {
            problem(
                name, found: Self.describe(node),
                wanted: "a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    /// A number of requests and the like: decimal, without sign or exponent.
    package func number(_ name: String, upTo most: Double) -> Double? {
        guard let node = node(name) else { return nil }
        guard let text = node.scalar?.string, Self.isDecimal(text), let value = Double(text), value <= most
        else {
            problem(name, found: Self.describe(node), wanted: "a number from 0 to \(Int(most))")
            return nil
        }
        return value
    }

    /// Digits, and perhaps a point and more digits.
    private static func isDecimal(_ text: String) -> Bool {
        let halves = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return halves.count <= 2
            && halves.allSatisfy { !$0.isEmpty && $0.allSatisfy { (0x30...0x39).contains($0) } }
    }

    /// The case whose raw value the text is. `nil` where it is absent or (with a finding) no such value.
    ///
    /// - Parameter names: raw values by what others call them, for the finding's guess.
    package func choice<Value: RawRepresentable & CaseIterable>(
        _ name: String, of: Value.Type = Value.self, knownElsewhereAs names: [String: String] = [:]
    ) -> Value?
    where Value.RawValue == String {
        guard let text = string(name) else { return nil }
        guard let value = Value(rawValue: text) else {
            let all = Value.allCases.map(\.rawValue)
            let guess = names[text].map { " (did you mean \($0.quoted)?)" } ?? text.guess(among: all)
            problem(name, found: text.quoted, wanted: all.joined(separator: ", ") + guess)
            return nil
        }
        return value
    }

    /// `nil` where it is absent or (with a finding) no list of scalars. Null is no text.
    package func strings(_ name: String) -> [String]? {
        guard let node = node(name) else { return nil }
        guard let sequence = node.sequence else {
            problem(name, found: Self.describe(node), wanted: "a list")
            return nil
        }
        var values: [String] = []
        for element in sequence {
            guard let scalar = element.scalar, !element.isNull else {
                problem(name, found: Self.describe(element), wanted: "a list of text")
                return nil
            }
            values.append(scalar.string)
        }
        return values
    }

    /// Names and texts of a mapping, in the file's order; `nil` as for `section`. A value that is no text is left out,
    /// with a finding.
    package func pairs(_ name: String) -> [(name: String, value: String)]? {
        guard let section = section(name) else { return nil }
        return section.names.compactMap { key in section.string(key).map { (key, $0) } }
    }

    /// Names and texts; a text is `nil` where the file says `null`.
    package func optionalPairs(_ name: String) -> [(name: String, value: String?)]? {
        guard let section = section(name) else { return nil }
        return section.names.compactMap { key in
            if section.node(key)?.isNull == true { return (key, nil) }
            return section.string(key).map { (key, $0) }
        }
    }

    /// Reports each member that nobody asked for. Call it once all others were read.
    package func finish() {
        for (name, _) in members where !read.contains(name) {
            problem(
                name, found: "an unknown name" + name.guess(among: known),
                wanted: "one of \(Set(known).sorted().joined(separator: ", "))")
        }
    }

    private static func describe(_ node: Node) -> String {
        if node.isNull { return "nothing" }
        if let scalar = node.scalar { return scalar.string.quoted }
        return node.isSequence ? "a list" : "a mapping"
    }

    private static func sentence(for error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "line \(mark.line), column \(mark.column): \(problem)"
        case .duplicatedKeysInMapping(let duplicates, _): "found twice: \(duplicates.joined(separator: ", "))"
        case .reader(let problem, let offset, _, _): "at byte \(offset ?? 0): \(problem)"
        default: "it cannot be read"
        }
    }
}

extension Node {
    fileprivate var isNull: Bool {
        guard let scalar else { return false }
        return scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
    }

    fileprivate var isSequence: Bool { sequence != nil }
}
