import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Sandbox

let providerURL = "http://provider.test"
let callback = "http://broker.test/oauth/callback"

/// A browser and a client in one, talking to a provider in process.
struct Visitor: Sendable {
    static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    let client: any TestClientProtocol

    /// Runs a conversation with a new provider that knows one confidential and one public client.
    static func visiting(
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        delays: SandboxProvider.Delays = .init(slow: .milliseconds(40), verySlow: .milliseconds(90)),
        _ conversation: @escaping @Sendable (Visitor) async throws -> Void
    ) async throws {
        let clients: [SandboxProvider.Client] = [
            .init(id: "broker", secret: "s3cret :%+ü", redirectURIs: [callback], name: "The <Broker>"),
            .init(id: "other", secret: "other", redirectURIs: ["http://other.test/back?kept=1"]),
            .init(id: "public", secret: nil, redirectURIs: [callback]),
        ]
        let provider = SandboxProvider(clients: clients, baseURL: providerURL, delays: delays, now: now)
        try await Application(router: provider.router()).test(.router) { try await conversation(Visitor(client: $0)) }
    }

    /// A good authorization request, with some members replaced, or left out where the value is `nil`.
    static func request(_ changes: KeyValuePairs<String, String?> = [:]) -> FormFields {
        request(changes.map { ($0.key, $0.value) })
    }

    private static func request(_ changes: [(name: String, value: String?)]) -> FormFields {
        let members: KeyValuePairs = [
            "response_type": "code", "client_id": "broker", "redirect_uri": callback, "state": "st&te=",
            "scope": "files.read profile offline", "code_challenge": challenge, "code_challenge_method": "S256",
        ]
        var fields = FormFields()
        for (name, value) in members where !changes.contains(where: { $0.name == name }) { fields.append(name, value) }
        for (name, value) in changes { if let value { fields.append(name, value) } }
        return fields
    }

    func authorize(
        _ changes: KeyValuePairs<String, String?> = [:], path: String = "/authorize", cookie: String? = nil
    ) async throws -> TestResponse {
        let headers: HTTPFields = cookie.map { [.cookie: $0] } ?? [:]
        return try await client.execute(
            uri: "\(path)?\(Self.request(changes).encoded)", method: .get, headers: headers)
    }

    /// A code, by the scripted way.
    func code(_ behaviours: Behaviour..., also changes: KeyValuePairs<String, String?> = [:]) async throws -> String {
        let script: [(String, String?)] = [
            ("sandbox_auto", "allow"), ("sandbox_behaviour", behaviours.map(\.rawValue).joined(separator: ",")),
        ]
        let query = Self.request(changes.map { ($0.key, $0.value) } + script)
        let response = try await client.execute(uri: "/authorize?\(query.encoded)", method: .get)
        return try #require(response.sentBack["code"])
    }

    func post(_ path: String, _ form: FormFields, headers: HTTPFields = [:]) async throws -> TestResponse {
        var headers = headers
        headers[.contentType] = "application/x-www-form-urlencoded"
        return try await client.execute(
            uri: path, method: .post, headers: headers, body: ByteBuffer(string: form.encoded))
    }

    func exchange(
        _ code: String, verifier: String? = Visitor.verifier, redirectURI: String = callback,
        authorization: String? = Visitor.basic()
    ) async throws -> TestResponse {
        var form = FormFields(["grant_type": "authorization_code", "code": code, "redirect_uri": redirectURI])
        if let verifier { form.append("code_verifier", verifier) }
        return try await post("/token", form, headers: authorization.map { [.authorization: $0] } ?? [:])
    }

    func refresh(_ token: String) async throws -> TestResponse {
        let form = FormFields(["grant_type": "refresh_token", "refresh_token": token])
        return try await post("/token", form, headers: [.authorization: Self.basic()])
    }

    func me(_ accessToken: String) async throws -> TestResponse {
        try await client.execute(uri: "/api/me", method: .get, headers: [.authorization: "Bearer \(accessToken)"])
    }

    /// RFC 6749 § 2.3.1: form-encoded first, then base64.
    static func basic(_ id: String = "broker", _ secret: String = "s3cret :%+ü") -> String {
        "Basic " + Data("\(FormFields.encode(id)):\(FormFields.encode(secret))".utf8).base64EncodedString()
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }

    /// The members of the address that the visitor is sent back to.
    var sentBack: FormFields {
        FormFields(decoding: headers[.location]?.split(separator: "?", maxSplits: 1).last ?? "")
    }

    /// A member of a JSON object, as text.
    func member(_ name: String) throws -> String? {
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return object?[name].map { "\($0)" }
    }

    var cookie: String? { headers[.setCookie]?.split(separator: ";").first.map(String.init) }

    /// The value of a hidden field on a page.
    func hidden(_ name: String) throws -> String {
        let start = try #require(text.range(of: "name=\"\(name)\" value=\""))
        let value = text[start.upperBound...].prefix { $0 != "\"" }
        return value.replacingOccurrences(of: "&amp;", with: "&")
    }
}
