import Broker
import Foundation
import Secrets
import Testing

/// Secrets that must not be in the database files, at any moment of a flow.
@Suite struct SecrecyTests {
    private static let verifier = "an-exchange-verifier-that-is-long-enough-for-it"
    private let installation: Installation

    init() throws {
        installation = try Installation()
    }

    @Test func `no secret of a flow is in the bytes of the files`() async throws {
        let begun = try await installation.begin(verifier: Self.verifier)
        try await expectNone(of: [begun.state, Self.verifier])

        let cookie = try await installation.cookie(of: begun, verifier: Self.verifier)
        let result = await installation.callback("code=code-hunter2&state=\(begun.state)", cookie: cookie)
        let key = try #require(result.key).expose { $0 }
        let codeVerifier = try #require(await installation.provider.form["code_verifier"])
        let outcomeSecret = Base64URL.encode(Array(try #require(Base64URL.decode(cookie.expose { $0 })).prefix(32)))
        let secrets = [
            begun.state, Self.verifier, key, codeVerifier, cookie.expose { $0 }, outcomeSecret, "code-hunter2",
            "client-hunter2",
            "access-hunter2", "refresh-hunter2", "id-hunter2",
        ]
        #expect(try await installation.store.outcome(of: begun.flow)?.key != nil)
        try await expectNone(of: secrets)

        #expect(
            try await installation.redeem(#require(result.key), verifier: Self.verifier)?.contains("access-hunter2")
                == true)
        try await expectNone(of: secrets)

        await installation.store.close()
        try await expectNone(of: secrets)
    }

    @Test func `no secret of a flow that failed is in the bytes of the files`() async throws {
        await installation.provider.answers(
            #"{"error":"The code code-hunter2 was used","error_description":"access-hunter2"}"#, status: 400)
        let begun = try await installation.begin(verifier: Self.verifier)
        _ = await installation.callback("code=code-hunter2&state=\(begun.state)")
        try await expectNone(of: [begun.state, Self.verifier, "hunter2"])
    }

    @Test func `no event shows a secret`() async throws {
        let (begun, key) = try await installation.connect(verifier: Self.verifier)
        _ = try await installation.redeem(key, verifier: Self.verifier)
        _ = try await installation.redeem(key, verifier: Self.verifier)
        for event in installation.events.all {
            var shown = "\(event)"
            dump(event, to: &shown)
            for secret in [begun.state, Self.verifier, key.expose { $0 }, "hunter2"] {
                #expect(!shown.contains(secret))
            }
        }
    }

    /// Looked for as text and, where it is base64url, as the bytes that it stands for.
    private func expectNone(of secrets: [String], location: SourceLocation = #_sourceLocation) async throws {
        let contents = try installation.folder.contents()
        // The search would find what is there: every flow has its tenant in the clear.
        #expect(contents.values.contains { $0.range(of: Data("acme".utf8)) != nil }, sourceLocation: location)
        for (name, data) in contents {
            for secret in secrets {
                #expect(data.range(of: Data(secret.utf8)) == nil, "in \(name)", sourceLocation: location)
                let encoded = secret.hasPrefix("ckr_") ? secret.dropFirst(4) : secret[...]
                if encoded.utf8.count == 43, let bytes = Base64URL.decode(encoded) {
                    #expect(data.range(of: Data(bytes)) == nil, "in \(name), decoded", sourceLocation: location)
                }
            }
        }
    }
}
