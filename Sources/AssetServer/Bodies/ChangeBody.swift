import Formats
import HTTPService

/// The body of `PATCH assets/{asset}`. What stays as it is, is absent or `null`.
struct ChangeBody {
    let displayName: String?
    let auth: GivenCredentials?

    init(_ body: [String: JSONValue]) throws(Problem) {
        let members = BodyMembers(body)
        try members.refuse(BodyMembers.binding + ["name", "config", "embedding", "embeddingLlmConfigId"])
        displayName = try members.displayName("displayName")
        auth = try members.auth
    }
}
