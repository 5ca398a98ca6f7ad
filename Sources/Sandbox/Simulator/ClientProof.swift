#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The way in which a request proves which client it is from.
struct ClientProof {
    let client: Simulator.Client
    let headers: String?
    let parameters: RequestParameters
    /// The name of the parameter with the client id.
    let idName: String
    let minted: ProviderRequirement.Minted?
    let now: Int64

    init(
        _ request: SimulatedRequest, _ parameters: RequestParameters, of client: Simulator.Client,
        as rules: ProviderRequirement.Exchange? = nil, now: Int64 = 0
    ) {
        self.client = client
        idName = rules?.clientIdParameter ?? "client_id"
        minted = rules?.minted
        self.now = now
        headers = request.header("Authorization")
        self.parameters = parameters
    }

    /// A sentence for each thing that is wrong with the proof; empty where nothing is.
    ///
    /// - Parameters:
    ///   - accepted: of `basic`, `post`, `hash`, `assertion` and `none`; `*` is any of them.
    ///   - token: what a hash is made over, besides the secret.
    func faults(accepting accepted: Choice, over token: String?) -> [String] {
        // Two forms of one way: a server that does not decode what it is sent takes the second alone.
        let isRaw = accepted.contains("basic_raw")
        let accepted = isRaw ? Choice(values: accepted.values + ["basic"]) : accepted
        let used = ways
        let names = used.isEmpty ? ["none"] : used
        guard names.count == 1, let way = names.first else { return ["proves the client in two ways"] }
        guard accepted.contains(way) || accepted.contains("*") else {
            return [
                "has \(Self.words[way] ?? way), wanted \(accepted.values.map { Self.words[$0] ?? $0 }.joined(separator: " or "))"
            ]
        }
        switch way {
        case "basic": return isRaw ? rawBasicFaults : basicFaults
        case "post":
            return idFaults + secretFaults(parameters["client_secret"])
        case "hash":
            let expected = SHA256.digest(Array("\(client.secret)|\(token ?? "")".utf8)).map { byte in
                (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }.joined()
            return idFaults + (parameters["hash"] == expected ? [] : ["has a wrong hash"])
        case "assertion":
            return parameters["client_assertion"] == client.secret ? [] : ["has a wrong client_assertion"]
        default:
            return accepted.contains("*") || parameters[idName] == nil || parameters[idName] == client.id
                ? [] : ["has a wrong \(idName)"]
        }
    }

    private static let words = [
        "basic": "a Basic header", "post": "client_secret", "hash": "a hash", "assertion": "a client_assertion",
        "none": "no client secret",
    ]

    private var ways: [String] {
        var ways: [String] = []
        if headers?.lowercased().hasPrefix("basic ") == true { ways.append("basic") }
        if parameters["client_secret"] != nil { ways.append("post") }
        if parameters["hash"] != nil { ways.append("hash") }
        if parameters["client_assertion"] != nil { ways.append("assertion") }
        return ways
    }

    private var idFaults: [String] {
        if idName == "-" { return parameters["client_id"] == nil ? [] : ["has a client_id, wanted none"] }
        return parameters[idName] == client.id ? [] : ["has a wrong or no \(idName)"]
    }

    private func secretFaults(_ sent: String?) -> [String] {
        guard let minted else { return sent == client.secret ? [] : ["has a wrong client_secret"] }
        return MintedSecretJWT(sent ?? "").faults(minted, of: client, now: now).map { "has a client_secret \($0)" }
    }

    /// RFC 7617 § 2: the two and a colon, in base64 as they are.
    private var rawBasicFaults: [String] {
        let wanted = "Basic " + Data("\(client.id):\(client.secret)".utf8).base64EncodedString()
        return headers == wanted ? [] : ["has a Basic header that is not of this client, unencoded"]
    }

    /// RFC 6749 § 2.3.1: both are form-encoded *before* they are joined and put into base64.
    private var basicFaults: [String] {
        let words = headers?.split(separator: " ") ?? []
        guard words.count == 2, let bytes = Data(base64Encoded: String(words[1])),
            let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
            FormFields.decode(bytes[..<colon]) == client.id,
            FormFields.decode(bytes[bytes.index(after: colon)...]) == client.secret
        else { return ["has a Basic header that is not of this client, form-encoded"] }
        guard parameters[idName] == nil || parameters[idName] == client.id else {
            return ["has a \(idName) that is not the Basic header's"]
        }
        return []
    }
}
