package import Formats
import Foundation
import NIOCore

/// A request's body, read as JSON by our own reader, which a stranger's text cannot make slow.
package struct JSONBody {
    package let value: JSONValue
    private let text: ByteBuffer

    init(_ text: ByteBuffer) throws {
        do {
            value = try StrictJSON.value(Array(text.readableBytesView))
        } catch {
            throw Problem.invalidRequest(
                error == .memberRepeated ? "a member comes twice in one object" : "the body is not JSON in UTF-8")
        }
        self.text = text
    }

    /// The members of a body of which nothing is told but that it is no JSON object.
    package var members: [String: JSONValue] {
        get throws {
            guard case .object(let members) = value else {
                throw Problem.invalidRequest("the body must be a JSON object")
            }
            return members
        }
    }

    /// The body as a type of ours. What is wrong with it is named.
    package func decoded<Value: Decodable>(as _: Value.Type) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.readableBytesView))
        } catch let error as DecodingError {
            throw Problem.invalidRequest(Self.sentence(error))
        }
    }

    /// Names the member, never its value.
    private static func sentence(_ error: DecodingError) -> String {
        let place = { (path: [any CodingKey]) in
            path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context):
            return "the member \"\(place(context.codingPath + [key]))\" is missing"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            let wanted =
                switch type {
                case is String.Type: "text"
                case is any Collection.Type: "a list or an object"
                default: "another type"
                }
            if context.codingPath.isEmpty { return "the body must be a JSON object" }
            return "the member \"\(place(context.codingPath))\" must be \(wanted)"
        case .dataCorrupted: return "the body is not JSON in UTF-8"
        @unknown default: return "the body is not what this call takes"
        }
    }
}
