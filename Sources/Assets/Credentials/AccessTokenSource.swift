public import Secrets

/// The credentials of one asset, fresh.
public protocol AccessTokenSource: Sendable {
    /// A token that ends in more than 60 s, or whose end nobody knows.
    func token() async throws(SourceFault) -> AccessToken

    /// A token in place of one that the source refused. Throws `.reauthorizationRequired` where there is none.
    func token(inPlaceOf refused: AccessToken) async throws(SourceFault) -> AccessToken
}
