import Assets
import Formats
import HTTPService

/// The part `Payload` of an upload, which may be missing. Names are read without regard to case.
struct UploadPayload {
    /// Without a model where the file is not to be embedded.
    let embedding: GivenEmbedding
    let embeddingLlmConfigID: String?
    let displayName: String?

    /// - Parameter json: `nil` where the part is missing.
    init(_ json: [UInt8]?) throws(Problem) {
        let members = BodyMembers(try Self.object(json), ignoringCase: true)
        try members.refuse(BodyMembers.binding)
        displayName = try members.displayName("Name")
        embeddingLlmConfigID = try members.text("EmbeddingLlmConfigId")
        let vectorize = try members.flag("Vectorize") ?? false
        var embedding = try members.object("EmbeddingConfig").map { config throws(Problem) in
            try GivenEmbedding(config)
        }
        if vectorize, embedding?.model == nil {
            throw .invalidRequest("\"Vectorize\" needs an \"EmbeddingConfig\" with a provider and a model")
        }
        if !vectorize { embedding?.model = nil }
        self.embedding = embedding ?? GivenEmbedding()
    }

    private static func object(_ json: [UInt8]?) throws(Problem) -> [String: JSONValue] {
        guard let json else { return [:] }
        do {
            return try StrictJSON.object(json)
        } catch {
            throw .invalidRequest(
                error == .memberRepeated
                    ? "a member of the part \"Payload\" comes twice in one object"
                    : "the part \"Payload\" must be a JSON object in UTF-8")
        }
    }
}
