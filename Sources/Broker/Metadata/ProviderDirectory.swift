import Formats
import JOSE
import Secrets
import Transport

/// Providers' metadata and keys: fetched when first needed, and cached.
struct ProviderDirectory: Sendable {
    private let transport: any ProviderTransport
    private let allowInsecure: Bool
    private let takesRootSlash: Bool
    private let metadata: ProviderCache<ProviderMetadata>
    private let keySets: RemoteKeySets
    private let tell: @Sendable (Incident) -> Void
    private let told = Told<String>()

    /// - Parameters:
    ///   - allowInsecure: permits http addresses, for trials.
    ///   - isCaching: metadata serves for a while; else it is fetched by each who asks, and nothing is believed longer.
    ///   - takesRootSlash: an issuer without a path is the same with a slash: others than the operator named it.
    init(
        transport: any ProviderTransport, allowInsecure: Bool, now: @escaping @Sendable () -> ContinuousClock.Instant,
        isCaching: Bool = true, takesRootSlash: Bool = false,
        tell: @escaping @Sendable (Incident) -> Void = { _ in }
    ) {
        self.transport = transport
        self.tell = tell
        self.allowInsecure = allowInsecure
        self.takesRootSlash = takesRootSlash
        // Endpoints hardly ever change: yesterday's are better than none.
        metadata = .forProviders(
            fresh: isCaching ? .seconds(3600) : .zero, stale: isCaching ? .seconds(86_400) : .zero,
            failure: isCaching ? .seconds(10) : .zero, capacity: isCaching ? 1000 : 8, now: now
        ) { issuer, error in
            tell(Incident(.staleMetadata, "\(error.reason(.metadata)) (\(quoted: issuer))"))
        }
        keySets = RemoteKeySets(.providers, now: now) { url, fault in
            let reason = ProviderDirectoryError(fault).reason(.keys)
            tell(Incident(.staleMetadata, "\(reason) (\(quoted: url))"))
        }
    }

    /// The number of issuers of which anything is kept. For tests.
    var keptCount: Int { metadata.count }

    /// The metadata of an issuer, at most an hour old unless the provider cannot be reached, then a day.
    func metadata(
        for issuer: String, cause: Cause = .broker
    ) async throws(ProviderDirectoryError) -> ProviderMetadata {
        try await Self.inOwnTurn(cause) { () async throws(ProviderDirectoryError) in
            try await fetchedMetadata(for: issuer, cause)
        }
    }

    private func fetchedMetadata(
        for issuer: String, _ cause: Cause
    ) async throws(ProviderDirectoryError) -> ProviderMetadata {
        let addresses = ProviderMetadata.addresses(issuer)
        guard !addresses.isEmpty, isAllowed(issuer) else { throw .addressNotAllowed }
        let (transport, allowInsecure, takesRootSlash) = (transport, allowInsecure, takesRootSlash)
        return try await metadata.value(for: issuer, for: cause.account.party) {
            () async throws(ProviderDirectoryError) in
            // The failure to throw where nothing is found: a wrong document tells more than a missing one.
            var failure = ProviderDirectoryError.addressNotAllowed
            // A document to fall back on, where the other place has no better one.
            var faulty: ProviderMetadata?
            for address in addresses {
                do throws(ProviderDirectoryError) {
                    let body = try await Self.body(at: address, by: transport, cause)
                    let found: ProviderMetadata
                    do throws(MetadataError) {
                        found = try ProviderMetadata(
                            json: body, issuer: issuer, takingRootSlash: takesRootSlash, allowInsecure: allowInsecure)
                    } catch {
                        throw .metadata(error)
                    }
                    guard found.hasFaultyEndpoint else { return await noted(found) }
                    faulty = faulty ?? found
                } catch {
                    if faulty != nil { break }
                    // The other address is at the same host, which does not get better by waiting for it again.
                    if case .transport(let why) = error, why != .responseTooLarge { throw error }
                    if case .metadata = failure { continue }
                    // Nor does a place where there is nothing tell more than one that failed.
                    if error == .status(404), failure != .addressNotAllowed { continue }
                    failure = error
                }
            }
            guard let faulty else { throw failure }
            return await noted(faulty)
        }
    }

