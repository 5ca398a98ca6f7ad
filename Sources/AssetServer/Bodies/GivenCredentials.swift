import Assets
import BrokerClient
import Formats
import HTTPService
import Secrets

/// The member `auth`: the way to a source's credentials, or the credentials themselves.
enum GivenCredentials: Sendable {
    /// To be redeemed at the broker, which works once.
    case key(CredentialKey, ExchangeVerifier?)
    /// A token of the user's own, or what a redemption answered, whole or its tokens alone.
    ///
    /// - sourceType: as the redemption's answer names it.
    case tokens(AssetCredentials, sourceType: String?)

    init(_ members: BodyMembers) throws(Problem) {
        let (key, token) = (try members.key("credentialKey"), try members.token("accessToken"))
        switch (key, token) {
        case (let key?, nil):
            self = .key(CredentialKey(key), try members.token("exchangeVerifier").map { ExchangeVerifier($0) })
        case (nil, let token?):
            let credentials = AssetCredentials(
                accessToken: AccessToken(token),
                refreshToken: try members.token("refreshToken").map { RefreshToken($0) },
                expiresAt: try members.moment("expiresAt"))
            self = .tokens(credentials, sourceType: try members.text("sourceType"))
        case (nil, nil), (_?, _?):
            throw .invalidRequest(
                "\"auth\" must have a \"credentialKey\", or else an \"accessToken\"")
        }
    }
}

extension BodyMembers {
    /// RFC 6749 appendix A.12 and A.17: a token is visible ASCII. An empty one is none.
    fileprivate func token(_ name: String) throws(Problem) -> String? {
        guard let value = try value(name) else { return nil }
        guard let text = value.string, (1...16_384).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F })
        else { throw .invalidRequest("the member \"\(path(name))\" must be 1 to 16384 visible characters") }
        return text
    }

    /// One answer for every kind of bad key: the broker would say the same of one that cannot be a key at all.
    fileprivate func key(_ name: String) throws(Problem) -> String? {
        guard let text = try value(name)?.string, !text.isEmpty else { return try token(name) }
        guard text.utf8.count <= 16_384, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw BrokerError.invalidCredentialKey.problem
        }
        return text
    }

    /// Milliseconds since 1970, up to the year 9999.
    fileprivate func moment(_ name: String) throws(Problem) -> Timestamp? {
        try number(name, 0...253_402_300_799_999).map { Timestamp(milliseconds: Int64($0)) }
    }
}
