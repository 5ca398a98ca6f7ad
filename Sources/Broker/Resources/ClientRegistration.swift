import Catalog
import Formats
import Secrets
import Transport

/// The broker as a client that it became by itself at an authorization server, by registration (RFC 7591 § 3.2.1) or by
/// a document of its own, before it is sealed.
public struct ClientRegistration: Sendable {
    var approach = ClientApproach.dynamicRegistration
    let id: String
    let secret: ClientSecret?
    let authentication: OAuthProfile.ClientAuthentication
    /// The moment from which it is made anew for flows that begin; `nil`: the secret does not expire, or there is none.
    let renewsAt: Timestamp?
    /// The scopes that were asked for. Some servers take no others of it. `nil`: it was kept before they were.
    var scopes: [String]? = []
    /// The one origin that its tokens may be sent to (`ProviderMetadata.boundTokenOrigin`); `nil`: whichever the metadata
    /// names.
    var tokenOrigin: Origin?
    /// The first time that the server said that it does not know it, and has not taken it since.
    var refusedAt: Timestamp?
    /// True if the server does not know it any more. It serves on for its tokens until another one is made.
    var isLost = false

    /// A refusal may pass, many come in one moment where many tokens are refreshed, and all tenants' grants hang on it: it
    /// counts where it is still so after this many seconds.
    static let refusalSeconds: Int64 = 10

    /// The one address that its callbacks come to, and the issuer that it is registered at.
    struct Place: Hashable, Sendable {
        let issuer: String
        let redirectURI: String

        /// Associated data, by which a registration does not open as another server's. Neither part can hold the
        /// separator.
        var context: [UInt8] { Array("\(issuer)\u{0}\(redirectURI)".utf8) }
    }

    /// Tells whether a flow that begins needs a new one.
    func isDue(at now: Timestamp) -> Bool { isLost || renewsAt.map { $0 <= now } ?? false }

    /// Tells whether a flow that asks for these scopes can go by it.
    func covers(_ scopes: [String]) -> Bool {
        guard approach == .dynamicRegistration, let known = self.scopes else { return true }
        return scopes.allSatisfy(known.contains)
    }

    /// The same after the server said that it does not know it, or took it.
    ///
    /// - Parameter isFinal: it said so of a flow, which cost a person a consent: the next one must not fail for it.
    func noting(isRefused: Bool, isFinal: Bool, at now: Timestamp) -> ClientRegistration {
        var noted = self
        if !isRefused {
            (noted.refusedAt, noted.isLost) = (nil, false)
        } else {
            let first = refusedAt.flatMap { $0 <= now ? $0 : nil } ?? now
            noted.refusedAt = first
            noted.isLost =
                isLost || isFinal || now.milliseconds - first.milliseconds >= Self.refusalSeconds * 1000
        }
        return noted
    }

    /// Tells whether a flow that begins goes by it: also where the server would take another approach now, since the
    /// tokens of before are its own.
    func isUsable(at offer: ServerOffer, scopes: [String], now: Timestamp) -> Bool {
        // A server that takes no documents any more does not know the client.
        if approach == .metadataDocument, offer.approach != .metadataDocument { return false }
        return !isDue(at: now) && covers(scopes)
    }

    func client(at issuer: String) -> Client {
        Client(id: id, secret: secret, parameters: [OAuthProfile.issuerParameter: issuer])
    }
}

extension ClientRegistration {
    /// Registers a client with this metadata (RFC 7591 § 2), which any authorization server may read.
    struct Request {
        let http: TransportRequest
        private let redirectURI: String
        private let authentication: OAuthProfile.ClientAuthentication

