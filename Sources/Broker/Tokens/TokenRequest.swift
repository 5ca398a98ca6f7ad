import Foundation
import Secrets

/// The request that trades a code for tokens (RFC 6749 § 4.1.3). Building it needs no network.
struct TokenRequest {
    let http: ProviderRequest

    /// `nil` where the token address cannot be filled: the parameters were checked when the flow began, so the
    /// catalog has changed since.
    init?(
        exchange code: AuthorizationCode, of flow: Flow, verifier: CodeVerifier, redirectURI: String,
        at profile: OAuthProfile, as client: Client
    ) {
        guard let url = profile.tokenURL.filled(with: flow.parameters) else { return nil }
        var members: [(name: String, value: String)] = [
            ("grant_type", "authorization_code"),
            ("code", code.expose { $0 }),
            ("redirect_uri", redirectURI),
        ]
        if profile.proofKey != .none {
            members.append(("code_verifier", verifier.expose { $0 }))
        }
        var headers: [(name: String, value: String)] = [("Accept", "application/json")]
        switch profile.clientAuthentication {
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
        }
        // Added last and under other names only: a catalog entry cannot replace what the grant rests on.
        for (name, value) in profile.tokenParameters where !members.contains(where: { $0.name == name }) {
            members.append((name, value))
        }
        if profile.tokenMethod == .post {
            let form = profile.tokenRequestFormat == .form
            headers.append(("Content-Type", form ? "application/x-www-form-urlencoded" : "application/json"))
        }
        for (name, value) in profile.tokenHeaders {
            headers.removeAll { $0.name.lowercased() == name.lowercased() }
            headers.append((name, value))
        }

        guard profile.tokenMethod == .post else {
            let separator = url.contains("?") ? "&" : "?"
            http = ProviderRequest(method: .get, url: url + separator + Percent.form(members), headers: headers)
            return
        }
        let body: [UInt8]
        switch profile.tokenRequestFormat {
        case .form:
            body = Array(Percent.form(members).utf8)
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.withoutEscapingSlashes]
            let object = Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first }
            guard let data = try? encoder.encode(object) else { return nil }
            body = Array(data)
        }
        http = ProviderRequest(method: .post, url: url, headers: headers, body: body)
    }
}
