import Broker
import Catalog
import CurlTransport
import Daemon
import Formats
import Foundation
import Secrets
import Transport

/// The broker's admin API, as an operator's command calls it.
///
/// Over the transport that calls providers: it follows no redirect, so the token goes nowhere else.
struct AdminAPI {
    private let base: String
    private let token: Secret<Use.BearerToken>
    private let transport: any HTTPTransport

    /// - Parameter base: the broker's address, without a slash at its end.
    init(base: String, token: String, transport: any HTTPTransport) {
        self.base = base
        self.token = Secret(token)
        self.transport = transport
    }

    /// The answer to one call, or `nil` where it has none. Other than 2xx is a refusal in the broker's words.
    ///
    /// - Parameter query: those without a value are left out.
    func call(
        _ method: RequestMethod, _ path: String, query: [(name: String, value: String?)] = [],
        body: JSONValue? = nil
    ) async throws(Refusal) -> JSONValue? {
        var url = base + "/v1/admin/" + path
        let members = query.compactMap { name, value in value.map { (name: name, value: $0) } }
        if !members.isEmpty { url += "?" + Percent.form(members) }
        var headers = [("Authorization", token.expose { "Bearer \($0)" }), ("Accept", "application/json")]
        if body != nil { headers.append(("Content-Type", "application/json")) }
        let response: TransportResponse
        do {
            response = try await transport.send(
                TransportRequest(
                    method: method, url: url, headers: headers.map { (name: $0, value: $1) },
                    body: body.map { Array(JSONText.of($0, .line).utf8) }))
        } catch {
            throw Refusal("the broker at \(base) did not answer: \(error.reason)", hint: "see whether it runs there")
        }
        // Of one's own broker: it may be longer than what is read of strangers.
        let document = try? JSONValue(json: response.body, by: .trusted)
        guard (200..<300).contains(response.status) else { throw Self.refusal(status: response.status, document) }
        return document
    }

    /// A hint, since the address that users know answers 404 for it then.
    private static let ownAddress =
        "with the setting `admin`, the admin API is at that address alone, such as --broker http://127.0.0.1:8081"

    /// The broker's words for an address that it does not serve: other things are not found for reasons of their own.
    private static let nothingThere = "nothing is at this address"

    /// The broker's problem (RFC 9457 § 3) as an operator's line. Any other body came from something else at that
    /// address.
    private static func refusal(status: Int, _ document: JSONValue?) -> Refusal {
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
        refusal.address = redirectURI
        return refusal
    }

    /// The items of a list, page by page, at most `limit`.
    func items(
        _ path: String, query: [(name: String, value: String?)], limit: Int = .max
    ) async throws(Refusal) -> [[String: JSONValue]] {
        var items: [[String: JSONValue]] = []
        var next: String?
        repeat {
            let size = String(min(limit - items.count, Self.largestPage))
            guard
                case .object(let page)? = try await call(
                    .get, path, query: query + [("pageSize", size), ("pageToken", next)]),
                let found = page["items"]?.objects
            else { throw Refusal("the broker's answer is not a list", hint: "see --broker") }
            items += found
            let token = page["nextPageToken"]?.string
            // A page may be empty and another follow, but the same one again would go on for ever.
            guard token == nil || token != next else {
                throw Refusal("the broker's list does not end", hint: "see --broker")
            }
            next = token
        } while next != nil && items.count < limit
        return Array(items.prefix(limit))
    }

    /// Docs/Contract.md#operators: `pageSize` is 1 to 1000.
    private static let largestPage = 1000
}
