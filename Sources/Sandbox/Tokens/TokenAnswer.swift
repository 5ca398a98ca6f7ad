import HTTPTypes
import Hummingbird
import NIOCore

/// A token response of RFC 6749 § 5.1, in the shape that the grant's behaviours want.
struct TokenAnswer {
    enum Member: Encodable {
        case text(String)
        case number(Int)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            }
        }

        var text: String {
            switch self {
            case .text(let text): text
            case .number(let number): String(number)
            }
        }
    }

    private var members: [String: Member]
    private let behaviours: Set<Behaviour>

    init(_ tokens: IssuedTokens) {
        behaviours = tokens.grant.behaviours
        members = [
            "access_token": .text(tokens.accessToken),
            "token_type": .text("Bearer"),
            "scope": .text(tokens.grant.scopes.joined(separator: " ")),
        ]
        if let refreshToken = tokens.refreshToken { members["refresh_token"] = .text(refreshToken) }
        let seconds = Grants.accessTokenSeconds
        if !behaviours.contains(.noExpiry) {
            members["expires_in"] = behaviours.contains(.expiresAsString) ? .text(String(seconds)) : .number(seconds)
        }
    }

    func response() throws -> Response {
        guard behaviours.contains(.formEncoded) else { return try .json(members) }
        var fields = FormFields()
        for (name, member) in members.sorted(by: { $0.key < $1.key }) { fields.append(name, member.text) }
        let headers: HTTPFields = [.contentType: "application/x-www-form-urlencoded", .cacheControl: "no-store"]
        return Response(
            status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: fields.encoded)))
    }
}
