#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The parameters of a token request, from wherever it carries them.
struct RequestParameters {
    /// `form`, `json`, `query`; `nil` where the body is something else.
    let format: String?
    let fields: FormFields
    /// The query's parameters, where the others are in the body.
    let inAddress: FormFields

    init(_ request: SimulatedRequest) {
        let type = request.header("Content-Type")?.lowercased() ?? ""
        if request.method == "GET" || request.body.isEmpty {
            format = "query"
            fields = request.query
            inAddress = FormFields()
        } else if type.hasPrefix("application/x-www-form-urlencoded") {
            format = "form"
            fields = FormFields(decoding: String(decoding: request.body, as: UTF8.self))
            inAddress = request.query
        } else if type.hasPrefix("application/json"),
            case .object(let members)? = try? JSONDecoder().decode(JSON.self, from: Data(request.body))
        {
            format = "json"
            var fields = FormFields()
            for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                if let text = value.text { fields.append(name, text) }
            }
            self.fields = fields
            inAddress = request.query
        } else {
            format = nil
            fields = FormFields()
            inAddress = request.query
        }
    }

    subscript(name: String) -> String? { fields[name] }

    var all: [FormFields.Pair] { fields.pairs + inAddress.pairs }
}
