import ArgumentParser
import Broker
import CurlTransport
import Foundation

/// Which broker's admin API to call, and as whom.
struct AdminOptions: ParsableArguments {
    @Option(name: .long, help: "The broker's address; else CLOAKROOM_BROKER.")
    var broker: String?

    @Option(name: .long, help: "A file with a token of the scope broker:admin; else CLOAKROOM_TOKEN.")
    var tokenFile: String?

    @Option(name: .long, help: "A PEM file of the certificate authorities to trust in place of the system's.")
    var caFile: String?

    @Flag(name: .long, help: "Print JSON, for programs.")
    var json = false

    /// Calls `use` with the API, and lets its connections go afterwards.
    func call<Result>(_ use: (AdminAPI) async throws -> Result) async throws -> Result {
        let environment = ProcessInfo.processInfo.environment
        guard let address = broker ?? environment["CLOAKROOM_BROKER"] else {
            throw Refusal("no broker's address is given", hint: "give --broker URL, or set CLOAKROOM_BROKER")
        }
        var base = address
        while base.hasSuffix("/") { base.removeLast() }
        guard let url = StrictURL(base) else {
            throw Refusal(
                "the broker's address is \(YAMLReader.quote(address)), wanted an address such as https://broker.example.com"
            )
        }
        // RFC 6750 § 5.2: whoever reads the token on its way is an operator too.
        let isLocal = ["localhost", "127.0.0.1", "[::1]"].contains { host in
            url.origin.description == "http://\(host)" || url.origin.description.hasPrefix("http://\(host):")
        }
        guard url.origin.description.hasPrefix("https://") || isLocal else {
            throw Refusal("the token must not be sent over http", hint: "give the broker's https address")
        }
        var configuration = CurlTransport.Configuration()
        configuration.allowInsecure = isLocal
        configuration.allowPrivateAddresses = true
        configuration.caFile = caFile
        configuration.maxResponseBytes = 64 << 20
        // A revocation lasts as long as the slowest provider.
        configuration.timeout = .seconds(600)
        let transport = CurlTransport(configuration: configuration)
        defer { transport.shutdown() }
        return try await use(AdminAPI(base: base, token: try token(environment), transport: transport))
    }

    private func token(_ environment: [String: String]) throws -> String {
        let text: String
        if let tokenFile {
            guard let read = try? String(contentsOfFile: tokenFile, encoding: .utf8) else {
                throw Refusal("the token file \(YAMLReader.quote(tokenFile)) cannot be read")
            }
            if let fault = SecretFile(setting: "--token-file", path: tokenFile).fault {
                Terminal.write("warning: \(fault)")
            }
            text = read
        } else if let given = environment["CLOAKROOM_TOKEN"] {
            text = given
        } else {
            throw Refusal(
                "no token is given",
                hint: "give --token-file F, or set CLOAKROOM_TOKEN, with a token of the scope broker:admin")
        }
        let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Refusal("the token is not one line of visible ASCII")
        }
        return token
    }
}

/// The broker's admin API.
struct AdminAPI {
    private let base: String
    private let token: String
    private let transport: CurlTransport

    fileprivate init(base: String, token: String, transport: CurlTransport) {
        self.base = base
        self.token = token
        self.transport = transport
    }

    /// One call; what it answered, or `nil` where that is nothing. Other than 2xx is a refusal in the broker's words.
    func call(
        _ method: ProviderRequest.Method, _ path: String, query: [(String, String?)] = [], _ body: JSONValue? = nil
    ) async throws -> JSONValue? {
        var url = base + "/v1/admin/" + path
        let members = query.compactMap { name, value in value.map { (name, $0) } }
        if !members.isEmpty { url += "?" + Percent.form(members) }
        var headers = [("Authorization", "Bearer \(token)"), ("Accept", "application/json")]
        if body != nil { headers.append(("Content-Type", "application/json")) }
        let data = try body.map { Array(try JSONEncoder().encode($0)) }
        let response: ProviderResponse
        do {
            response = try await transport.send(
                ProviderRequest(method: method, url: url, headers: headers.map { (name: $0, value: $1) }, body: data))
        } catch {
            throw Refusal("the broker at \(base) did not answer: \(error.rawValue)", hint: "see whether it runs there")
        }
        // Of one's own broker: it may be longer than what is read of strangers.
        let document = try? JSONDecoder().decode(JSONValue.self, from: Data(response.body))
        guard (200..<300).contains(response.status) else { throw Self.refusal(response.status, document) }
        return document
    }

    private static let ownAddress =
        "with the setting `admin`, the admin API is at that address alone, such as --broker http://127.0.0.1:8081"

    /// The broker's words for an address that it does not serve: other things are not found for reasons of their own.
    private static let nothingThere = "nothing is at this address"

    private static func refusal(_ status: Int, _ document: JSONValue?) -> Refusal {
        guard case .object(let problem)? = document, let code = problem["code"]?.string,
            let detail = problem["detail"]?.string
        else {
            return Refusal(
                "the broker answered \(status), which is not the answer of a broker",
                hint: status == 404 ? ownAddress : "see --broker")
        }
        let id = problem["requestId"]?.string.map { " (request \($0))" } ?? ""
        let redirectURI = problem["redirectUri"]?.string
        let hint: String? =
            switch status {
            case 404:
                redirectURI.map { "register \($0) at the provider, then use `cloakroom clients set`" }
                    ?? (detail.hasPrefix(nothingThere) ? ownAddress : nil)
            case 401: "get a new token; `cloakroom token` mints one for trials"
            case 403: "the token needs the scope broker:admin"
            default: nil
            }
        var refusal = Refusal("\(code): \(detail)\(id)", hint: hint)
        refusal.redirectURI = redirectURI
        return refusal
    }

    /// The items of a list, page by page, at most `limit`.
    func items(
        _ path: String, query: [(String, String?)], limit: Int = .max
    ) async throws -> [[String: JSONValue]] {
        var items: [[String: JSONValue]] = []
        var next: String?
        repeat {
            let size = String(min(limit - items.count, 1000))
            guard
                case .object(let page)? = try await call(
                    .get, path, query: query + [("pageSize", size), ("pageToken", next)]),
                case .array(let found)? = page["items"]
            else { throw Refusal("the broker's answer is not a list", hint: "see --broker") }
            items += found.map { if case .object(let members) = $0 { members } else { [:] } }
            next = page["nextPageToken"]?.string
        } while next != nil && items.count < limit
        return items
    }
}

extension [String: JSONValue] {
    func text(_ name: String) -> String { self[name]?.string ?? "" }

    /// A time of the API as people read it.
    func time(_ name: String) -> String {
        guard let milliseconds = self[name]?.doubleValue else { return "" }
        return Date(timeIntervalSince1970: milliseconds / 1000).formatted(.iso8601)
    }
}

extension JSONValue {
    var doubleValue: Double? {
        switch self {
        case .number(let number): number
        case .integer(let number): Double(number)
        default: nil
        }
    }

    /// As programs read it.
    var pretty: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .withoutEscapingSlashes, .sortedKeys]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }
}
