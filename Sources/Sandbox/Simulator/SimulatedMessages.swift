/// A request as it reaches a provider.
public struct SimulatedRequest: Sendable {
    /// In capitals, such as `POST`.
    public let method: String
    /// The whole address, with its query.
    public let url: String
    /// In order, repeats kept; the case of names does not matter.
    public let headers: [(name: String, value: String)]
    /// Empty where there is none: the parameters are then read from the query.
    public let body: [UInt8]

    /// Checks nothing; `url` is taken for an absolute address.
    public init(method: String, url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    var address: SimulatedAddress { SimulatedAddress(url) }

    /// The address's fragment. No browser sends it: who plays one brings it in the header `Simulator-Fragment`.
    var fragment: String? { header("Simulator-Fragment") }
    var query: FormFields { FormFields(decoding: address.query) }
}

/// An answer as the provider would give it; a refusal does not say what was wrong.
public struct SimulatedResponse: Sendable {
    /// The HTTP status.
    public var status: Int
    /// In order; `Location` holds the code where a person has agreed.
    public var headers: [(name: String, value: String)] = []
    /// Text in every case; empty where there is none.
    public var body = ""
}

/// An address in the parts that decide who answers.
struct SimulatedAddress {
    let origin: String
    /// Decoded. A last empty segment is a slash at the end.
    let segments: [String]
    let query: String

    init(_ url: String) {
        let halves = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        query = halves.count > 1 ? String(halves[1]) : ""
        let scheme = halves[0].prefix { $0 != ":" }
        let rest = halves[0].dropFirst(scheme.count + 3)
        let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
        origin = "\(scheme)://\(parts.first ?? "")".lowercased()
        // In a path, a plus sign is a plus sign.
        segments = parts.dropFirst().map { FormFields.decode(Array($0.replacing("+", with: "%2B").utf8)) }
    }

    /// The values of the `{name}` segments of a demanded address; `nil` where this is another address.
    func captures(of demanded: String) -> [String: String]? {
        let demanded = SimulatedAddress(demanded)
        guard origin == demanded.origin, segments.count == demanded.segments.count else { return nil }
        var captures: [String: String] = [:]
        for (mine, theirs) in zip(segments, demanded.segments) {
            if theirs.hasPrefix("{"), theirs.hasSuffix("}") {
                captures[String(theirs.dropFirst().dropLast())] = mine
            } else if mine != theirs {
                return nil
            }
        }
        // A query that the address itself has, such as a bare flag, must be there.
        let here = FormFields(decoding: query).pairs
        guard FormFields(decoding: demanded.query).pairs.allSatisfy({ here.contains($0) }) else { return nil }
        return captures
    }

    /// The address alone, for sentences: a query may hold a code.
    var text: String { origin + "/" + segments.joined(separator: "/") }
}