        init(
            _ description: ClientDescription, at endpoint: String, by authentication: OAuthProfile.ClientAuthentication,
            scopes: [String]
        ) {
            var members = description.members
            members["token_endpoint_auth_method"] = .string(authentication.registeredName)
            if !scopes.isEmpty { members["scope"] = .string(scopes.joined(separator: " ")) }
            redirectURI = description.redirectURIs.first ?? ""
            self.authentication = authentication
            http = TransportRequest(
                method: .post, url: endpoint,
                headers: [("Content-Type", "application/json"), ("Accept", "application/json")],
                body: (try? JSONValue.object(members).encoded()) ?? [])
        }

        /// Reads the answer (RFC 7591 § 3.2.1) as strictly as if the server were hostile.
        ///
        /// - Parameter flowLifetime: the seconds that a flow may take.
        func registration(
            _ response: ProviderResponse, now: Timestamp, flowLifetime: Int64
        ) throws(Fault) -> ClientRegistration {
            let document = try? StrictJSON.object(response.body, by: .metadata)
            guard (200..<300).contains(response.status), let document else {
                throw .refused(
                    status: response.status, error: document?["error"]?.string.flatMap(ProviderText.code))
            }
            guard let id = document["client_id"]?.string, Self.isSound(id, most: 1024) else {
                throw .malformed("client_id")
            }
            // Codes would go to whoever is at the other address.
            switch document["redirect_uris"] {
            case nil, .null?: break
            case .array(let addresses)?
            where addresses.compactMap(\.string).allSatisfy { $0.isExactly(redirectURI) }
                && addresses.count == 1:
                break
            default: throw .anotherRedirect
            }
            var secret: ClientSecret?
            switch document["client_secret"] {
            case nil, .null?: break
            case .string(let text)? where Self.isSound(text, most: 2048): secret = ClientSecret(text)
            default: throw .malformed("client_secret")
            }
            let method: OAuthProfile.ClientAuthentication
            switch document["token_endpoint_auth_method"] {
            case nil, .null?: method = secret == nil ? .none : authentication.usesSecret ? authentication : .basic
            case .string(let name)?:
                guard let known = OAuthProfile.ClientAuthentication(registeredName: name) else {
                    throw .malformed("token_endpoint_auth_method")
                }
                method = known
            default: throw .malformed("token_endpoint_auth_method")
            }
            guard secret != nil || !method.usesSecret else { throw .malformed("client_secret") }
            return ClientRegistration(
                id: id, secret: method.usesSecret ? secret : nil, authentication: method,
                renewsAt: try Self.renewal(
                    document["client_secret_expires_at"], of: secret, now: now, flowLifetime: flowLifetime))
        }

        /// The moment from which a flow could outlive the secret; for one that lives no longer than two flows, the half of
        /// its life.
        ///
        /// - Parameter value: the end of the secret; 0: it does not expire.
        private static func renewal(
            _ value: JSONValue?, of secret: ClientSecret?, now: Timestamp, flowLifetime: Int64
        ) throws(Fault) -> Timestamp? {
            guard secret != nil, let seconds = value?.lenientNumber, seconds > 0 else { return nil }
            // Beyond any lifetime that a clock can show.
            guard seconds < 253_402_300_800 else { return nil }
            let expiry = Timestamp(milliseconds: Int64(seconds * 1000))
            guard expiry > now else { throw .expired }
            let left = expiry.milliseconds - now.milliseconds
            return Timestamp(milliseconds: expiry.milliseconds - min(flowLifetime * 1000, left / 2))
        }

        /// RFC 6749 appendix A.1 and A.2.
        private static func isSound(_ text: String, most: Int) -> Bool {
            (1...most).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
        }
    }

    /// A reason for which there is no registration.
    enum Fault: Error, Equatable, Sendable {
        /// RFC 7591 § 3.2.2.
        case refused(status: Int, error: String?)
        /// A member that is missing, or of a form that nothing can be done with.
        case malformed(String)
        /// It was registered with another redirect address than the one that was sent.
        case anotherRedirect
        /// Its secret has expired already.
        case expired
    }
}

