#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A client secret that should be a JWT of the client's key (RFC 7519 § 3, in the compact form of RFC 7515 § 7.1).
struct MintedSecretJWT {
    private let parts: [Substring]

    init(_ text: String) {
        parts = text.split(separator: ".", omittingEmptySubsequences: false)
    }

    /// Endings of a sentence about it, one for each thing that is wrong.
    func faults(_ wanted: ProviderRequirement.Minted, of client: Simulator.Client, now: Int64) -> [String] {
        guard parts.count == 3, let header = Self.json(parts[0]), let claims = Self.json(parts[1]),
            let signature = Self.bytes(parts[2])
        else { return ["that is no JWT"] }
        var faults: [String] = []
        if header["/alg"] != .string("ES256") { faults.append("that is not signed with ES256") }
        if header["/kid"]?.text == nil { faults.append("without a kid") }
        if client.verifies?(Array("\(parts[0]).\(parts[1])".utf8), signature) != true {
            faults.append("with a wrong signature")
        }
        for (name, value) in [("iss", wanted.issuer), ("sub", client.id), ("aud", wanted.audience)]
        where claims["/\(name)"] != .string(value) {
            faults.append("with another \(name) than \(value)")
        }
        // Apple takes no more than half a year.
        if case .integer(let end)? = claims["/exp"], end > now, end <= now + 15_777_000 {
        } else {
            faults.append("without a sound exp")
        }
        if claims["/iat"] != .integer(now) { faults.append("without the time of its making") }
        return faults
    }

    private static func json(_ part: Substring) -> JSON? {
        bytes(part).flatMap { try? JSONDecoder().decode(JSON.self, from: Data($0)) }
    }

    private static func bytes(_ part: Substring) -> [UInt8]? {
        let usual = part.replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - usual.utf8.count % 4) % 4)
        return Data(base64Encoded: usual + padding).map(Array.init)
    }
}
