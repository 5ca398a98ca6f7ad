import Secrets

/// Seals what a store keeps of a refresh so that it opens only with the refresh token that was sent, as the caller
/// brings it again. The master key is needed too, and never enough.
struct RefreshSeals: Sendable {
    let keyRing: KeyRing

    func seal(
        _ json: SecretBytes, of refresh: RefreshIdentity, under token: RefreshToken
    ) -> Sealed<RefreshAnswer> {
        keyRing.seal(json, as: Self.answer, context: refresh.digest.bytes, under: Self.secret(token))
    }

    func open(
        _ sealed: Sealed<RefreshAnswer>, of refresh: RefreshIdentity, under token: RefreshToken
    ) -> SecretBytes? {
        try? keyRing.open(sealed, as: Self.answer, context: refresh.digest.bytes, under: Self.secret(token))
    }

    func seal(
        _ failure: RefreshFailure, of refresh: RefreshIdentity, under token: RefreshToken
    ) -> Sealed<SharedRefreshFailure>? {
        failure.json.map {
            keyRing.seal($0, as: Self.failure, context: refresh.digest.bytes, under: Self.secret(token))
        }
    }

    func open(
        _ sealed: Sealed<SharedRefreshFailure>, of refresh: RefreshIdentity, under token: RefreshToken
    ) -> RefreshFailure? {
        (try? keyRing.open(sealed, as: Self.failure, context: refresh.digest.bytes, under: Self.secret(token)))
            .flatMap { RefreshFailure($0) }
    }

    private static let answer = Label("refresh-answer")
    private static let failure = Label("refresh-failure")

    private static func secret(_ token: RefreshToken) -> SecretBytes {
        token.expose { SecretBytes(Array($0.utf8)) }
    }
}
