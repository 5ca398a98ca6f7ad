import Catalog
import Formats
import JOSE
import Logging
import Secrets
import Testing
import Transport

@testable import Broker

/// The values in which secrets travel through the broker print, dump, mirror and log as if there were none.
@Suite struct SecrecyTests {
    private static let secret = "hunter2"

    private let client = Client(id: "client-1", secret: ClientSecret(Self.secret))

    private func provider(_ oauth: String = "") throws -> Provider {
        Provider(try Entry.profile(oauth), values: [:], metadata: nil, now: TestTime.now)
    }

    private func endpoint(_ oauth: String = "") throws -> TokenEndpoint {
        TokenEndpoint(
            "https://example.com/token", of: try provider(oauth), as: client, redirectURI: "https://broker.example/cb",
            scopes: ["read"])
    }

    private var parameters: RequestParameters {
        var parameters = RequestParameters([("grant_type", "authorization_code")])
        parameters.append("code", AuthorizationCode(Self.secret))
        parameters.append("code_verifier", CodeVerifier(Self.secret))
        parameters.append("refresh_token", RefreshToken(Self.secret))
        parameters.append("client_secret", ClientSecret(Self.secret))
        parameters.append("client_assertion", ClientAssertion(Self.secret))
        return parameters
    }

    @Test func `a parameter that is a secret shows its name alone`() {
        expectHidden(parameters)
        #expect("\(parameters)".contains("code_verifier") && "\(parameters)".contains("[redacted]"))
        #expect("\(parameters)".contains("authorization_code"))
        #expect(parameters.expose { Percent.form($0) }.hasSuffix("&client_secret=hunter2&client_assertion=hunter2"))
    }

    @Test func `a parameter that the catalog fills shows nothing of what it is filled with`() throws {
        let own = [(name: "proof", value: ValueTemplate("{clientSecret}.{accessToken}") as ValueTemplate?)]
        var values = try endpoint().placeholders
        values.set("accessToken", to: AccessToken(Self.secret))
        var parameters = RequestParameters()
        parameters.add(own, filledWith: values)
        expectHidden(values)
        expectHidden(parameters)
        #expect(parameters.expose { $0.map(\.value) } == ["hunter2.hunter2"])
    }

    @Test(arguments: ["basic", "post"])
    func `a request that is put together shows no client secret, no token and no code`(_ method: String) throws {
        let profile = try provider("clientAuthentication: \(method)").profile
        var request = FormRequest(
            url: "https://example.com/revoke/hunter2", parameters: parameters)
        request.authenticate(
            as: client, by: profile.clientAuthentication, at: ProofContext(audience: nil, now: TestTime.now))
        request.set(header: "X-Token", "Bearer hunter2")
        expectHidden(request)
        expectHidden(request.http)
    }

    @Test func `a token endpoint and a grant show no client secret, no code and no key`() throws {
        expectHidden(try endpoint("dpop: true"))
        expectHidden(
            TokenRequest.Grant.authorizationCode(
                AuthorizationCode(Self.secret), state: State(Self.secret), verifier: CodeVerifier(Self.secret)))
        expectHidden(TokenRequest.Grant.refreshToken(RefreshToken(Self.secret), isNarrowed: false))
    }

    @Test func `a token response shows nothing of its document`() throws {
        let tokens = try tokens()
        expectHidden(tokens)
        #expect(tokens.document.expose { JSONPointer.member("other").value(in: $0) } == .string(Self.secret))
    }

    @Test func `credentials show no extra, not even the key that the tokens are bound to`() throws {
        let profile = try Entry.profile("extras: { token: { other: /other } }")
        var credentials = profile.credentials(try tokens(), callback: nil, asked: [], told: [:])
        let key = SigningKey.makeP256()
        credentials.add(.kept(KeptExtras()), dpopKey: key)
        #expect(credentials.extras.keys.sorted() == ["dpopKey", "other"])
        expectHidden(credentials)
        let json = try #require(key.exposedPrivateJWK?.expose { JSONValue(json: $0) })
        let number = try #require(JSONPointer.member("d").value(in: json)?.string)
        expectHidden(credentials, text: number)
    }

    @Test func `an authorization address shows nothing of its query`() {
        let parameters = RequestParameters([("state", Self.secret), ("nonce", Self.secret)])
        for endpoint in ["https://example.com/authorize", "https://example.com/authorize?key=hunter2"] {
            let url = AuthorizationURL(endpoint, parameters: parameters)
            expectHidden(url)
            expectHidden(
                Authorization(
                    url: url, flow: FlowID(of: State(Self.secret)), expiresAt: TestTime.now, cutsOpener: false))
            #expect("\(url)" == "https://example.com/authorize?[redacted]")
            #expect(url.expose { $0 }.hasSuffix("state=hunter2&nonce=hunter2"))
        }
    }

    @Test func `a callback shows nothing of its parameters`() throws {
        let request = CallbackRequest("code=hunter2&state=hunter2&error=hunter2".utf8, at: .legacy)
        expectHidden(request)
        expectHidden(request.hidden)
        expectHidden(request.repetition ?? request.withoutState)
    }

    @Test func `a signed token and its claims show nothing`() throws {
        let claims = Base64URL.encode(Array(#"{"sub":"hunter2"}"#.utf8))
        let signed = try JSONWebSignature("\(Base64URL.encode(Array(#"{"alg":"HS256"}"#.utf8))).\(claims).aHVudGVyMg")
        expectHidden(signed, text: claims)
        expectHidden(signed)
        expectHidden(signed, text: "104, 117")
    }

    private func tokens() throws -> TokenResponse {
        let body = #"{"access_token":"hunter2","refresh_token":"hunter2","id_token":"hunter2","other":"hunter2"}"#
        return try TokenResponse(
            ProviderResponse(status: 200, body: Array(body.utf8)), shape: try Entry.profile().response,
            now: TestTime.now)
    }

    /// Looks at all ways in which a value may come to be read: also through what holds it.
    private func expectHidden<Value>(
        _ value: Value, text: String = Self.secret, location: SourceLocation = #_sourceLocation
    ) {
        let lines = Lines()
        var logger = Logger(label: "test") { _ in lines }
        logger.logLevel = .trace
        for holder in [value, [value], Optional(value) as Any, ["name": value]] as [Any] {
            var shown = "\(holder)" + String(reflecting: holder)
            print(holder, to: &shown)
            dump(holder, to: &shown)
            logger.error("failed with \(holder)", metadata: ["value": "\(holder)", "list": ["\(holder)"]])
            #expect(!shown.contains(text), sourceLocation: location)
        }
        #expect(!lines.text.contains(text), sourceLocation: location)
        #expect(lines.text.contains("failed with"), sourceLocation: location)
    }
}

/// A log kept in memory.
private final class Lines: LogHandler {
    private let written = Locked("")
    var metadata: Logger.Metadata {
        get { [:] }
        set { _ = newValue }
    }
    var logLevel: Logger.Level {
        get { .trace }
        set { _ = newValue }
    }

    var text: String { written.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set { _ = newValue }
    }

    func log(event: LogEvent) {
        written.withLock { $0 += "\(event.message) \(event.metadata ?? [:])\n" }
    }
}
