package import Formats
package import Secrets

extension Use {
    /// The purpose of the secret below, as its type only.
    package enum RequestObject {}
}

/// An authorization request signed by the client (RFC 9101 § 4): the browser that carries it cannot change it.
/// A secret, since it holds `state`.
package typealias RequestObject = Secret<Use.RequestObject>

extension RequestObject {
    /// Signs the parameters of an authorization request. `nil` where one comes twice that must not, or where the
    /// algorithm is not the key's.
    ///
    /// - Parameter audience: the provider's issuer (RFC 9101 § 4).
    package static func make(
        _ parameters: [(name: String, value: String)], clientID: String, audience: String, key: JWSSigner,
        now: Timestamp, id: JSONValue = .randomID()
    ) -> RequestObject? {
        var claims: [String: JSONValue] = [:]
        // RFC 9101 § 4: neither may be inside.
        for (name, value) in parameters where name != "request" && name != "request_uri" {
            let value = json(value, of: name)
            switch (name, claims[name]) {
            // RFC 8707 § 2.1: the one parameter that may come again is an array then.
            case ("resource", .array(let values)?): claims[name] = .array(values + [value])
            case ("resource", let first?): claims[name] = .array([first, value])
            case (_, nil): claims[name] = value
            // RFC 6749 § 3.1.
            case (_, _?): return nil
            }
        }
        claims["client_id"] = .string(clientID)
        claims["iss"] = .string(clientID)
        claims["aud"] = .string(audience)
        claims["jti"] = id
        claims["iat"] = .seconds(now)
        // The browser takes it to the provider at once; a slow one gets some minutes.
        claims["exp"] = .seconds(now.adding(seconds: 300))
        // RFC 9101 § 10.8: the type keeps it from passing for a client assertion.
        return key.sign(type: "oauth-authz-req+jwt", claims: claims).map { RequestObject($0) }
    }

    /// RFC 9101 § 4: numbers and JSON are such, not text that holds them (OpenID Connect Core § 6.1, RFC 9396 § 2).
    private static func json(_ value: String, of name: String) -> JSONValue {
        switch name {
        case "max_age":
            if let seconds = Int64(value) { return .integer(seconds) }
        case "claims", "authorization_details":
            if let json = JSONValue(json: Array(value.utf8)) { return json }
        default: break
        }
        return .string(value)
    }
}
