import Assets
import Formats
import HTTPService

/// The body of `POST assets`, whose members have the right form. Whether they mean anything here is not looked at.
struct CreateBody {
    let sourceType: String
    let parameters: [String: JSONValue]
    let auth: GivenCredentials?
    let displayName: String?
    let embedding: GivenEmbedding
    let embeddingLlmConfigID: String?

    init(_ body: [String: JSONValue]) throws(Problem) {
        let members = BodyMembers(body)
        try members.refuse(BodyMembers.binding)
        guard let config = try members.object("config") else { throw members.missing("config") }
        guard let sourceType = try config.text("sourceType") else { throw config.missing("sourceType") }
        try config.refuse(BodyMembers.binding)
        self.sourceType = sourceType
        parameters = try config.object("parameters")?.all ?? [:]
        displayName = try members.displayName("name")
        embedding =
            try members.object("embedding").map { embedding throws(Problem) in try GivenEmbedding(embedding) }
            ?? GivenEmbedding()
        embeddingLlmConfigID = try members.text("embeddingLlmConfigId")
        auth = try members.auth
    }
}

extension BodyMembers {
    /// 1 to 200 characters.
    func displayName(_ name: String) throws(Problem) -> String? { try text(name, 1...200) }

    var auth: GivenCredentials? {
        get throws(Problem) {
            try object("auth").map { auth throws(Problem) in try GivenCredentials(auth) }
        }
    }
}
