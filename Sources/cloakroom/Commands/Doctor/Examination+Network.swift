import Broker
import Catalog
import CurlTransport
import Daemon
import Formats
import Foundation
import Transport

extension Examination {
    /// The broker as browsers reach it: by its name, through the proxy.
    func publicAddress() async -> Finding {
        let url = configuration.broker.publicURL.text
        var settings = configuration.transport
        // A name that leads to a private address is no fault here: from outside it may lead elsewhere.
        settings.allowPrivateAddresses = true
        // The proxy's own loopback is another machine's.
        if configuration.broker.publicURL.isLoopback { settings.proxy = nil }
        let transport = CurlTransport(configuration: settings)
        defer { transport.shutdown() }
        let response: TransportResponse
        do {
            response = try await transport.send(TransportRequest(method: .get, url: url + "/healthz"))
        } catch {
            return .bad(
                "public address", "\(url) does not answer: \(error.reason)",
                hint: "start the broker, and see the proxy, its certificate and the name's address")
        }
        guard response.status == 200, response.header("x-request-id") != nil else {
            return .bad(
                "public address", "\(url)/healthz answers \(response.status), which is not the answer of a broker",
                hint: "let the proxy pass everything under \(url) to the broker")
        }
        return .good("public address", "\(url) is reached")
    }

    /// The issuer's JWK set, where it is fetched.
    func callerKeys(by transport: CurlTransport) async -> [Finding] {
        guard case .address(let url) = configuration.callerKeys else { return [.good("callers' keys", "from a file")] }
        do {
            let response = try await transport.send(TransportRequest(method: .get, url: url))
            guard response.status == 200 else {
                return [.bad("callers' keys", "\(url) answers \(response.status)", hint: "see auth.jwksURL")]
            }
            return [Finding.good("callers' keys", "\(url) answers"), Self.clock(response, of: url)].compactMap(\.self)
        } catch {
            return [
                .bad(
                    "callers' keys", "\(url) does not answer: \(error.reason)",
                    hint: "see auth.jwksURL and the network")
            ]
        }
    }