extension ClientRegistration.Fault {
    var reason: Reason {
        switch self {
        case .refused(let status, let error?): "answered \(status) with the error \(quoted: error)"
        case .refused(let status, nil): "answered \(status) without a registration"
        case .malformed(let member): "its answer has no usable \"\(trusted: member)\""
        case .anotherRedirect: "it registered another redirect address than the one that was sent"
        case .expired: "the secret that it gave has expired already"
        }
    }
}

extension OAuthProfile.ClientAuthentication {
    /// The name in metadata of servers and clients (RFC 7591 § 2).
    var registeredName: String {
        switch self {
        case .basic, .basicRaw: "client_secret_basic"
        case .post: "client_secret_post"
        case .none: "none"
        case .clientSecretJWT: "client_secret_jwt"
        case .privateKeyJWT: "private_key_jwt"
        case .tls: "tls_client_auth"
        }
    }

    /// One of those that a client can have that registered itself; `nil` for every other name.
    init?(registeredName: String) {
        switch registeredName {
        case "client_secret_basic": self = .basic
        case "client_secret_post": self = .post
        case "none": self = .none
        default: return nil
        }
    }
}

// MARK: sealed

extension ClientRegistration {
    private struct Members: Codable {
        var id: String
        var secret: String?
        var authentication: String
        // Missing in registrations that earlier versions kept.
        var approach: String?
        var renewsAt: Int64?
        var scopes: [String]?
        var tokenOrigin: String?
        var refusedAt: Int64?
        var isLost: Bool?
        /// In place of `renewsAt`, then.
        var secretExpiresAt: Int64?
    }

    func sealed(by ring: KeyRing, at place: Place) -> Sealed<ClientRegistration>? {
        let json = (secret ?? ClientSecret("")).expose { text in
            try? JSONValue(
                encoding: Members(
                    id: id, secret: secret == nil ? nil : text, authentication: authentication.rawValue,
                    approach: approach.rawValue, renewsAt: renewsAt?.milliseconds, scopes: scopes,
                    tokenOrigin: tokenOrigin?.description, refusedAt: refusedAt?.milliseconds, isLost: isLost)
            ).encoded()
        }
        return json.map { ring.seal(SecretBytes($0), as: Self.label, context: place.context) }
    }

    init(_ sealed: Sealed<ClientRegistration>, openedBy ring: KeyRing, at place: Place) throws(OpenError) {
        let bytes = try ring.open(sealed, as: Self.label, context: place.context)
        guard let value = bytes.expose({ JSONValue(json: $0) }),
            let members = try? value.decoded(as: Members.self),
            let approach = ClientApproach(rawValue: members.approach ?? ClientApproach.dynamicRegistration.rawValue),
            let authentication = OAuthProfile.ClientAuthentication(rawValue: members.authentication)
        else { throw .malformed }
        var tokenOrigin: Origin?
        if let text = members.tokenOrigin {
            // Never taken for none.
            guard let origin = Origin(text) else { throw .malformed }
            tokenOrigin = origin
        }
        self.approach = approach
        id = members.id
        secret = members.secret.map { ClientSecret($0) }
        self.authentication = authentication
        // As long before its end as flows take where nothing else is set.
        renewsAt = (members.renewsAt ?? members.secretExpiresAt.map { $0 - 600_000 }).map {
            Timestamp(milliseconds: $0)
        }
        scopes = members.scopes
        self.tokenOrigin = tokenOrigin
        refusedAt = members.refusedAt.map { Timestamp(milliseconds: $0) }
        isLost = members.isLost ?? false
    }

    /// The same registration under the first master key; `nil` where none opens it.
    static func resealed(_ kept: KeptRegistration, by ring: KeyRing) -> Sealed<ClientRegistration>? {
        let place = Place(issuer: kept.issuer, redirectURI: kept.redirectURI)
        return (try? ClientRegistration(kept.sealed, openedBy: ring, at: place))?.sealed(by: ring, at: place)
    }

    private static let label = Label("client-registration")
}
