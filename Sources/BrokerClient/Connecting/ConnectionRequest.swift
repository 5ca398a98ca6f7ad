import Formats

/// A wish to connect a source (`assets:authorize`).
public struct ConnectionRequest: Sendable {
    /// Such as `google_drive`.
    public var sourceType: String
    /// The values of the source type's parameters, such as a subdomain.
    public var parameters: [String: String]
    /// In place of the source type's own; `nil`: those.
    public var scopes: [String]?
    /// The address to which the browser returns, in place of a popup. Needs an `exchangeChallenge`.
    public var returnURL: String?
    /// The base64url SHA-256 of a verifier that only the one who redeems has (RFC 7636 § 4.2).
    public var exchangeChallenge: String?
    /// The only origin that the broker's pages will talk to; `nil`: the first of its configuration.
    public var frontendOrigin: String?

    /// Checks nothing; the broker does.
    public init(
        sourceType: String, parameters: [String: String] = [:], scopes: [String]? = nil, returnURL: String? = nil,
        exchangeChallenge: String? = nil, frontendOrigin: String? = nil
    ) {
        self.sourceType = sourceType
        self.parameters = parameters
        self.scopes = scopes
        self.returnURL = returnURL
        self.exchangeChallenge = exchangeChallenge
        self.frontendOrigin = frontendOrigin
    }

    var body: RequestBody {
        var body = RequestBody()
        body.add("sourceType", sourceType)
        body.add("parameters", parameters)
        if let scopes { body.add("scopes", scopes) }
        if let returnURL { body.add("returnUrl", returnURL) }
        if let exchangeChallenge { body.add("exchangeChallenge", exchangeChallenge) }
        if let frontendOrigin { body.add("frontendOrigin", frontendOrigin) }
        return body
    }
}
