import Formats
import Foundation
import Secrets
import Transport

@testable import Broker
@testable import Catalog
@testable import JOSE

/// Input of strangers, read as the broker reads it, and the promises that hold for any. It knows no test runner: `make
/// fuzz` compiles it as well.
enum HostileInput {
    /// The promise that `input` breaks; `nil` where it breaks none. The first byte chooses the reader.
    static func fault(in input: [UInt8]) -> String? {
        guard let reader = input.first else { return nil }
        let rest = Array(input.dropFirst())
        let text = String(decoding: rest, as: UTF8.self)
        return switch reader {
        case UInt8(ascii: "j"): json(rest)
        case UInt8(ascii: "t"): tokenResponse(rest)
        case UInt8(ascii: "m"): metadata(rest)
        case UInt8(ascii: "k"): keySet(rest)
        case UInt8(ascii: "i"): isBelieved(text) && !text.isExactly(soundToken) ? "a token not signed is believed" : nil
        case UInt8(ascii: "h"): header(rest)
        case UInt8(ascii: "c"): claims(rest)
        case UInt8(ascii: "q"): callback(rest)
        case UInt8(ascii: "u"): url(text)
        case UInt8(ascii: "v"): template(text)
        case UInt8(ascii: "x"): pattern(text)
        case UInt8(ascii: "a"): headers(text)
        case UInt8(ascii: "e"): shown(text)
        case UInt8(ascii: "r"): slowness(rest)
        default: nil
        }
    }

    // MARK: JSON and tokens

    private static func json(_ bytes: [UInt8]) -> String? {
        let theirs = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
        let repaired = JSONValue(json: bytes).map(written)
        guard repaired == repaired.flatMap(strictly).map(written) else { return "what was repaired is no JSON" }
        guard let value = strictly(bytes) else {
            return theirs != nil && !mayDiffer(bytes) ? "only Foundation reads this JSON" : nil
        }
        // Foundation refuses some numbers with exponents, and what is deep.
        if theirs == nil, !bytes.contains(where: { $0 | 0x20 == 0x65 }) { return "Foundation does not read this JSON" }
        return repaired == written(value) ? nil : "what needs no repair reads differently"
    }

    /// By RFC 8259 alone. Of a name that comes twice the first counts.
    private static func strictly(_ bytes: [UInt8]) -> JSONValue? {
        do {
            return try StrictJSON.value(bytes)
        } catch {
            return error == .memberRepeated ? JSONValue(json: bytes) : nil
        }
    }

    private static func written(_ value: JSONValue) -> [UInt8] {
        var json = JSONWriter()
        try? json.value(value)
        return json.bytes
    }

