import Assets
import Formats
import Secrets
import Transport

/// Calls the API of one source type, at its configured address, with the credentials of one asset.
///
/// Credentials go to that address alone: not along with a redirect to another origin.
struct APIClient: Sendable {
    let client: SourceClient
    let address: StrictURL
    /// `nil`: nobody's, for what everybody may read.
    let tokens: (any AccessTokenSource)?
    /// For messages, such as `GitHub`.
    let name: String
    /// Sent with each request, in lower case.
    let headers: [(name: String, value: String)]

    /// The answer to a GET, whatever its status but 401.
    ///
    /// - Parameter path: its segments, not encoded yet.
    func get(
        _ path: [String], query: [(name: String, value: String)] = []
    ) async throws(SourceFault) -> TransportResponse {
        try await send(TransportRequest(method: .get, url: try url(path, query), headers: headers))
    }

    /// The answer to a POST of JSON, whatever its status but 401. Only for calls that change nothing: it may be sent
    /// several times.
    func post(_ path: [String], _ json: JSONValue) async throws(SourceFault) -> TransportResponse {
        let body = (try? json.encoded()) ?? []
        let headers = headers + [("content-type", "application/json")]
        return try await send(TransportRequest(method: .post, url: try url(path, []), headers: headers, body: body))
    }

    /// The object that an answer is; throws where it is an error or something else.
    func object(_ response: TransportResponse) async throws(SourceFault) -> [String: JSONValue] {
        guard response.isSuccess else { throw fault(of: response) }
        // A listing of megabytes takes a while to read.
        let members = await blocking { try? StrictJSON.object(response.body, by: .listing) }
        guard let members else { throw .unreadable("a JSON object", from: name) }
        return members
    }

    /// The fault that an answer with an error is, in the API's own words where it has some.
    func fault(of response: TransportResponse) -> SourceFault {
        .refused(by: name, response.status, message: message(of: response))
    }

    func message(of response: TransportResponse) -> String? {
        guard response.body.count <= 65_536, case .object(let answer)? = JSONValue(json: response.body) else {
            return nil
        }
        if let message = answer["message"]?.string { return message }
        return if case .object(let error)? = answer["error"] { error["message"]?.string } else { nil }
    }

    private func url(_ path: [String], _ query: [(name: String, value: String)]) throws(SourceFault) -> String {
        // Ids are the source's word. Escaping leaves dots, and an address with `..` is another one (RFC 3986 § 5.2.4).
        guard path.allSatisfy({ (1...1024).contains($0.utf8.count) && $0 != "." && $0 != ".." }) else {
            throw .rejected("\(name) named something by an id that is none")
        }
        let base = address.text.utf8.last == UInt8(ascii: "/") ? String(address.text.dropLast()) : address.text
        let url = ([base] + path.map { Percent.encode($0) }).joined(separator: "/")
        return query.isEmpty ? url : url + "?" + Percent.form(query)
    }

    // MARK: credentials

    private func send(_ request: TransportRequest) async throws(SourceFault) -> TransportResponse {
        guard let tokens else {
            let response = try await follow(request, nil)
            guard response.status != 401 else { throw .reauthorizationRequired }
            return response
        }
        let token = try await tokens.token()
        let response = try await follow(request, token)
        guard response.status == 401 else { return response }
        let second = try await follow(request, try await tokens.token(inPlaceOf: token))
        guard second.status != 401 else { throw .reauthorizationRequired }
        return second
    }

    private func follow(
        _ request: TransportRequest, _ token: AccessToken?
    ) async throws(SourceFault) -> TransportResponse {
        // The first address is ours, also where an id or a page's token makes it longer than others' may be.
        var (request, redirects, isOurs) = (request, 0, true)
        while true {
            let response = try await client.send(isOurs ? try authorized(request, token) : request)
            guard request.method == .get, Redirect.isOne(response),
                let place = WebAddress(request.url) ?? WebAddress(address.text),
                let target = Redirect.target(of: response, from: place)
            else {
                // Who was told no credentials refuses none.
                guard isOurs || response.status != 401 else { throw fault(of: response) }
                return response
            }
            redirects += 1
            guard redirects <= Redirect.most else { throw .rejected("\(name) redirects too often") }
            request.url = target.text
            isOurs = target.origin == address.origin
        }
    }

    private func authorized(
        _ request: TransportRequest, _ token: AccessToken?
    ) throws(SourceFault) -> TransportRequest {
        guard let token else { return request }
        var request = request
        let value = token.expose { "Bearer \($0)" }
        // A token that cannot be sent is as good as none.
        guard HeaderText.isValue(value) else { throw .reauthorizationRequired }
        request.headers.append(("authorization", value))
        return request
    }
}

extension TransportResponse {
    /// RFC 9110 § 15.3
    var isSuccess: Bool { (200..<300).contains(status) }
}
