import Catalog
import Formats
import Transport

/// Finds what protected resources and their authorization servers say of themselves. Keeps nothing: a server that moves
/// to another authorization server must be seen to.
struct ResourceDirectory: Sendable {
    /// Told of each step in plain words, for an operator's trial.
    typealias Narrator = @Sendable (Reason) -> Void

    private let transport: any ProviderTransport
    private let allowInsecure: Bool
    private let servers: ProviderDirectory

    /// - Parameter allowInsecure: permits http addresses, for trials.
    init(
        transport: any ProviderTransport, allowInsecure: Bool, now: @escaping @Sendable () -> ContinuousClock.Instant,
        tell: @escaping @Sendable (Incident) -> Void
    ) {
        self.transport = transport
        self.allowInsecure = allowInsecure
        servers = ProviderDirectory(
            transport: transport, allowInsecure: allowInsecure, now: now, isCaching: false, takesRootSlash: true,
            tell: tell)
    }

    /// Asks a resource for its challenge, then for its metadata (RFC 9728 § 3 and § 5).
    func resource(
        at url: StrictURL, for cause: Cause, narrating: Narrator
    ) async throws(ProviderError) -> FoundResource {
        let challenge = try await challenge(of: url, cause, narrating)
        var addresses = ResourceMetadata.addresses(of: url)
        let wellKnown = addresses
        if let named = challenge?.metadata {
            guard let address = StrictURL(named), address.origin == url.origin,
                allowInsecure || address.text.hasPrefix("https://")
            else {
                // Else whoever runs the server would have the broker ask any other.
                throw .rejected(
                    reason:
                        "\(ProviderEndpoint.resource.words): its challenge names metadata elsewhere (\(quoted: named.withoutQuery))"
                )
            }
            addresses.removeAll { $0.isExactly(address.text) }
            addresses.insert(address.text, at: 0)
        }
        var failure: Reason = "nothing was found"
        for (index, address) in addresses.enumerated() {
            let response = try await send(.get, address, at: .resourceMetadata, cause)
            guard response.status == 200 else {
                if index == 0 { failure = "answered \(response.status) at \(quoted: url.origin.description)" }
                narrating("no metadata at \(quoted: address): it answered \(response.status)")
                continue
            }
            do throws(ResourceMetadataError) {
                // Only whoever runs the host decides what is at its well-known places.
                let metadata = try ResourceMetadata(
                    json: response.body, of: url, takingFolders: wellKnown.contains(exactly: address))
                narrating(
                    "metadata at \(quoted: address): the resource is \(quoted: metadata.resource), its authorization servers \(quoted: metadata.authorizationServers.joined(separator: " "))"
                )
                return FoundResource(url: url, metadata: metadata, challengeScopes: challenge?.scopes)
            } catch {
                narrating("metadata at \(quoted: address) that cannot be used: \(error.reason)")
                failure = "\(error.reason) (\(quoted: url.origin.description))"
                // A page for people, which some servers have at every address, says nothing; a wrong document does.
                if error != .notAnObject { break }
            }
        }
        throw .rejected(reason: "\(ProviderEndpoint.resourceMetadata.words): \(failure)")
    }

    /// The metadata of an authorization server (RFC 8414 § 3).
    func server(_ issuer: String, for cause: Cause) async throws(ProviderDirectoryError) -> ProviderMetadata {
        try await servers.metadata(for: issuer, cause: cause)
    }

    /// What a resource says in a challenge (RFC 9728 § 5.1, RFC 6750 § 3).
    private struct Challenge {
        let metadata: String?
        let scopes: [String]?
    }

    /// A request that every server of the protocol knows and that begins nothing there; without a token, one that wants
    /// one refuses it. `nil` where it does not.
    private func challenge(
        of url: StrictURL, _ cause: Cause, _ narrating: Narrator
    ) async throws(ProviderError) -> Challenge? {
        var response: ProviderResponse
        do {
            response = try await send(.post, url.text, at: .resource, cause)
            // Of a server that answers no POST.
            if [404, 405, 501].contains(response.status) {
                response = try await send(.get, url.text, at: .resource, cause)
            }
        } catch {
            // One that says nothing yet may have its documents at their places.
            guard case .timedOut = error else { throw error }
            narrating("the server gave no answer in time without a token, where 401 was expected")
            return nil
        }
        guard response.status == 401 else {
            narrating("the server answered \(response.status) without a token, where 401 was expected")
            return nil
        }
        let challenges = AuthenticationChallenge.read(
            response.headers.filter { $0.name == "www-authenticate" }.map(\.value)
        ).filter { ["bearer", "dpop"].contains($0.scheme) }
        guard let found = challenges.first(where: { $0.parameters["resource_metadata"] != nil }) ?? challenges.first
        else {
            narrating("the server wants a token, and its answer names no metadata")
            return nil
        }
        let scopes = found.parameters["scope"].map { Array($0.split(separator: " ").map(String.init).prefix(200)) }
        narrating(
            "the server wants a token; metadata: \(quoted: found.parameters["resource_metadata"] ?? "not named"), scopes: \(quoted: scopes?.joined(separator: " ") ?? "not named")"
        )
        return Challenge(
            metadata: found.parameters["resource_metadata"], scopes: scopes?.isEmpty == true ? nil : scopes)
    }

    private static let ping = Array(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#.utf8)

    private func send(
        _ method: RequestMethod, _ url: String, at endpoint: ProviderEndpoint, _ cause: Cause
    ) async throws(ProviderError) -> ProviderResponse {
        var headers = [("Accept", endpoint == .resource ? "application/json, text/event-stream" : "application/json")]
        if method == .post { headers.append(("Content-Type", "application/json")) }
        var request = ProviderRequest(
            method: method, url: url, headers: headers, body: method == .post ? Self.ping : nil)
        // Its body may be a stream of events that never ends.
        request.http.wantsHeadAlone = endpoint == .resource
        request.cause = cause
        do {
            return try await transport.send(request)
        } catch {
            throw ProviderError(error, at: endpoint)
        }
    }
}

/// A protected resource as it describes itself.
struct FoundResource: Sendable {
    let url: StrictURL
    let metadata: ResourceMetadata
    /// The scopes of its challenge; `nil` where it named none.
    let challengeScopes: [String]?

    /// All scopes that it is known to have.
    var published: [String] {
        Scopes.union(
            (challengeScopes ?? []).prefix(200).filter(Scopes.isToken), Array((metadata.scopes ?? []).prefix(200)))
    }

    /// The scopes to ask for unless the caller names some: those that the server wants now, else those that it knows.
    /// As many as a caller may name: a server that lists thousands must not make every flow fail.
    var scopes: [String] {
        (challengeScopes ?? metadata.scopes ?? []).prefix(200).filter(Scopes.isToken).inBytes(2048)
    }
}

extension [String] {
    /// As many of them as have room, with a byte between them.
    func inBytes(_ most: Int) -> [String] {
        var room = most
        return filter { scope in
            guard scope.utf8.count < room else { return false }
            room -= scope.utf8.count + 1
            return true
        }
    }
}
