import Catalog
import Formats
import Foundation
import Secrets
import Transport

/// A request to one of a provider's endpoints while it is built: parameters first, their encoding last.
///
/// Its address and headers may hold a token or a client secret, so it prints as its method alone.
struct FormRequest {
    var url: String
    var method = RequestMethod.post
    var format = OAuthProfile.TokenRequestFormat.form
    private(set) var headers: [(name: String, value: String)] = [("Accept", "application/json")]
    var parameters = RequestParameters()
    var certificate: ClientCertificate?

    init(
        url: String, method: RequestMethod = .post, format: OAuthProfile.TokenRequestFormat = .form,
        parameters: RequestParameters = RequestParameters()
    ) {
        self.url = url
        self.method = method
        self.format = format
        self.parameters = parameters
    }

    /// Sets a header in place of any of the same name.
    mutating func set(header name: String, _ value: String) {
        headers.removeAll { $0.name.lowercased() == name.lowercased() }
        headers.append((name, value))
    }

    /// Authenticates the client, as the provider wants it (RFC 6749 § 2.3).
    mutating func authenticate(as client: Client, by method: OAuthProfile.ClientAuthentication, at proof: ProofContext)
    {
        switch method {
        case .basic, .basicRaw:
            // RFC 6749 § 2.3.1: both are form-encoded before they are joined and encoded in base 64.
            let encode = { (text: String) in method == .basic ? Percent.encode(text) : text }
            let header = { (secret: String) -> String in
                let pair = "\(encode(client.id)):\(encode(secret))"
                return "Basic \(Data(pair.utf8).base64EncodedString())"
            }
            headers.append(("Authorization", client.secret?.expose(header) ?? header("")))
        case .post:
            parameters.append("client_id", client.id)
            if let secret = client.secret { parameters.append("client_secret", secret) }
        case .none:
            parameters.append("client_id", client.id)
        case .clientSecretJWT, .privateKeyJWT:
            parameters.append("client_id", client.id)
            // RFC 7523 § 2.2.
            parameters.append("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            if let assertion = proof.assertion(of: client, by: method) {
                parameters.append("client_assertion", assertion)
            }
        case .tls:
            // RFC 8705 § 2: the certificate proves, the parameter names.
            parameters.append("client_id", client.id)
            certificate = client.certificate
        }
    }

    /// The headers with the body's type, unless the entry names one or there is no body.
    private func headers(typed type: String) -> [(name: String, value: String)] {
        if parameters.isEmpty || headers.contains(where: { $0.name.lowercased() == "content-type" }) { return headers }
        return [("Content-Type", type)] + headers
    }

    var http: TransportRequest {
        var request = parameters.expose { written($0) }
        request.certificate = certificate
        return request
    }

    private func written(_ members: [(name: String, value: String)]) -> TransportRequest {
        let query = { url + (url.contains("?") ? "&" : "?") + Percent.form(members) }
        switch (method, format) {
        case (.get, _):
            return TransportRequest(method: method, url: members.isEmpty ? url : query(), headers: headers)
        case (_, .query):
            return TransportRequest(method: method, url: members.isEmpty ? url : query(), headers: headers, body: [])
        case (_, .form):
            return TransportRequest(
                method: method, url: url, headers: headers(typed: "application/x-www-form-urlencoded"),
                body: Array(Percent.form(members).utf8))
        case (_, .json):
            let object = JSONValue.object(
                Dictionary(members.map { ($0.name, JSONValue.string($0.value)) }) { first, _ in first })
            return TransportRequest(
                method: method, url: url, headers: headers(typed: "application/json"),
                body: members.isEmpty ? [] : (try? object.encoded()) ?? [])
        }
    }
}

extension FormRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String { "[redacted \(method.rawValue) request]" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// The audience and the time of a client's assertion.
struct ProofContext {
    /// The audience of a client assertion (RFC 7523 § 3); `nil` where none is known, and so none is made.
    let audience: String?
    let now: Timestamp
}