    /// The collector, which is sent an export without spans: OTLP allows it.
    func collector(_ tracing: Tracing) async -> Finding {
        let transport = SpanExporter.transport()
        defer { transport.shutdown() }
        let hint = "see tracing.endpoint, and whether the collector takes OTLP over HTTP in JSON"
        do {
            let response = try await transport.send(
                SpanExporter.request(to: tracing, Array(#"{"resourceSpans":[]}"#.utf8)))
            guard (200..<300).contains(response.status) else {
                return .bad("collector", "\(tracing.endpoint) answers \(response.status)", hint: hint)
            }
            return .good("collector", "\(tracing.endpoint) accepts spans")
        } catch {
            return .bad("collector", "\(tracing.endpoint) does not answer: \(error.reason)", hint: hint)
        }
    }

    /// Each configured provider's token endpoint: any answer over sound TLS will do.
    func providers(by transport: CurlTransport) async -> [Finding] {
        var origins: [String: String] = [:]
        var unasked: [String] = []
        for sourceType in configuration.catalog.sourceTypes(of: configuration.clients.keys) {
            guard let profile = sourceType.oauth, configuration.isConfigured(sourceType),
                let client = configuration.client(for: sourceType)
            else { continue }
            if let url = Self.tokenURL(profile, client), let origin = StrictURL(url)?.origin.description {
                origins[origin] = url
            } else {
                unasked.append(sourceType.id.description)
            }
        }
        var untold = unasked.isEmpty ? [] : [Self.unasked(unasked)]
        let servers = configuration.broker.resources.hosts.map(\.description)
        if !servers.isEmpty {
            untold.append(
                .good(
                    "servers",
                    "not asked, since callers give the address: those of mcp.servers (\(servers.joined(separator: ", ")))"
                ))
        }
        return await withTaskGroup { group in
            for (origin, url) in origins {
                group.addTask { await Self.provider(at: origin, tokenURL: url, by: transport) }
            }
            var visits: [Visit] = []
            for await visit in group { visits.append(visit) }
            visits.sort { $0.origin < $1.origin }
            // One word about the clock is enough.
            return visits.map(\.finding) + untold + visits.compactMap(\.clock).prefix(1)
        }
    }

    /// Nobody shall take them for reached.
    private static func unasked(_ sourceTypes: [String]) -> Finding {
        .good(
            "provider",
            "not asked, since the token endpoint depends on the provider's metadata or on a caller's parameter: "
                + sourceTypes.joined(separator: ", "))
    }

    /// The metadata of each issuer that a configured source type's endpoints come from.
    func metadata(by transport: CurlTransport) async -> [Finding] {
        var found: [String: Finding] = [:]
        for sourceType in configuration.catalog.sourceTypes(of: configuration.clients.keys) {
            guard configuration.isConfigured(sourceType),
                let client = configuration.client(for: sourceType),
                let examined = await sourceType.oauth?.examineMetadata(as: client, by: transport)
            else { continue }
            found[examined.issuer] = Self.finding(examined, of: sourceType.id)
        }
        return found.sorted { $0.key < $1.key }.map(\.value)
    }

    private static func finding(_ examined: MetadataExamination, of sourceType: SourceType.ID) -> Finding {
        if let failure = examined.failure {
            return .bad(
                "metadata", "\(examined.issuer): \(failure)",
                hint: "see the issuer in the entry of \(sourceType), and what its provider serves")
        }
        if let remark = examined.remark {
            return Finding(subject: "metadata", level: .warn, words: "\(examined.issuer): \(remark)")
        }
        return .good("metadata", "\(examined.issuer) is in order")
    }

    /// One provider's answer.
    private struct Visit: Sendable {
        let origin: String
        let finding: Finding
        /// `nil` where the answer had no date.
        var clock: Finding?
    }

    /// The token endpoint where no caller's value is in it; the operator's may be.
    private static func tokenURL(_ profile: OAuthProfile, _ client: Client) -> String? {
        var values: [String: String] = [:]
        for parameter in profile.parameters where parameter.setByOperator {
            values[parameter.name] = client.parameters[parameter.name] ?? parameter.defaultValue
        }
        return profile.addresses.own.token?.filled(with: values)
    }

    private static func provider(
        at origin: String, tokenURL: String, by transport: CurlTransport
    ) async -> Visit {
        do throws(TransportError) {
            let response = try await transport.send(TransportRequest(method: .get, url: tokenURL))
            return Visit(
                origin: origin, finding: .good("provider", "\(origin) is reached"), clock: clock(response, of: origin))
        } catch {
            let hint =
                switch error {
                case .tlsFailed: "check for a proxy in between, and the machine's certificates"
                case .proxyFailed: "see provider.proxy, and what that proxy allows"
                case .addressNotAllowed: "its name resolves to an address that is not public"
                default: "check the machine's network and its name servers"
                }
            return Visit(origin: origin, finding: .bad("provider", "\(origin): \(error.reason)", hint: hint))
        }
    }

    /// Compares the machine's clock with a server's `Date` header: tokens and states expire, so a wrong clock refuses
    /// good ones. `nil` where the answer has no date.
    static func clock(_ response: TransportResponse, of server: String, now: Date = Date()) -> Finding? {
        guard let text = response.header("date"), let date = try? Date(text, strategy: .http) else { return nil }
        // A date may be of any year: up to a thousand of them it is told.
        let seconds = Int(min(abs(date.timeIntervalSince(now)), 31_557_600_000).rounded())
        // Half of the leeway that callers' tokens get (60 s).
        guard seconds <= 30 else {
            return .bad("clock", "\(seconds) s from that of \(server)", hint: "synchronise the machine's clock by NTP")
        }
        return .good("clock", "the same as that of \(server)")
    }
}

extension ParseStrategy where Self == Date.ParseStrategy {
    /// IMF-fixdate, the one form that servers may send (RFC 9110 § 5.6.7).
    fileprivate static var http: Date.ParseStrategy {
        Date.ParseStrategy(
            format: """
                \(weekday: .abbreviated), \(day: .twoDigits) \(month: .abbreviated) \(year: .defaultDigits) \
                \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\
                \(second: .twoDigits) GMT
                """, locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt)
    }
}
