import Catalog
import Formats
import Foundation
import Secrets
import Transport

/// A token response (RFC 6749 § 5), read strictly in what it means and leniently in how it is written: JSON or
/// form encoding whatever the content type says, numbers as text, members where the catalog says.
struct TokenResponse: Sendable {
    /// Visible ASCII (RFC 6749 appendix A.12).
    let accessToken: AccessToken
    /// `nil` where the provider issued none.
    private(set) var refreshToken: RefreshToken?
    /// The provider's `token_type`; `Bearer` in this spelling, also where none came.
    let tokenType: String
    /// The end of the access token; `nil` where it never expires, or where that is not known.
    let expiresAt: Timestamp?
    /// True if it named no expiry, and the catalog says that its tokens have none.
    let neverExpires: Bool
    /// The granted scopes in the provider's spelling; `nil` where it granted what was asked for (RFC 6749 § 5.1).
    private(set) var scope: String?
    /// Not yet validated; `nil` where none came.
    private(set) var idToken: IDToken?
    /// The whole answer; extras are read from it.
    private(set) var document: SecretJSON

    /// A reason for which an answer gives no tokens.
    enum Fault: Error, Equatable {
        /// The provider named an error (RFC 6749 § 5.2): its code, if it was sane.
        case refused(error: String?)
        /// A status other than 2xx, and no error in it.
        case status(Int)
        /// Neither an error nor a token response.
        case noTokenResponse
    }

    init(_ response: ProviderResponse, shape: OAuthProfile.ResponseShape, now: Timestamp) throws(Fault) {
        let document = Self.document(response, after: shape.prefix)
        // Providers hide errors in a 200, so they are looked for before the status counts.
        if let document {
            if let error = shape.error.value(in: document), !Self.isNoError(error) {
                throw .refused(error: Self.code(error))
            }
            if let condition = shape.failureUnless, condition.pointer.value(in: document) != condition.equals {
                throw .refused(error: nil)
            }
        }
        guard (200..<300).contains(response.status) else { throw .status(response.status) }
        guard let document, let accessToken = Self.token(shape.accessToken, document) else { throw .noTokenResponse }

        self.document = SecretJSON(document)
        self.accessToken = AccessToken(accessToken)
        refreshToken = Self.token(shape.refreshToken, document).map { RefreshToken($0) }
        idToken = Self.token(shape.idToken, document).map { IDToken($0) }
        // RFC 6749 § 5.1 requires `token_type`; those who leave it out all mean Bearer.
        tokenType = Self.text(shape.tokenType, document).map(Self.spelling) ?? "Bearer"
        scope = Self.scope(shape.scope, document)
        let expiry = Self.expiry(shape, in: document, now: now)
        switch (expiry, shape.lifetime) {
        case (nil, .seconds(let seconds)?): expiresAt = now.adding(seconds: seconds)
        default: expiresAt = expiry
        }
        neverExpires = expiry == nil && shape.lifetime == .never
    }

    /// This answer, and from `first` what it has not: a swapped token leaves the rest of the grant as it was.
    func keeping(_ first: TokenResponse) -> TokenResponse {
        var both = keeping(first.refreshToken)
        both.idToken = idToken ?? first.idToken
        both.scope = scope ?? first.scope
        both.document = document.completed(by: first.document)
        return both
    }

    /// This answer, with the refresh token that was sent where it has none (RFC 6749 § 6).
    func keeping(_ refreshToken: RefreshToken?) -> TokenResponse {
        var both = self
        both.refreshToken = self.refreshToken ?? refreshToken
        return both
    }

    /// - Parameter prefix: text before the JSON that the entry knows of.
    static func document(_ response: ProviderResponse, after prefix: String? = nil) -> JSONValue? {
        var body = response.body
        if let prefix, body.starts(with: prefix.utf8) { body.removeFirst(prefix.utf8.count) }
        if let json = JSONValue(json: body) {
            if case .object = json { return json }
            return nil
        }
        return form(body).map { .object($0) }
    }

