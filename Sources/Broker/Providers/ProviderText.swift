import Formats
import Foundation

/// Text that a provider sent: hostile, and cut short before anyone sees it.
package enum ProviderText {
    /// An error code (RFC 6749 § 4.1.2.1): up to 64 of letters, digits, `_`, `-`, `.`; `nil` for anything else. It may
    /// repeat a secret: `HiddenValues.code` gives those that may be told.
    static func code(_ text: String) -> String? {
        guard (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0.isASCIILetterOrDigit || $0 == 0x5F || $0 == 0x2D || $0 == 0x2E })
        else { return nil }
        return text
    }

    /// The error codes that the protocols define, and those that many providers have in their place: words that are in
    /// everybody's reach, and so no secret of anybody.
    static let knownCodes: Set = [
        // RFC 6749 § 4.1.2.1 and § 5.2.
        "invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope",
        "server_error", "temporarily_unavailable", "invalid_client", "invalid_grant", "unsupported_grant_type",
        // RFC 7009 § 2.2.1, RFC 6750 § 3.1, RFC 8707 § 2, RFC 9396 § 5, RFC 9449 § 5 and § 8, RFC 9470 § 3.
        "unsupported_token_type", "invalid_token", "insufficient_scope", "invalid_target",
        "invalid_authorization_details", "invalid_dpop_proof", "use_dpop_nonce", "insufficient_user_authentication",
        // RFC 9101 § 7, which RFC 9126 § 2.3 takes over; OpenID Connect Core § 3.1.2.6.
        "invalid_request_uri", "invalid_request_object", "request_not_supported", "request_uri_not_supported",
        "registration_not_supported", "interaction_required", "login_required", "account_selection_required",
        "consent_required", "unmet_authentication_requirements",
        // Of GitHub, Slack, Google, Microsoft and others.
        "bad_refresh_token", "invalid_refresh_token", "bad_verification_code", "incorrect_client_credentials",
        "redirect_uri_mismatch", "invalid_code", "invalid_client_id", "bad_client_secret",
        // The broker's own, of an id_token.
        "invalid_id_token",
    ]

    /// A code if it is a known one, for callers; operators get others too, in the reason. A closed set of words cannot
    /// hold anything that a provider repeats.
    package static func known(_ code: String?) -> String? { code.flatMap { knownCodes.contains($0) ? $0 : nil } }

    /// The first 200 scalars on one line, spaces in place of characters that act on a terminal.
    static func sentence(_ text: String) -> String {
        let line = text.unicodeScalars.prefix(200).map { scalar in
            scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
                || [.lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
                ? " " : Character(scalar)
        }
        return String(line).trimmingCharacters(in: .whitespaces)
    }
}
