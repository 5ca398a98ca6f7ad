import Formats
import Foundation

/// A flow's or client's parameters as one column of text.
package enum FlowParameters {
    package static func encode(_ parameters: [String: String]) -> String {
        if parameters.isEmpty { return "{}" }
        let json = JSONValue.object(parameters.mapValues { .string($0) })
        return (try? json.encoded()).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    package static func decode(_ text: String) -> [String: String]? {
        if text == "{}" { return [:] }
        return try? JSONValue(json: Array(text.utf8))?.decoded(as: [String: String].self)
    }
}
