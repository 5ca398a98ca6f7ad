import Assets
import Formats
import HTTPService
import Secrets
import Testing

@testable import AssetServer

/// Bodies of requests, before anything is done by them.
@Suite struct BodyTests {
    static let catalog = AssetCatalog(
        sourceTypes: [], supportedTypes: [],
        models: [
            EmbeddingModel(
                name: .init(provider: "openai", model: "small"), dimensions: 3, description: "",
                pricePerMillionTokens: 2)
        ], chunkSize: 512, chunkOverlap: 64)

    private static func members(_ json: String) throws -> [String: JSONValue] {
        try StrictJSON.object(Array(json.utf8))
    }

    private static func create(_ json: String) throws -> CreateBody { try CreateBody(try members(json)) }

    private static func code(_ read: () throws -> some Any) -> String? {
        do {
            _ = try read()
            return nil
        } catch { return (error as? Problem)?.code }
    }

    // MARK: creating

    @Test func `a body has what its maker wants`() throws {
        let body = try Self.create(
            """
            {"config": {"sourceType": "drive", "parameters": {"folderId": "x", "deep": true}}, "name": "N",
             "auth": {"accessToken": "t", "refreshToken": "r", "expiresAt": 1790000000000, "scope": null},
             "embedding": {"provider": "openai", "model": "small", "chunkSize": 100}, "embeddingLlmConfigId": "l",
             "webhook": {"url": "x"}, "budget": null}
            """)
        #expect(body.sourceType == "drive")
        #expect(body.parameters == ["folderId": .string("x"), "deep": .bool(true)])
        #expect(body.displayName == "N")
        #expect(body.embeddingLlmConfigID == "l")
        #expect(body.embedding.model == .init(provider: "openai", model: "small"))
        guard case .tokens(let credentials, nil)? = body.auth else {
            Issue.record("no tokens")
            return
        }
        #expect(credentials.accessToken.matches(AccessToken("t")))
        #expect(credentials.refreshToken?.matches(RefreshToken("r")) == true)
        #expect(credentials.expiresAt == Timestamp(milliseconds: 1_790_000_000_000))
    }

    @Test(arguments: [
        #"{}"#, #"{"config": 5}"#, #"{"config": null}"#, #"{"config": {}}"#, #"{"config": {"sourceType": 5}}"#,
        #"{"config": {"sourceType": ""}}"#, #"{"config": {"sourceType": "x", "parameters": []}}"#,
        #"{"config": {"sourceType": "x"}, "name": ""}"#, #"{"config": {"sourceType": "x"}, "name": 5}"#,
        #"{"config": {"sourceType": "x"}, "auth": "key"}"#, #"{"config": {"sourceType": "x"}, "auth": {}}"#,
        #"{"config": {"sourceType": "x"}, "auth": {"credentialKey": ""}}"#,
        #"{"config": {"sourceType": "x"}, "auth": {"refreshToken": "r"}}"#,
        #"{"config": {"sourceType": "x"}, "auth": {"accessToken": "a", "credentialKey": "k"}}"#,
        #"{"config": {"sourceType": "x"}, "auth": {"accessToken": "a\nb"}}"#,
        #"{"config": {"sourceType": "x"}, "auth": {"accessToken": "a", "expiresAt": "soon"}}"#,
        #"{"config": {"sourceType": "x"}, "auth": {"accessToken": "a", "expiresAt": 1.5}}"#,
        #"{"config": {"sourceType": "x"}, "embedding": "small"}"#,
        #"{"config": {"sourceType": "x"}, "embedding": {"provider": "openai"}}"#,
        #"{"config": {"sourceType": "x"}, "embedding": {"model": "small"}}"#,
        #"{"config": {"sourceType": "x"}, "embedding": {"chunkSize": 15}}"#,
        #"{"config": {"sourceType": "x"}, "embedding": {"chunkSize": 8193}}"#,
        #"{"config": {"sourceType": "x"}, "embedding": {"chunkSize": "64"}}"#,
        #"{"config": {"sourceType": "x"}, "embedding": {"chunkSize": 64, "chunkOverlap": -1}}"#,
    ])
    func `a member of another form is refused`(_ json: String) {
        #expect(Self.code { try Self.create(json) } == "invalid_request")
    }

    /// A limit that is ignored would cost money.
    @Test(arguments: ["budget", "currencyBudget", "autoUpdate"], ["0", "false", "{}", "\"daily\""])
    func `a setting that would bind the service is refused`(_ name: String, _ value: String) {
        let body = #"{"config": {"sourceType": "x"}, "\#(name)": \#(value)}"#
        #expect(Self.code { try Self.create(body) } == "unsupported_setting")
    }

    @Test func `a name has 200 characters at most`() throws {
        let body = { (count: Int) in
            #"{"config": {"sourceType": "x"}, "name": "\#(String(repeating: "é", count: count))"}"#
        }
        #expect(try Self.create(body(200)).displayName?.unicodeScalars.count == 200)
        #expect(Self.code { try Self.create(body(201)) } == "invalid_request")
    }

    @Test func `what a redemption answered is taken whole`() throws {
        let body = try Self.create(
            """
            {"config": {"sourceType": "x"}, "auth": {"accessToken": "a", "refreshToken": null, "tokenType": "Bearer",
             "expiresAt": null, "scope": null, "sourceType": "drive", "idToken": null, "extras": {}, "warnings": []}}
            """)
        guard case .tokens(let credentials, "drive")? = body.auth else {
            Issue.record("no tokens")
            return
        }
        #expect(credentials.refreshToken == nil && credentials.expiresAt == nil)
    }

    // MARK: embedding

