/// Somebody who can sign in at the sandbox. There is nothing to steal.
enum Account: String, CaseIterable, Sendable {
    case ada, grace, katherine

    var name: String {
        switch self {
        case .ada: "Ada Lovelace"
        case .grace: "Grace Hopper"
        case .katherine: "Katherine Johnson"
        }
    }

    var email: String { rawValue + "@sandbox.example" }

    var initials: String { name.split(separator: " ").compactMap(\.first).map(String.init).joined() }

    /// The file names that the scope `files.read` lets a client see.
    var files: [String] {
        switch self {
        case .ada: ["Notes on the Analytical Engine.txt", "Bernoulli numbers.csv", "Letters to Babbage.txt"]
        case .grace: ["A-0 compiler.txt", "Nanosecond, 30 cm of wire.jpg", "Moth, Mark II log.pdf"]
        case .katherine: ["Friendship 7 orbit.csv", "Azimuth angle at burnout.pdf", "Trajectory checks.txt"]
        }
    }
}