    /// The members of a form-encoded answer, as GitHub gives unless it is asked for JSON.
    private static func form(_ body: [UInt8]) -> [String: JSONValue]? {
        var form = body[...]
        if form.starts(with: [0xEF, 0xBB, 0xBF]) { form = form.dropFirst(3) }
        while let first = form.first, first <= 0x20 { form = form.dropFirst() }
        while let last = form.last, last <= 0x20 { form = form.dropLast() }
        // It begins with a name: prose, markup and half a JSON do not.
        let first = form.prefix { $0 != UInt8(ascii: "=") }
        guard first.count < form.count, first.allSatisfy({ $0 > 0x20 && !"<{[\"".utf8.contains($0) }) else {
            return nil
        }
        var members: [String: JSONValue] = [:]
        for pair in Percent.repairedPairs(Array(form)) {
            // A percent sign that stayed must not pass for one of a token, which has ASCII alone.
            let value = JSONValue.string(pair.isSound ? pair.value : pair.value + "\u{FFFD}")
            // RFC 6749 § 3.2: a parameter must not come twice. A list is no token, and not the absence of an error.
            if let earlier = members.updateValue(value, forKey: pair.name) {
                members[pair.name] = .array([earlier, value])
            }
        }
        return members
    }

    /// `"error": null`, `false`, `""` and `0` all mean that there is none.
    static func isNoError(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .bool(false), .string(""), .number(0): true
        default: false
        }
    }

    /// An error code as RFC 6749 § 5.2 has them, else nothing. In lower case: an error that repeats a code or a
    /// token to us is not repeated to anyone.
    private static func code(_ value: JSONValue) -> String? {
        guard let text = value.string.flatMap(ProviderText.code),
            text.utf8.allSatisfy({
                (0x61...0x7A).contains($0) || $0 == 0x5F || $0 == 0x2D
            })
        else { return nil }
        return text
    }

    private static func text(_ pointer: JSONPointer, _ document: JSONValue) -> String? {
        guard let text = pointer.value(in: document)?.string, !text.isEmpty else { return nil }
        return text
    }

    /// RFC 6749 appendix A.12: a token is printable ASCII. Anything else could not be sent in a header.
    private static func token(_ pointer: JSONPointer, _ document: JSONValue) -> String? {
        guard let text = text(pointer, document), text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }), !isProse(text)
        else { return nil }
        return text
    }

    /// Tells whether a server says in a token's place that it has none: `error: token is expired`, `null`.
    ///
    /// RFC 6750 § 2.1 has no space in a token, RFC 6749 appendix A.12 allows any number, and eBay, Salesforce and others
    /// use most of what is between: `v^1.1#i^1`, `00D!AQ`. So nothing is asked of the characters but that they are not written in
    /// words: more than one space, or one between letters and the marks of a sentence alone.
    private static func isProse(_ text: String) -> Bool {
        if ["null", "undefined"].contains(text) { return true }
        let spaces = text.utf8.count { $0 == 0x20 }
        return spaces > 1
            || (spaces == 1
                && text.utf8.allSatisfy { (0x61...0x7A).contains($0 | 0x20) || " .,:;!?'\"()[]-_".utf8.contains($0) })
    }

    private static func spelling(_ type: String) -> String {
        type.lowercased() == "bearer" ? "Bearer" : type
    }

    private static func scope(_ pointer: JSONPointer, _ document: JSONValue) -> String? {
        switch pointer.value(in: document) {
        // An empty text says no more than none (RFC 6749 § 3.3 has at least one scope): GitHub Apps always get it.
        case .string(let text)?: Scopes.split(text).isEmpty ? nil : text
        case .array(let values)?: values.compactMap(\.string).joined(separator: " ")
        default: nil
        }
    }

    /// The longest lifetime that is believed, in seconds: a hundred years.
    private static let longestLife = 100 * 365 * 86_400.0

    /// Unix seconds of a moment that may also be written in milliseconds or as ISO 8601.
    private static func moment(_ value: JSONValue) -> Double? {
        if let number = value.lenientNumber { return number > 1e11 ? number / 1000 : number }
        guard let text = value.string, let date = try? Date(text, strategy: .iso8601) else { return nil }
        return date.timeIntervalSince1970
    }

    private static func expiry(
        _ shape: OAuthProfile.ResponseShape, in document: JSONValue, now: Timestamp
    ) -> Timestamp? {
        if let seconds = shape.expiresAt?.value(in: document).flatMap(Self.moment) {
            let life = seconds - Double(now.milliseconds) / 1000
            guard seconds.isFinite, life > 0, life <= longestLife else { return nil }
            return Timestamp(milliseconds: Int64(seconds * 1000))
        }
        guard let seconds = shape.expiresIn.value(in: document)?.lenientNumber, seconds.isFinite, seconds > 0,
            seconds <= longestLife
        else { return nil }
        return Timestamp(milliseconds: now.milliseconds + Int64(seconds * 1000))
    }
}
