package import Formats
import NIOCore
package import Secrets

/// A request's body, read as JSON by our own reader, which a stranger's text cannot make slow.
///
/// It may hold a key or a token, so it prints as its type alone.
package struct JSONBody: Redacted {
    /// Any JSON value; no object in it has a member twice.
    package let value: JSONValue

    init(_ text: ByteBuffer) throws { try self.init(Array(text.readableBytesView)) }

    /// Throws `invalid_request` where `text` is not one JSON value in UTF-8, or some object has a member twice.
    package init(_ text: [UInt8]) throws {
        do {
            value = try StrictJSON.value(text)
        } catch {
            throw Problem.invalidRequest(
                error == .memberRepeated ? "a member comes twice in one object" : "the body is not JSON in UTF-8")
        }
    }

    /// The members of a body that is an object; throws `invalid_request` where it is none. Their types are not looked
    /// at.
    package var members: [String: JSONValue] {
        get throws {
            guard case .object(let members) = value else {
                throw Problem.invalidRequest("the body must be a JSON object")
            }
            return members
        }
    }

    /// The body as a type of ours. Throws `invalid_request`, which names the member that is missing or of another type.
    package func decoded<Value: Decodable>(as _: Value.Type) throws -> Value {
        do {
            return try value.decoded(as: Value.self)
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

/// A member of a body that is a secret from the moment on at which it is read.
package struct SecretMember<Use>: Decodable, Sendable {
    /// The member's text.
    package let secret: Secret<Use>

    package init(from decoder: any Decoder) throws {
        secret = Secret(try decoder.singleValueContainer().decode(String.self))
    }
}