    /// Tells once of each document what counts as absent in it: it is fetched again every hour.
    private func noted(_ metadata: ProviderMetadata) async -> ProviderMetadata {
        guard let remark = metadata.remark else { return metadata }
        let reason: Reason = "the provider's metadata: \(remark) (\(quoted: metadata.issuer))"
        if await told.isNews(reason.description) {
            tell(Incident(.faultyMetadata, reason, tenant: nil, sourceType: nil))
        }
        return metadata
    }

    /// The keys at an address, at most five minutes old unless it does not answer, then an hour.
    ///
    /// - Parameter sufficient: tells whether the key that a token names is among them. If not, they are fetched again,
    ///   but at most once a minute: senders of tokens must not be able to make the broker flood the provider.
    func keys(
        at url: String, where sufficient: (JSONWebKeySet) -> Bool = { _ in true }, cause: Cause = .broker
    ) async throws(ProviderDirectoryError) -> JSONWebKeySet {
        guard isAllowed(url) else { throw .addressNotAllowed }
        let transport = transport
        return try await Self.inOwnTurn(cause) { () async throws(ProviderDirectoryError) in
            do throws(RemoteKeySet.Fault) {
                return try await keySets[url].believed(in: cause.turn, where: sufficient) {
                    () async throws(TransportError) in
                    try await transport.send(Self.request(url, cause))
                }.keys
            } catch {
                throw ProviderDirectoryError(error)
            }
        }
    }

    private static func request(_ url: String, _ cause: Cause) -> ProviderRequest {
        var request = ProviderRequest(method: .get, url: url, headers: [("Accept", "application/json")])
        request.cause = cause
        return request
    }

    /// Fetches once more where a fetch was refused its turn: it may have been another caller's, and this one has its
    /// own.
    private static func inOwnTurn<Value>(
        _ cause: Cause, _ fetch: () async throws(ProviderDirectoryError) -> Value
    ) async throws(ProviderDirectoryError) -> Value {
        var isSecond = false
        while true {
            do {
                return try await fetch()
            } catch {
                guard error == .transport(.rateLimited), cause.isBegun || !isSecond else { throw error }
                isSecond = true
            }
        }
    }

    private func isAllowed(_ address: String) -> Bool {
        StrictURL(address) != nil && (allowInsecure || address.hasPrefix("https://"))
    }

    private static func body(
        at url: String, by transport: any ProviderTransport, _ cause: Cause
    ) async throws(ProviderDirectoryError) -> [UInt8] {
        let response: ProviderResponse
        do {
            response = try await transport.send(request(url, cause))
        } catch {
            throw .transport(error)
        }
        // RFC 8414 § 3.2: 200 and nothing else. The content type is not asked for; the document tells what it is.
        guard response.status == 200 else { throw .status(response.status) }
        return response.body
    }
}

/// A reason for which a provider's metadata or keys are not known.
enum ProviderDirectoryError: Error, Equatable, Sendable {
    /// Not https, or no address at all: the catalog and a flow's parameters make no issuer.
    case addressNotAllowed
    case transport(TransportError)
    /// An answer other than 200.
    case status(Int)
    case metadata(MetadataError)
    case keySetMalformed
}

extension ProviderDirectoryError {
    fileprivate init(_ fault: RemoteKeySet.Fault) {
        switch fault {
        case .transport(let error): self = .transport(error)
        case .status(let status): self = .status(status)
        case .malformed: self = .keySetMalformed
        }
    }
}

extension Cause {
    /// The turn in which keys are fetched.
    fileprivate var turn: RemoteKeySet.Turn {
        switch account {
        case .broker: .everybody
        case .operators: .own("operators")
        // No tenant has a space in its name.
        case .tenant(let tenant): .own("tenant \(tenant)")
        }
    }
}
