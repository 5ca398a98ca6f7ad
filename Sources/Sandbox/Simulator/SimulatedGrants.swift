/// The simulator's memory: codes, tokens and the grants that they came of.
struct SimulatedGrants {
    struct Grant {
        let entry: String
        let place: Int
        let redirectURI: String?
        let scope: [String]
        let state: String
        let challenge: String?
        let challengeMethod: String?
        /// True if a refresh token comes with it.
        let refreshes: Bool
        var timesRefreshed = 0
    }

    /// A code or token, and what it is of.
    struct Subject {
        enum Kind { case code, refreshToken, accessToken }
        let text: String
        let kind: Kind
        let id: Int
        let grant: Grant
        var entry: String { grant.entry }
    }

    private(set) var grants: [Grant] = []
    private var subjects: [String: (kind: Subject.Kind, grant: Int)] = [:]
    private var serial = 0
    /// No longer good: spent codes, rotated refresh tokens.
    private(set) var spent: Set<String> = []
    private(set) var revoked: Set<String> = []
    var issued: [String: Simulator.Issued] = [:]
    var callbacks: [String: [String: String]] = [:]

    mutating func code(for grant: Grant, plain: Bool) -> String {
        grants.append(grant)
        // Awkward on purpose: real codes hold slashes and worse, and must be encoded for every place they go.
        return add(plain ? "c0de" : "4/0 code+=&%\u{7E}", as: .code, of: grants.count - 1)
    }

    mutating func accessToken(of id: Int) -> String { add("access.\(grants[id].entry)~+/", as: .accessToken, of: id) }
    mutating func refreshToken(of id: Int) -> String { add("refresh/\(grants[id].entry)+=", as: .refreshToken, of: id) }

    private mutating func add(_ prefix: String, as kind: Subject.Kind, of id: Int) -> String {
        serial += 1
        let text = "\(prefix)\(serial)"
        subjects[text] = (kind, id)
        return text
    }

    func subject(_ text: String) -> Subject? {
        subjects[text].map { Subject(text: text, kind: $0.kind, id: $0.grant, grant: grants[$0.grant]) }
    }

    mutating func spend(_ text: String) { spent.insert(text) }
    mutating func revoke(_ text: String) { revoked.insert(text) }
    func isDead(_ text: String) -> Bool { spent.contains(text) || revoked.contains(text) }

    /// Counts a refresh; the number of them so far, this one included.
    mutating func countRefresh(of id: Int) -> Int {
        grants[id].timesRefreshed += 1
        return grants[id].timesRefreshed
    }
}
