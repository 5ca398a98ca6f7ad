import Formats
import NIOCore
import Secrets
import Testing

@testable import HTTPService

/// Requests bring keys, tokens and verifiers.
@Suite struct SecrecyTests {
    @Test func `a body and a query show nothing of their members`() throws {
        let body = try JSONBody(ByteBuffer(string: #"{"token":"hunter2"}"#))
        let query = QueryParameters("token=hunter2")
        for value in [body, query, [body], Optional(query) as Any] as [Any] {
            var shown = "\(value)" + String(reflecting: value)
            dump(value, to: &shown)
            #expect(!shown.contains("hunter2"))
        }
        #expect(try query["token"] == "hunter2")
    }

    private struct Body: Decodable {
        let token: SecretMember<Use.AccessToken>
        let other: SecretMember<Use.ClientSecret>?
    }

    @Test func `a member that is a secret is one as soon as it is read`() throws {
        let body = try JSONBody(ByteBuffer(string: #"{"token":"hunter2"}"#)).decoded(as: Body.self)
        var shown = "\(body)"
        dump(body, to: &shown)
        #expect(!shown.contains("hunter2"))
        #expect(body.token.secret.expose { $0 } == "hunter2")
        #expect(body.other == nil)
    }

    @Test(arguments: [
        ("{}", #"the member "token" is missing"#), (#"{"token":5}"#, #"the member "token" must be text"#),
    ])
    func `a secret that is missing or no text is told by its name`(_ body: String, _ detail: String) throws {
        let error = try #require(throws: Problem.self) {
            try JSONBody(ByteBuffer(string: body)).decoded(as: Body.self)
        }
        #expect(error.detail == detail)
    }
}