    /// True for input of which Foundation reads more: other encodings, a comma before a bracket, numbers that no
    /// `Double` holds, and documents beyond our bounds.
    private static func mayDiffer(_ bytes: [UInt8]) -> Bool {
        guard let text = String(validating: bytes, as: UTF8.self) else { return true }
        return text.contains("\0") || text.utf8.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") } > 64
            || text.contains(/,\s*[\]}]/) || text.contains(/[0-9]{300}|[eE]\+?[0-9]{3}/)
    }

    private static func tokenResponse(_ body: [UInt8]) -> String? {
        var shape = OAuthProfile.ResponseShape()
        for lifetime in [nil, OAuthProfile.ResponseShape.Lifetime.seconds(60)] {
            let response = ProviderResponse(status: 200, body: body)
            if let tokens = try? TokenResponse(response, shape: shape, now: now) {
                let token = tokens.accessToken.expose { $0 }
                if token.isEmpty || !token.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return "no such token" }
                let latest = now.adding(seconds: 100 * 365 * 86_400)
                if let end = tokens.expiresAt, end < now || latest < end { return "an expiry that cannot be" }
            }
            shape.expiresAt = JSONPointer("/expires_at")
            shape.scope = JSONPointer("/users/0/scope") ?? shape.scope
            shape.lifetime = lifetime
        }
        return costOfSpare(body) ?? form(body)
    }

    /// The tokens are had, whatever stands in a member that nobody asks for.
    private static func costOfSpare(_ bytes: [UInt8]) -> String? {
        // It ends neither the text in JSON nor the pair in a form.
        let inJSON = bytes.filter { $0 != UInt8(ascii: "\"") } + [0x20]
        let inForm = bytes.filter { $0 != UInt8(ascii: "&") }
        let bodies = [
            Array(#"{"x":""#.utf8) + inJSON + Array(#"","access_token":"a","y"#.utf8) + inJSON
                + Array(#"":[],"refresh_token":"r"}"#.utf8),
            Array("access_token=a&x=".utf8) + inForm + Array("&y".utf8) + inForm + Array("&refresh_token=r".utf8),
        ]
        for body in bodies {
            let tokens = try? TokenResponse(ProviderResponse(status: 200, body: body), shape: .init(), now: now)
            if tokens?.accessToken.expose({ $0 }) != "a" || tokens?.refreshToken?.expose({ $0 }) != "r" {
                return "a member that nobody asks for costs the tokens"
            }
        }
        return nil
    }

    private static func form(_ bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let pairs = Percent.pairs(text) else { return nil }
        let again = Percent.pairs(Percent.form(pairs)) ?? []
        guard pairs.elementsEqual(again, by: { $0.name.isExactly($1.name) && $0.value.isExactly($1.value) }) else {
            return "a form that was read and written reads differently"
        }
        let repaired = Percent.repairedPairs(Array(text.utf8))
        let isSame = pairs.elementsEqual(repaired) { $0.name.isExactly($1.name) && $0.value.isExactly($1.value) }
        return isSame ? nil : "a form that needs no repair reads differently"
    }

    // MARK: metadata and keys

    private static func metadata(_ json: [UInt8]) -> String? {
        if let url = StrictURL(issuer), let resource = try? ResourceMetadata(json: json, of: url) {
            if StrictURL(resource.resource)?.origin != url.origin { return "another host's resource" }
            if resource.authorizationServers.count > ResourceMetadata.mostServers { return "endless servers" }
        }
        guard let metadata = try? ProviderMetadata(json: json, issuer: issuer) else { return nil }
        let addresses = [
            metadata.authorizationEndpoint, metadata.tokenEndpoint, metadata.revocationEndpoint, metadata.jwksURI,
            metadata.pushedAuthorizationEndpoint, metadata.registrationEndpoint,
        ].compactMap(\.self)
        if let fault = addresses.compactMap(url).first { return fault }
        return addresses.allSatisfy { $0.hasPrefix("https://") } ? nil : "an address that is not https"
    }

    private static func keySet(_ json: [UInt8]) -> String? {
        guard let keys = JSONWebKeySet(json: json) else { return nil }
        for algorithm in SignatureAlgorithm.allCases {
            for key in keys.keys(for: nil, algorithm) {
                for length in [64, 96, 256] {
                    _ = key.verify([UInt8](repeating: 1, count: length), of: [], with: algorithm)
                }
            }
        }
        let document = (try? JSONSerialization.jsonObject(with: Data(json))) as? [String: Any]
        let hasOurs = (document?["keys"] as? [Any])?.contains {
            ($0 as? [String: Any])?["x"] as? String == publicJWK["x"]
        }
        return isBelieved(soundToken, keys) && hasOurs != true ? "a token is believed without its key" : nil
    }

    // MARK: id_tokens

    static let soundToken = token(
        Array(#"{"alg":"EdDSA","kid":"k"}"#.utf8),
        Array(#"{"iss":"\#(issuer)","sub":"s","aud":"client","nonce":"n","exp":1790003600,"iat":1790000000}"#.utf8)
    ) { key?.sign($0, with: .EdDSA) }

    private static let issuer = "https://issuer.example.com"
    private static let now = Timestamp(milliseconds: 1_790_000_000_000)
    /// RFC 8037 § A.1.
    private static let key = SigningKey(
        pem: SecretBytes(
            Array(
                """
                -----BEGIN PRIVATE KEY-----
                MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
                -----END PRIVATE KEY-----
                """.utf8)))
    private static let publicJWK = (key?.publicJWK ?? [:]).merging(["kid": "k"]) { $1 }
    private static let stranger = SigningKey.makeP256()
    /// Ours, and one that signed nothing.
    static let keys = JSONWebKeySet(
        json: written(
            .object([
                "keys": .array(
                    [publicJWK, SigningKey.makeP256().publicJWK].map { .object($0.mapValues { .string($0) }) })
            ])))

    private static func token(_ header: [UInt8], _ payload: [UInt8], by sign: ([UInt8]) -> [UInt8]?) -> String {
        let input = "\(Base64URL.encode(header)).\(Base64URL.encode(payload))"
        return "\(input).\(Base64URL.encode(sign(Array(input.utf8)) ?? []))"
    }

    static func isBelieved(_ token: String, _ keys: JSONWebKeySet? = keys) -> Bool {
        let check = IDTokenValidation(issuer: issuer, clientID: "client", nonce: Nonce("n"))
        guard let keys else { return true }
        return (try? check.claims(of: IDToken(token), keys: keys, at: now)) != nil
    }

    /// Any header: under a stranger's key, under the public key as a secret, and under the right one.
    private static func header(_ header: [UInt8]) -> String? {
        let payload = Base64URL.decode(soundToken.split(separator: ".")[1]) ?? []
        let secret = SecretBytes(Array((publicJWK["x"] ?? "").utf8))
        if isBelieved(token(header, payload) { stranger.sign($0, with: .ES256) })
            || isBelieved(token(header, payload) { HMACSHA256.code(of: $0, key: secret) })
        {
            return "a stranger's token is believed"
        }
        guard isBelieved(token(header, payload) { key?.sign($0, with: .EdDSA) }) else { return nil }
        let read = (try? JSONSerialization.jsonObject(with: Data(header))) as? [String: Any]
        return read?["alg"] as? String == "EdDSA" && read?["crit"] == nil
            ? nil : "a header that says otherwise is believed"
    }

    /// Any claims under the right key: believed only if Foundation too reads in them what has to be there.
    private static func claims(_ payload: [UInt8]) -> String? {
        guard isBelieved(token(Array(#"{"alg":"EdDSA"}"#.utf8), payload) { key?.sign($0, with: .EdDSA) }) else {
            return nil
        }
        let read = (try? JSONSerialization.jsonObject(with: Data(payload))) as? [String: Any] ?? [:]
        let audiences = read["aud"] as? [String] ?? [read["aud"] as? String ?? ""]
        let isSound =
            read["iss"] as? String == issuer && read["nonce"] as? String == "n" && audiences.contains("client")
            && (read["exp"] as? Double ?? 0) > 1_789_999_940 && (read["iat"] as? Double ?? .infinity) <= 1_790_000_060
        return isSound ? nil : "claims that are wrong are believed"
    }

    // MARK: callbacks and addresses

    private static func callback(_ query: [UInt8]) -> String? {
        let request = CallbackRequest(query, at: .legacy)
        if case .one(let code) = request["code"], code.unicodeScalars.contains("\u{FFFD}") { return "a code repaired" }
        if let state = request.state?.expose({ $0 }), Base64URL.decode(state)?.count != 32 { return "no such state" }
        if let text = request.words(["error_description"]) {
            let sentence = ProviderText.sentence(text)
            if sentence.unicodeScalars.count > 200 || sentence.contains(where: \.isNewline) { return "no sentence" }
        }
        if request.isSigned("00", leavingOut: "hmac", with: ClientSecret("s")) { return "a short signature is right" }
        // Whatever stands in a parameter that nobody asks for, state and code are had.
        let names = Percent.repairedPairs(query).map(\.name)
        if !names.contains(where: { ["state", "code", "iss", "error"].contains(exactly: $0) }) {
            let state = String(repeating: "A", count: 43)
            let request = CallbackRequest(Array("state=\(state)&code=c&".utf8) + query, at: .legacy)
            guard case .one("c") = request["code"], request.state != nil, request.repetition == nil else {
                return "a parameter that nobody asks for costs the code"
            }
        }
        return form(query)
    }

    /// A pattern and a value, a line each.
    private static func pattern(_ text: String) -> String? {
        let lines = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard lines.count == 2, let pattern = try? Pattern(lines[0]), pattern.matches(lines[1]) else { return nil }
        guard lines[1].utf8.count <= 2048, lines[1].utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
            return "a pattern takes what is no line of printable ASCII"
        }
        let ends = pattern.values.commonEnd
        return lines[1].hasSuffix(ends) ? nil : "a value ends otherwise than all do"
    }

    private static func url(_ text: String) -> String? {
        for address in ProviderMetadata.addresses(text) where address.utf8.count <= 2048 {
            if StrictURL(address)?.origin != StrictURL(text)?.origin { return "metadata from another origin" }
        }
        guard let url = StrictURL(text) else { return nil }
        guard StrictURL(url.text) == url, Origin(url.origin.description) == url.origin else { return "two spellings" }
        guard let theirs = URLComponents(string: url.text), let host = theirs.host, theirs.user == nil else {
            return "Foundation does not read this address"
        }
        let origin = "\(theirs.scheme ?? "")://\(host)" + (theirs.port.map { ":\($0)" } ?? "")
        return origin == url.origin.description ? nil : "Foundation reads another origin"
    }

    /// An address with placeholders, and on the next line what fills them all.
    private static func template(_ text: String) -> String? {
        let lines = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard lines.count == 2, let template = try? URLTemplate(lines[0]) else { return nil }
        let fill = { (value: String) in
            template.filled(with: Dictionary(uniqueKeysWithValues: template.placeholders.map { ($0, value) }))
                .flatMap { StrictURL($0) }
        }
        guard let filled = fill(lines[1]), let sample = fill("a") ?? fill("1") else { return nil }
        if let fault = url(filled.text) { return fault }
        // Whatever stands in the gaps, the address keeps its parts: host or its end, segments, query.
        let parts = { (url: StrictURL) in url.rest.utf8.filter { "/?&=#".utf8.contains($0) } }
        guard parts(filled) == parts(sample) else { return "a value brings parts of its own" }
        let authority = lines[0].split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)[2]
            .prefix { $0 != "/" && $0 != "?" }
        guard let last = authority.lastIndex(of: "}") else {
            return filled.origin == sample.origin ? nil : "a value changes the host"
        }
        let end = authority[authority.index(after: last)...].lowercased()
        return filled.origin.description.hasSuffix(end) || end.contains(":") ? nil : "a value changes the host"
    }

    // MARK: headers and terminals

    private static func headers(_ text: String) -> String? {
        for name in ["accept", "cookie", "forwarded"] {
            guard let value = HeaderValue.ascii(text, of: name) else { continue }
            if !value.utf8.allSatisfy({ $0 < 0x80 }) { return "a header's value that is not ASCII" }
        }
        let languages = HeaderValue.languages(text)
        if languages.count > 20 { return "endless languages" }
        _ = HeaderValue.mediaType(text)
        _ = HeaderValue.cookie("cookie", in: text)
        _ = HeaderValue.mentions("text/html", text)
        for challenge in AuthenticationChallenge.read([text])
        where challenge.scheme.isEmpty || !challenge.scheme.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
            return "a challenge without a scheme"
        }
        let target = Percent.ascii(text)
        return target.utf8.allSatisfy { $0 < 0x80 } ? nil : "a target that is not ASCII"
    }

    private static func shown(_ text: String) -> String? {
        if text.visible.unicodeScalars.contains(where: \.isActive) { return "a terminal would act on this" }
        if text.visibleLines.unicodeScalars.contains(where: { $0.isActive && $0 != "\n" }) {
            return "on these lines too"
        }
        var json = JSONWriter()
        json.string(text)
        let shown = String(decoding: json.bytes, as: UTF8.self).visibleJSON
        if shown.unicodeScalars.contains(where: \.isActive) { return "a terminal would act on this JSON" }
        guard let read = JSONValue(json: json.bytes) else { return nil }
        return JSONValue(json: Array(shown.utf8))?.string?.isExactly(read.string ?? "") == true
            ? nil : "JSON that was made visible reads differently"
    }

    // MARK: time

    /// The reader's letter, then three lines: what stands before, what comes again and again, what stands behind. Four
    /// times as much of it must not take much more than four times as long.
    private static func slowness(_ input: [UInt8]) -> String? {
        let lines = input.dropFirst().split(
            separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
        guard let reader = input.first, lines.count == 3, !lines[1].isEmpty else { return nil }
        let time = { (size: Int) -> Double in
            let middle = Array(repeatElement(lines[1], count: max(1, size / lines[1].count)).joined())
            let text = Array(lines[0] + middle + lines[2])
            return processorTime { read(reader, text) }
        }
        var (short, long) = (time(1 << 14), time(1 << 16))
        // What else the machine does is no fault of ours: the least of five.
        for _ in 0..<4 where long > 8 * short + 0.02 {
            (short, long) = (max(short, time(1 << 14)), min(long, time(1 << 16)))
        }
        return long > 8 * short + 0.02 ? "64 KiB take \(long) s, a quarter of it \(short) s" : nil
    }

    /// Our part alone: what Foundation makes of it is not on any stranger's way.
    private static func read(_ reader: UInt8, _ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        switch reader {
        case UInt8(ascii: "j"): _ = try? StrictJSON.object(bytes)
        case UInt8(ascii: "t"):
            _ = try? TokenResponse(ProviderResponse(status: 200, body: bytes), shape: .init(), now: now)
        case UInt8(ascii: "m"): _ = try? ProviderMetadata(json: bytes, issuer: issuer)
        case UInt8(ascii: "k"): _ = JSONWebKeySet(json: bytes)
        case UInt8(ascii: "i"): _ = isBelieved(text)
        case UInt8(ascii: "h"): _ = try? JSONWebSignature(token(bytes, [0]) { _ in [0] })
        case UInt8(ascii: "c"):
            _ = isBelieved(token(Array(#"{"alg":"EdDSA"}"#.utf8), bytes) { key?.sign($0, with: .EdDSA) })
        case UInt8(ascii: "q"): _ = callback(bytes)
        case UInt8(ascii: "u"): _ = (StrictURL(text), Origin(text), ProviderMetadata.addresses(text))
        case UInt8(ascii: "v"):
            _ = try? URLTemplate("https://{a}.example.com/{b}?c={c}").filled(with: ["a": "x", "b": text, "c": text])
        case UInt8(ascii: "a"): _ = headers(text)
        case UInt8(ascii: "e"): _ = shown(text)
        case UInt8(ascii: "n"):
            _ = (TenantID(text), SourceType.ID(text), FlowID(text), ExchangeVerifier(checking: text))
        case UInt8(ascii: "w"):
            _ = (text.quoted, text.guess(among: ["a", "b"]), ProviderText.sentence(text), String(repairing: bytes))
            _ = Requester(subject: text, tokenID: text)
        default: break
        }
    }

    private static func processorTime(_ work: () -> Void) -> Double {
        let now = { () -> Double in
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        let before = now()
        work()
        return now() - before
    }
}
