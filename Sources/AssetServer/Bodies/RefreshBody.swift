import Assets
import Formats
import HTTPService

/// The body of `POST assets/{asset}:refresh`, which may be missing.
struct RefreshBody {
    /// `nil`: all.
    let documents: [DocumentID]?
    /// Nothing is skipped.
    let isForced: Bool

    /// Throws `unknown_document` for an id that is none: it is nobody's.
    init(_ body: [String: JSONValue]) throws(Problem) {
        let members = BodyMembers(body)
        try members.refuse(BodyMembers.binding)
        isForced = try members.flag("force") ?? false
        guard let value = try members.value("documentIds") else {
            documents = nil
            return
        }
        guard case .array(let values) = value, !values.isEmpty else {
            throw .invalidRequest("the member \"documentIds\" must be a list of ids that is not empty")
        }
        var documents: [DocumentID] = []
        var known: Set<DocumentID> = []
        for value in values {
            guard let text = value.string else {
                throw .invalidRequest("the member \"documentIds\" must be a list of ids")
            }
            guard let id = DocumentID(text) else { throw .unknownDocument }
            if known.insert(id).inserted { documents.append(id) }
        }
        self.documents = documents
    }
}
