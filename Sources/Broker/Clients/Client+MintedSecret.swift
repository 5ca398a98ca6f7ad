import Catalog
import Formats
import JOSE
import Secrets

extension Client {
    /// This client with a secret that its key made: good for the requests of a few minutes. As it is where it has no
    /// key, which the configuration would have refused.
    func minting(_ minted: OAuthProfile.MintedSecret, now: Timestamp) -> Client {
        guard let key, let issuer = minted.issuer.filled(with: parameters),
            let secret = MintedSecret.make(
                issuer: issuer, clientID: id, audience: minted.audience, key: key, now: now)
        else { return self }
        return with(secret: secret)
    }
}
