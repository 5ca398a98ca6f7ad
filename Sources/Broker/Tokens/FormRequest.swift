import Catalog
import Formats
import Foundation
import Secrets
import Transport

/// A request to one of a provider's endpoints while it is put together: parameters first, their encoding last.
struct FormRequest {
    var url: String
    var method = RequestMethod.post
    var format = OAuthProfile.TokenRequestFormat.form
    var headers: [(name: String, value: String)] = [("Accept", "application/json")]
    var members: [(name: String, value: String)] = []
    var certificate: ClientCertificate?
    var sourceType: SourceType.ID?

    /// Sets a header in place of any of the same name.
    mutating func set(header name: String, _ value: String) {
        headers.removeAll { $0.name.lowercased() == name.lowercased() }
        headers.append((name, value))
    }

    /// Adds parameters under names that are free.
    mutating func add(_ parameters: [(name: String, value: ValueTemplate?)], filledWith values: [String: String]) {
        for (name, template) in parameters where !members.contains(where: { $0.name == name }) {
            guard let value = template?.filled(with: values) else { continue }
            members.append((name, value))
        }
    }

    /// Sets parameters, in place of any of the same name; `nil` leaves one out.
    mutating func replace(_ parameters: [(name: String, value: ValueTemplate?)], filledWith values: [String: String]) {
        for (name, template) in parameters {
            let index = members.firstIndex { $0.name == name }
            switch (template?.filled(with: values), index) {
            case (let value?, let index?): members[index].value = value
            case (let value?, nil): members.append((name, value))
            case (nil, let index?): members.remove(at: index)
            case (nil, nil): break
            }
        }
    }

    /// Proves who asks, as the provider wants it.
    mutating func authenticate(as client: Client, by method: OAuthProfile.ClientAuthentication, at proof: ProofContext)
    {
        switch method {
        case .basic:
            // RFC 6749 § 2.3.1: both are form-encoded before they are joined and encoded in base 64.
            let secret = client.secret?.expose { $0 } ?? ""
            let pair = "\(Percent.encode(client.id)):\(Percent.encode(secret))"
            headers.append(("Authorization", "Basic \(Data(pair.utf8).base64EncodedString())"))
        case .post:
            members.append(("client_id", client.id))
            if let secret = client.secret { members.append(("client_secret", secret.expose { $0 })) }
        case .none:
            members.append(("client_id", client.id))
        case .clientSecretJWT, .privateKeyJWT:
            members.append(("client_id", client.id))
            // RFC 7523 § 2.2.
            members.append(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
            if let assertion = proof.assertion(of: client, by: method) {
                members.append(("client_assertion", assertion.expose { $0 }))
            }
        case .tls:
            // RFC 8705 § 2: the certificate proves, the parameter names.
            members.append(("client_id", client.id))
            certificate = client.certificate
        }
    }

    /// The headers with the body's type, unless the entry names one or there is no body.
    private func headers(typed type: String) -> [(name: String, value: String)] {
        if members.isEmpty || headers.contains(where: { $0.name.lowercased() == "content-type" }) { return headers }
        return [("Content-Type", type)] + headers
    }

    var http: ProviderRequest {
        var request: ProviderRequest
        let query = { url + (url.contains("?") ? "&" : "?") + Percent.form(members) }
        switch (method, format) {
        case (.get, _):
            request = ProviderRequest(method: method, url: members.isEmpty ? url : query(), headers: headers)
        case (_, .query):
            request = ProviderRequest(method: method, url: members.isEmpty ? url : query(), headers: headers, body: [])
        case (_, .form):
            request = ProviderRequest(
                method: method, url: url, headers: headers(typed: "application/x-www-form-urlencoded"),
                body: Array(Percent.form(members).utf8))
        case (_, .json):
            let object = Dictionary(members.map { ($0.name, JSONValue.string($0.value)) }) { first, _ in first }
            request = ProviderRequest(
                method: method, url: url, headers: headers(typed: "application/json"),
                body: members.isEmpty ? [] : (try? Array(JSONEncoder.plain.encode(object))) ?? [])
        }
        request.http.certificate = certificate
        request.sourceType = sourceType
        return request
    }
}

extension JSONEncoder {
    static var plain: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return encoder
    }
}

/// What a proof of the client is made from, besides the client.
struct ProofContext {
    /// The audience of a client assertion (RFC 7523 § 3); `nil`: nobody is known, and none is made.
    let audience: String?
    let now: Timestamp
}
