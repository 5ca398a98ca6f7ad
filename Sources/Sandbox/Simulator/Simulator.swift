/// Plays providers from what they require: any number at once, each as strict as is known of it.
///
/// Every departure from a requirement is refused as the provider would, and kept as a sentence for whoever tests.
/// It shares no code with the broker, so that neither can hide a bug of the other.
public actor Simulator {
    /// A registration at a provider.
    public struct Client: Sendable {
        /// The `client_id`. Unlike any other client's: a consent request is told by it.
        public let id: String
        /// The client secret; also the key of signed callbacks and the one right `client_assertion`.
        public let secret: String
        /// Tells whether a signature (the second argument) was made of some bytes by the client's key, with ES256.
        /// `nil`: it has none.
        public let verifies: (@Sendable ([UInt8], [UInt8]) -> Bool)?
        /// The one registered redirect address, compared as a whole text.
        public let redirectURI: String

        /// Checks nothing.
        public init(
            id: String, secret: String, redirectURI: String,
            verifies: (@Sendable ([UInt8], [UInt8]) -> Bool)? = nil
        ) {
            self.id = id
            self.secret = secret
            self.verifies = verifies
            self.redirectURI = redirectURI
        }
    }

    /// The tokens that were given last, for comparison with what arrived.
    public struct Issued: Sendable {
        /// The newest of the entry, from an exchange, a refresh or a swap.
        public let accessToken: String
        /// The one that is good now, whether this answer told it or not.
        public let refreshToken: String?
        /// Unix seconds; `nil` where the answer does not tell it.
        public let expiresAt: Int64?
        /// As it was asked for; `nil` where no scope was.
        public let scope: String?
        /// The whole answer; where it swapped the token, with the members of the first that it lacks.
        public let answer: JSON
    }

    struct Endpoint: Equatable {
        enum Kind { case consent, token, refresh, afterConnecting, revocation }
        let entry: String
        let place: Int
        let kind: Kind
        let captures: [String: String]
    }

    let requirements: [String: ProviderRequirement]
    let clients: [String: Client]
    let now: @Sendable () -> Int64
    var grants = SimulatedGrants()
    private var found: [(entry: String, sentence: String)] = []

    /// - Parameters:
    ///   - requirements: by entry.
    ///   - clients: by entry; only entries with a client are played.
    ///   - now: the clock, in Unix seconds.
    public init(
        requirements: [String: ProviderRequirement], clients: [String: Client], now: @escaping @Sendable () -> Int64
    ) {
        self.requirements = requirements.filter { clients[$0.key] != nil }
        self.clients = clients
        self.now = now
    }

    // MARK: what a test asks

    /// Takes the violations since the last call, in order, each with the entry's name before its sentence.
    public func takeViolations() -> [String] {
        defer { found = [] }
        return found.map { "\($0.entry): \($0.sentence)" }
    }

    /// The newest tokens of an entry; `nil` before the first exchange.
    public func issued(_ entry: String) -> Issued? { grants.issued[entry] }

    /// Tells whether a token was taken back by a revocation.
    public func isRevoked(_ token: String) -> Bool { grants.revoked.contains(token) }

    /// The members that the place of the account added to the entry's last callback; empty before the first.
    public func callbackMembers(_ entry: String) -> [String: String] { grants.callbacks[entry] ?? [:] }

    // MARK: requests

    /// Answers as the provider at the request's address would, and keeps what was wrong for ``takeViolations()``. An
    /// address that no requirement has is answered 404.
    public func answer(_ request: SimulatedRequest) -> SimulatedResponse {
        let endpoints = endpoints(at: request.address)
        guard let first = endpoints.first else {
            note("nobody", "nothing lives at \(request.method) \(request.address.text)")
            return SimulatedResponse(status: 404, body: "not found")
        }
        if request.method == "GET", endpoints.contains(where: { $0.kind == .consent }),
            !endpoints.contains(where: { $0.kind != .consent && requirements[$0.entry]?.takesGetForTokens == true })
        {
            return consent(request, endpoints.filter { $0.kind == .consent })
        }
        let parameters = RequestParameters(request)
        let subject = subject(of: request, with: parameters, at: endpoints)
        let entry = subject?.entry ?? owner(of: request, with: parameters, at: endpoints) ?? first.entry
        guard let requirement = requirements[entry], let client = clients[entry] else {
            return SimulatedResponse(status: 500)
        }
        let call = TokenCall(
            request: request, parameters: parameters, endpoints: endpoints, entry: entry, requirement: requirement,
            client: client, subject: subject, now: now())
        switch call.kind {
        case .consent:
            note(entry, "\(request.method) \(request.address.text) is the consent page: wanted GET")
            return SimulatedResponse(status: 405)
        case .token: return exchange(call)
        case .refresh: return refresh(call)
        case .afterConnecting: return afterConnecting(call)
        case .revocation: return revoke(call)
        }
    }

    /// Notes a violation.
    func note(_ entry: String, _ sentence: String) {
        found.append((entry, sentence))
    }

    func note(_ entry: String, _ sentences: [String]) {
        for sentence in sentences { note(entry, sentence) }
    }

    private func endpoints(at address: SimulatedAddress) -> [Endpoint] {
        requirements.sorted { $0.key < $1.key }.flatMap { entry, requirement in
            requirement.places.enumerated().flatMap { index, place in
                requirement.addresses(of: place).compactMap { kind, choice in
                    let captures = choice.values.lazy.compactMap { address.captures(of: $0) }.first
                    return captures.map { Endpoint(entry: entry, place: index, kind: kind, captures: $0) }
                }
            }
        }
    }

    /// The code or token of ours that a request carries, wherever it does.
    private func subject(
        of request: SimulatedRequest, with parameters: RequestParameters, at endpoints: [Endpoint]
    ) -> SimulatedGrants.Subject? {
        let bearer = request.header("Authorization")?.split(separator: " ").last.map(String.init)
        let carried =
            parameters.all.filter { $0.name != "client_secret" && $0.name != "client_id" }.map(\.value)
            + [bearer].compactMap { $0 } + endpoints.flatMap(\.captures.values)
        return carried.lazy.compactMap { self.grants.subject($0) }.first
    }

    /// The entry whose client sent a request without a code or token of ours.
    private func owner(
        of request: SimulatedRequest, with parameters: RequestParameters, at endpoints: [Endpoint]
    ) -> String? {
        endpoints.map(\.entry).first { entry in
            guard let client = clients[entry] else { return false }
            let name = requirements[entry]?.exchange.clientIdParameter ?? "client_id"
            if parameters[name] == client.id { return true }
            let proof = ClientProof(request, parameters, of: client)
            return proof.headers != nil && proof.faults(accepting: "basic", over: nil).isEmpty
        }
    }
}

extension ProviderRequirement {
    var takesGetForTokens: Bool { exchange.method.contains("GET") }

    func addresses(of place: Place) -> [(Simulator.Endpoint.Kind, Choice)] {
        var addresses: [(Simulator.Endpoint.Kind, Choice)] = [
            (.consent, place.authorization), (.token, place.token),
        ]
        if refresh != nil { addresses.append((.refresh, place.refresh ?? place.token)) }
        if let afterConnecting {
            addresses.append((.afterConnecting, place.afterConnecting ?? afterConnecting.address))
        }
        for revocation in revocations {
            if let address = revocation.address ?? place.revocation { addresses.append((.revocation, address)) }
        }
        return addresses
    }
}
