/// One awkward thing a real provider has been seen to do. Any of them may be combined.
///
/// The raw value is the name in `sandbox_behaviour` and on the consent page. ``explanation`` says of each case what the
/// provider does.
public enum Behaviour: String, CaseIterable, Hashable, Sendable {
    case deny
    case hostileError = "hostile_error"
    case noIssuer = "no_iss"
    case wrongIssuer = "wrong_iss"
    case coop

    case slow
    case verySlow = "very_slow"
    case serverError = "server_error"
    case errorInOK = "error_200"
    case htmlInOK = "html_200"
    case unknownCode = "unknown_code"
    case disconnect
    case hugeAnswer = "huge_answer"

    case formEncoded = "form"
    case expiresAsString = "expires_string"
    case noExpiry = "no_expiry"
    case reducedScope = "reduced_scope"
    case noRefreshToken = "no_refresh_token"

    case noRotation = "no_rotation"
    case refreshRefused = "refresh_refused"

    /// The part of a flow in which a behaviour shows. The raw value heads a group of switches.
    public enum Stage: String, CaseIterable, Sendable {
        case redirect = "On the way back"
        case failure = "When asked for tokens"
        case answer = "In the token answer"
        case refresh = "At the next refresh"
    }

    /// The group of switches that the behaviour stands in, on the start page and the consent page.
    public var stage: Stage {
        switch self {
        case .deny, .hostileError, .noIssuer, .wrongIssuer, .coop: .redirect
        case .slow, .verySlow, .serverError, .errorInOK, .htmlInOK, .unknownCode, .disconnect, .hugeAnswer: .failure
        case .formEncoded, .expiresAsString, .noExpiry, .reducedScope, .noRefreshToken: .answer
        case .noRotation, .refreshRefused: .refresh
        }
    }

    /// A few words for a switch.
    public var title: String {
        switch self {
        case .deny: "Denies"
        case .hostileError: "Hostile error text"
        case .noIssuer: "Leaves out iss"
        case .wrongIssuer: "Wrong iss"
        case .coop: "Cuts the opener"
        case .slow: "Slow"
        case .verySlow: "Very slow"
        case .serverError: "Status 500"
        case .errorInOK: "An error with status 200"
        case .htmlInOK: "A web page with status 200"
        case .unknownCode: "Does not know the code"
        case .disconnect: "Hangs up half-way"
        case .hugeAnswer: "Two megabytes"
        case .formEncoded: "Form-encoded"
        case .expiresAsString: "expires_in as text"
        case .noExpiry: "No expires_in"
        case .reducedScope: "Less scope"
        case .noRefreshToken: "No refresh token"
        case .noRotation: "Keeps the refresh token"
        case .refreshRefused: "Refuses to refresh"
        }
    }

    /// One sentence on what the provider does, beside the switch.
    public var explanation: String {
        switch self {
        case .deny: "Sends access_denied back, even if you allow."
        case .hostileError: "Sends an error whose description holds a script tag."
        case .noIssuer: "Omits the iss parameter of RFC 9207."
        case .wrongIssuer: "Names another provider as the issuer, as in a mix-up attack."
        case .coop: "Sends Cross-Origin-Opener-Policy, so the popup loses its opener."
        case .slow: "Waits a few seconds before it answers."
        case .verySlow: "Waits longer than a broker should."
        case .serverError: "Answers the code with an internal server error."
        case .errorInOK: "Answers {\"error\": …} as if all were well."
        case .htmlInOK: "Answers HTML where JSON belongs."
        case .unknownCode: "Answers invalid_grant to a good code."
        case .disconnect: "Closes the connection in the middle of its answer."
        case .hugeAnswer: "Sends far more than any token answer needs."
        case .formEncoded: "Answers access_token=…&… instead of JSON."
        case .expiresAsString: "Sends \"3600\" where a number belongs."
        case .noExpiry: "Does not say how long the access token lives."
        case .reducedScope: "Grants only the first scope of those asked for."
        case .noRefreshToken: "Leaves the refresh token out."
        case .noRotation: "Sends no new refresh token; the old one stays good."
        case .refreshRefused: "Answers invalid_grant to the refresh token."
        }
    }
}

extension Set<Behaviour> {
    /// Reads a comma-separated list such as `slow,form`.
    init(listed text: String) throws(UnknownBehaviour) {
        self = []
        for name in text.split(separator: ",") {
            guard let behaviour = Behaviour(rawValue: String(name)) else { throw UnknownBehaviour(name: String(name)) }
            insert(behaviour)
        }
    }

    /// The same list again, in the order of the cases.
    var listed: String {
        Behaviour.allCases.filter(contains).map(\.rawValue).joined(separator: ",")
    }
}

/// A name in `sandbox_behaviour` that is no behaviour.
struct UnknownBehaviour: Error, Equatable {
    let name: String
}
