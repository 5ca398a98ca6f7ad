public import Secrets

/// What may protect a JSON Web Signature: a key pair, or the client secret where somebody said so. `none` is not
/// among them (RFC 8725 § 3.2).
public enum JSONWebAlgorithm: Hashable, Sendable, CustomStringConvertible {
    case signature(SignatureAlgorithm)
    /// HMAC with SHA-256 under the client secret.
    case hs256

    /// `nil` for every other name; names are case sensitive (RFC 7515 § 4.1.1).
    public init?(_ name: String) {
        if name.isExactly("HS256") {
            self = .hs256
        } else if let algorithm = SignatureAlgorithm(rawValue: name), algorithm.rawValue.isExactly(name) {
            self = .signature(algorithm)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .signature(let algorithm): algorithm.rawValue
        case .hs256: "HS256"
        }
    }

    /// The digest that the algorithm rests on.
    func digest(of text: String) -> [UInt8] {
        switch self {
        case .signature(let algorithm): algorithm.digest(of: Array(text.utf8))
        case .hs256: Digest(of: text).bytes
        }
    }
}
