import Hummingbird

/// Finds the route of a path: a tree of segments, each compared byte for byte.
///
/// Not Hummingbird's router, which answers 404 where only the method is wrong (RFC 9110 § 15.5.6 wants 405 and
/// `Allow`), takes `//healthz/` for `/healthz`, knows no encoded colon, and compares by characters.
package struct RouteTable: Sendable {
    private struct Node {
        /// The nodes that may follow, by the segment's name.
        var literals: [(name: [UInt8], node: Int)] = []
        /// The nodes that follow a segment that ends so, such as `:cancel`, and is longer than that.
        var suffixes: [(end: [UInt8], node: Int)] = []
        /// The node that follows any other segment.
        var parameter: Int?
        var route: Route?
        /// Of the path's parameters.
        var names: [String] = []
    }

    private let base: [UInt8]
    private var nodes = [Node()]

    /// - Parameters:
    ///   - base: the path of the public address: a proxy may pass it on or strip it.
    ///   - routes: of two with one template, the first counts. A template has three variable parts at most. Each is a whole
    ///     segment, or a segment's beginning before a fixed end, as in `{operation}:cancel`.
    package init(base: String, routes: [Route]) {
        self.base = Array(base.utf8)
        for route in routes { add(route) }
    }

    /// Tells whether some route takes larger bodies than most.
    var hasLargeBodies: Bool { nodes.contains { ($0.route?.largestBody ?? 0) > Request.largestBody } }

    private mutating func add(_ route: Route) {
        var place = 0
        var names: [String] = []
        for segment in route.template.utf8.dropFirst().split(separator: Self.slash, omittingEmptySubsequences: false) {
            if segment.first == UInt8(ascii: "{"), let end = segment.firstIndex(of: UInt8(ascii: "}")) {
                names.append(String(Substring(segment[..<end].dropFirst())))
                let suffix = Array(segment[end...].dropFirst())
                place = suffix.isEmpty ? parameter(after: place) : parameter(after: place, before: suffix)
            } else {
                place = literal(after: place, Array(segment))
            }
        }
        precondition(names.count <= 3, "a template of more than three parameters")
        if nodes[place].route == nil { (nodes[place].route, nodes[place].names) = (route, names) }
    }

    private mutating func parameter(after place: Int) -> Int {
        if let known = nodes[place].parameter { return known }
        nodes.append(Node())
        nodes[place].parameter = nodes.count - 1
        return nodes.count - 1
    }

    private mutating func parameter(after place: Int, before end: [UInt8]) -> Int {
        if let known = nodes[place].suffixes.first(where: { $0.end == end }) { return known.node }
        nodes.append(Node())
        nodes[place].suffixes.append((end, nodes.count - 1))
        return nodes.count - 1
    }

    private mutating func literal(after place: Int, _ name: [UInt8]) -> Int {
        if let known = nodes[place].literals.first(where: { $0.name == name }) { return known.node }
        nodes.append(Node())
        nodes[place].literals.append((name, nodes.count - 1))
        return nodes.count - 1
    }

    private static let slash = UInt8(ascii: "/")

    /// The route at a path, whatever the method, and what the path says in its variable parts.
    package func find(_ path: String) -> (route: Route, parameters: PathParameters)? {
        if let plain = Self.withoutSpareSlashes(path), let found = findExactly(plain), found.route.ignoresSpareSlashes {
            return found
        }
        return findExactly(path)
    }

    /// `nil` where it has none.
    private static func withoutSpareSlashes(_ path: String) -> String? {
        guard hasSpareSlashes(path.utf8.span) else { return nil }
        var plain: [UInt8] = []
        for byte in path.utf8 where byte != slash || plain.last != slash { plain.append(byte) }
        if plain.last == slash { plain.removeLast() }
        return String(decoding: plain, as: UTF8.self)
    }

    private static func hasSpareSlashes(_ path: Span<UInt8>) -> Bool {
        var last: UInt8 = 0
        for index in path.indices {
            if path[index] == slash, last == slash { return true }
            last = path[index]
        }
        return last == slash
    }

    private func findExactly(_ path: String) -> (route: Route, parameters: PathParameters)? {
        let bytes = path.utf8.span
        if let found = find(path, bytes, from: 0) { return found }
        guard !base.isEmpty, bytes.count > base.count, base.indices.allSatisfy({ base[$0] == bytes[$0] }) else {
            return nil
        }
        return find(path, bytes, from: base.count)
    }

    private func find(
        _ path: String, _ bytes: Span<UInt8>, from start: Int
    ) -> (route: Route, parameters: PathParameters)? {
        guard start < bytes.count, bytes[start] == Self.slash else { return nil }
        var place = 0
        var parameters = (0..<0, 0..<0, 0..<0)
        var count = 0
        var end = start
        while end < bytes.count {
            let begin = end + 1
            end = begin
            while end < bytes.count, bytes[end] != Self.slash { end += 1 }
            let segment = bytes.extracting(begin..<end)
            if let literal = literal(after: place, segment) {
                place = literal
                continue
            }
            guard let (node, length) = parameter(after: place, segment) else { return nil }
            place = node
            switch count {
            case 0: parameters.0 = begin..<begin + length
            case 1: parameters.1 = begin..<begin + length
            default: parameters.2 = begin..<begin + length
            }
            count += 1
        }
        guard let route = nodes[place].route else { return nil }
        let names = nodes[place].names
        return (
            route,
            PathParameters(
                names: names, first: names.isEmpty ? "" : path.part(parameters.0),
                second: names.count < 2 ? "" : path.part(parameters.1),
                third: names.count < 3 ? "" : path.part(parameters.2))
        )
    }

    private func literal(after place: Int, _ segment: Span<UInt8>) -> Int? {
        for (name, node) in nodes[place].literals where Self.isSegment(segment, name) { return node }
        return nil
    }

    /// The node after a variable part, and the length of that part: all of the segment, or what stands before a fixed end.
    private func parameter(after place: Int, _ segment: Span<UInt8>) -> (node: Int, length: Int)? {
        for (end, node) in nodes[place].suffixes {
            // As it is written, or with its colon encoded.
            for length in [segment.count - end.count, segment.count - end.count - 2] where length > 0 {
                if Self.isSegment(segment.extracting(length..<segment.count), end) { return (node, length) }
            }
        }
        return nodes[place].parameter.map { ($0, segment.count) }
    }

    /// Some clients encode the colon. It separates nothing within a segment (RFC 3986 § 3.3), so both forms are taken.
    private static func isSegment(_ segment: Span<UInt8>, _ name: [UInt8]) -> Bool {
        var place = 0
        for byte in name {
            guard place < segment.count else { return false }
            if segment[place] == byte {
                place += 1
            } else if byte == UInt8(ascii: ":"), isEncodedColon(segment, at: place) {
                place += 3
            } else {
                return false
            }
        }
        return place == segment.count
    }

    private static func isEncodedColon(_ segment: Span<UInt8>, at place: Int) -> Bool {
        place + 3 <= segment.count && segment[place] == UInt8(ascii: "%") && segment[place + 1] == UInt8(ascii: "3")
            && segment[place + 2] | 0x20 == UInt8(ascii: "a")
    }
}

extension String {
    fileprivate func part(_ range: Range<Int>) -> Substring {
        self[utf8.index(startIndex, offsetBy: range.lowerBound)..<utf8.index(startIndex, offsetBy: range.upperBound)]
    }
}
