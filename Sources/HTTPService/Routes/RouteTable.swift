/// Finds the route of a path: a tree of segments, each compared byte for byte.
///
/// Not Hummingbird's router, which answers 404 where only the method is wrong (RFC 9110 § 15.5.6 wants 405 and
/// `Allow`), takes `//healthz/` for `/healthz`, knows no encoded colon, and compares by characters.
package struct RouteTable: Sendable {
    private struct Node {
        /// The nodes that may follow, by the segment's name.
        var literals: [(name: [UInt8], node: Int)] = []
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
    ///   - routes: of two with one template, the first counts. A template has two parameters at most.
    package init(base: String, routes: [Route]) {
        self.base = Array(base.utf8)
        for route in routes { add(route) }
    }

    private mutating func add(_ route: Route) {
        var place = 0
        var names: [String] = []
        for segment in route.template.utf8.dropFirst().split(separator: Self.slash, omittingEmptySubsequences: false) {
            if segment.first == UInt8(ascii: "{") {
                names.append(String(Substring(segment.dropFirst().dropLast())))
                place = parameter(after: place)
            } else {
                place = literal(after: place, Array(segment))
            }
        }
        precondition(names.count <= 2, "a template of more than two parameters")
        if nodes[place].route == nil { (nodes[place].route, nodes[place].names) = (route, names) }
    }

    private mutating func parameter(after place: Int) -> Int {
        if let known = nodes[place].parameter { return known }
        nodes.append(Node())
        nodes[place].parameter = nodes.count - 1
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
        guard
            path.utf8.last == slash
                || zip(path.utf8, path.utf8.dropFirst()).contains(where: { $0 == slash && $1 == slash })
        else { return nil }
        var plain: [UInt8] = []
        for byte in path.utf8 where byte != slash || plain.last != slash { plain.append(byte) }
        if plain.last == slash { plain.removeLast() }
        return String(decoding: plain, as: UTF8.self)
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
        var parameters = (0..<0, 0..<0)
        var end = start
        while end < bytes.count {
            let begin = end + 1
            end = begin
            while end < bytes.count, bytes[end] != Self.slash { end += 1 }
            if let literal = literal(after: place, bytes.extracting(begin..<end)) {
                place = literal
            } else if let parameter = nodes[place].parameter {
                place = parameter
                if parameters.0.upperBound == 0 { parameters.0 = begin..<end } else { parameters.1 = begin..<end }
            } else {
                return nil
            }
        }
        guard let route = nodes[place].route else { return nil }
        let names = nodes[place].names
        return (
            route,
            PathParameters(
                names: names, first: names.isEmpty ? "" : path.part(parameters.0),
                second: names.count < 2 ? "" : path.part(parameters.1))
        )
    }

    private func literal(after place: Int, _ segment: Span<UInt8>) -> Int? {
        for (name, node) in nodes[place].literals where Self.isSegment(segment, name) { return node }
        return nil
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