    private static func settings(_ json: String) throws -> EmbeddingSettings {
        try GivenEmbedding(BodyMembers(try members(json))).settings(by: catalog)
    }

    @Test func `what is not chosen is the configuration's`() throws {
        #expect(
            try Self.settings("{}") == EmbeddingSettings(model: nil, chunkSize: 512, chunkOverlap: 64))
        #expect(
            try Self.settings(#"{"chunkSize": 100, "chunkOverlap": 49}"#)
                == EmbeddingSettings(model: nil, chunkSize: 100, chunkOverlap: 49))
    }

    @Test func `the usual overlap shrinks with chunks for which nobody chose it`() throws {
        #expect(try Self.settings(#"{"chunkSize": 64}"#).chunkOverlap == 31)
        #expect(try Self.settings(#"{"chunkSize": 16}"#).chunkOverlap == 7)
    }

    @Test(arguments: [#"{"chunkSize": 64, "chunkOverlap": 32}"#, #"{"chunkOverlap": 256}"#])
    func `chunks share less than half of themselves`(_ json: String) {
        #expect(Self.code { try Self.settings(json) } == "invalid_request")
    }

    @Test(arguments: [#"{"provider": "openai", "model": "other"}"#, #"{"provider": "OpenAI", "model": "small"}"#])
    func `a model is one of the configured ones`(_ json: String) {
        #expect(Self.code { try Self.settings(json) } == "unknown_embedding_model")
    }

    // MARK: uploads

    private static func payload(_ json: String?) throws -> UploadPayload {
        try UploadPayload(json.map { Array($0.utf8) })
    }

    @Test(arguments: [
        #"{"Vectorize": true, "EmbeddingConfig": {"Provider": "openai", "Model": "small"}, "EmbeddingLlmConfigId": "l", "Name": "N"}"#,
        #"{"vectorize": true, "embeddingConfig": {"provider": "openai", "model": "small"}, "embeddingLlmConfigId": "l", "name": "N"}"#,
        #"{"VECTORIZE": true, "EMBEDDINGCONFIG": {"PROVIDER": "openai", "mODEL": "small"}, "embeddingllmconfigid": "l", "NAME": "N"}"#,
    ])
    func `a payload's names are read without regard to case`(_ json: String) throws {
        let payload = try Self.payload(json)
        #expect(payload.embedding.model == .init(provider: "openai", model: "small"))
        #expect(payload.embeddingLlmConfigID == "l")
        #expect(payload.displayName == "N")
    }

    @Test(arguments: [nil, "{}", #"{"Vectorize": false}"#, #"{"Vectorize": null, "EmbeddingConfig": null}"#])
    func `a file is not embedded unless its sender says so`(_ json: String?) throws {
        #expect(try Self.payload(json).embedding.model == nil)
    }

    @Test func `a file that is not embedded is cut as its sender says`() throws {
        let json = #"{"Vectorize": false, "EmbeddingConfig": {"Provider": "x", "Model": "y", "ChunkSize": 99}}"#
        let settings = try Self.payload(json).embedding.settings(by: Self.catalog)
        #expect(settings == EmbeddingSettings(model: nil, chunkSize: 99, chunkOverlap: 49))
    }

    @Test(arguments: [
        "", "x", "[]", "null", #"{"Vectorize": "true"}"#, #"{"Vectorize": true}"#,
        #"{"Vectorize": true, "EmbeddingConfig": {}}"#,
        #"{"Vectorize": true, "EmbeddingConfig": {"Provider": "openai"}}"#,
        #"{"Name": "a", "name": "b"}"#, #"{"Name": "a", "Name": "b"}"#, #"{"EmbeddingConfig": []}"#,
    ])
    func `a payload of another form is refused`(_ json: String) {
        #expect(Self.code { try Self.payload(json) } == "invalid_request")
    }

    @Test func `a payload that would bind the service is refused`() {
        #expect(Self.code { try Self.payload(#"{"Budget": 5}"#) } == "unsupported_setting")
    }

    // MARK: refreshing and changing

    private static let id = "0b8f6a52-6b0e-4d6c-9d5f-3a1f6f1f2c11"

    @Test func `a refresh names each document once`() throws {
        let body = try RefreshBody(try Self.members(#"{"documentIds": ["\#(Self.id)", "\#(Self.id)"], "force": true}"#))
        #expect(body.documents?.map(\.description) == [Self.id])
        #expect(body.isForced)
        #expect(try RefreshBody([:]).documents == nil)
    }

    @Test(arguments: [
        (#"{"documentIds": []}"#, "invalid_request"), (#"{"documentIds": "x"}"#, "invalid_request"),
        (#"{"documentIds": [5]}"#, "invalid_request"), (#"{"force": "true"}"#, "invalid_request"),
        (#"{"documentIds": ["x"]}"#, "unknown_document"),
        (#"{"documentIds": ["0B8F6A52-6B0E-4D6C-9D5F-3A1F6F1F2C11"]}"#, "unknown_document"),
        (#"{"budget": 5}"#, "unsupported_setting"),
    ])
    func `a refresh of another form is refused`(_ json: String, _ code: String) {
        #expect(Self.code { try RefreshBody(try Self.members(json)) } == code)
    }

    @Test(arguments: ["name", "config", "embedding", "embeddingLlmConfigId", "budget", "currencyBudget", "autoUpdate"])
    func `what was chosen at the beginning cannot be changed`(_ name: String) throws {
        #expect(Self.code { try ChangeBody(try Self.members(#"{"\#(name)": {}}"#)) } == "unsupported_setting")
        #expect(try ChangeBody(try Self.members(#"{"\#(name)": null, "displayName": "N"}"#)).displayName == "N")
    }
}
