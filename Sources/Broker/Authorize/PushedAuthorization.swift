import Catalog
import Formats
import Secrets
import Transport

/// A pushed authorization request (RFC 9126 § 2): the provider keeps the parameters, the browser carries a reference.
struct PushedAuthorization {
    let http: TransportRequest
    /// The values that nobody is told, should the provider repeat them.
    private let hidden: HiddenValues

    init(
        _ parameters: RequestParameters, to address: String, of provider: Provider, as client: Client, now: Timestamp
    ) {
        var request = FormRequest(url: address)
        request.authenticate(
            as: client, by: provider.profile.clientAuthentication,
            at: ProofContext(audience: provider.assertionAudience, now: now))
        // RFC 9126 § 2.1: the client authenticates as at the token endpoint; one client_id is enough.
        request.parameters.add(parameters)
        http = request.http
        hidden = HiddenValues(in: http, of: client)
    }

    /// RFC 9126 § 2.2.
    func requestURI(in response: ProviderResponse, at now: Timestamp) throws(ProviderError) -> String {
        let document = JSONValue(json: response.body)
        if (200..<300).contains(response.status), let document,
            let uri = JSONPointer.member("request_uri").value(in: document)?.string,
            (1...2048).contains(uri.utf8.count), uri.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        {
            return uri
        }
        let error = document.flatMap { JSONPointer.member("error").value(in: $0)?.string }
        let said: Reason =
            error.map { " with the error \(quoted: hidden.redacted($0))" } ?? " without a sound request_uri"
        throw .rejected(
            error: error.flatMap(hidden.code), retryAfter: response.retryAfter(at: now),
            reason: "\(ProviderEndpoint.pushedAuthorization.words): answered \(response.status)\(said)")
    }
}
