/// The redirect that ends an authorization request, and the behaviours that show in it.
struct AuthorizationResponse: Sendable {
    let redirectURI: String
    let state: String?
    let issuer: String
    var behaviours: Set<Behaviour> = []

    /// Text that becomes a script in a page that does not escape it.
    static let hostileDescription =
        #"<script>alert("sandbox")</script><img src=x onerror='alert(1)'>"# + " {{hostile}} \u{202E}txet\u{202C} & more"

    func location(code: String) -> String {
        var fields = FormFields(["code": code])
        append(to: &fields)
        return location(fields)
    }

    func location(_ error: OAuthError) -> String {
        var fields = FormFields(["error": error.code.rawValue, "error_description": error.description])
        append(to: &fields)
        return location(fields)
    }

    private func append(to fields: inout FormFields) {
        if let state { fields.append("state", state) }
        // RFC 9207 § 2: errors carry the issuer as well.
        if behaviours.contains(.wrongIssuer) {
            fields.append("iss", "https://other-provider.example")
        } else if !behaviours.contains(.noIssuer) {
            fields.append("iss", issuer)
        }
    }

    private func location(_ fields: FormFields) -> String {
        redirectURI + (redirectURI.contains("?") ? "&" : "?") + fields.encoded
    }
}
