import Formats
import Secrets
import Transport

/// A call of OpenAI's `/v1/embeddings`, which other servers speak too.
struct EmbeddingRequest {
    /// The most inputs of a call.
    static let mostTexts = 64
    /// The most bytes of a call's inputs together: the API takes 300,000 tokens a call, and a token is seldom shorter
    /// than two bytes.
    static let mostBytes = 512 * 1024

    let url: StrictURL
    let model: String
    let key: APIKey?

    func http(_ texts: ArraySlice<String>) -> TransportRequest {
        var headers = [(name: "accept", value: "application/json"), ("content-type", "application/json")]
        if let key { headers.append(("authorization", key.expose { "Bearer \($0)" })) }
        return TransportRequest(method: .post, url: url.text, headers: headers, body: body(texts))
    }

    private func body(_ texts: ArraySlice<String>) -> [UInt8] {
        var json = JSONWriter()
        json.literal("{\"model\":")
        json.string(model)
        json.literal(",\"input\":")
        for (index, text) in texts.enumerated() {
            if index == 0 { json.literal("[") } else { json.literal(",") }
            json.string(text)
        }
        json.literal("],\"encoding_format\":\"float\"}")
        return json.bytes
    }

    /// The texts in groups of one call each, in order; none is empty.
    static func calls(for texts: [String]) -> [ArraySlice<String>] {
        var (calls, start, bytes): ([ArraySlice<String>], Int, Int) = ([], 0, 0)
        for (index, text) in texts.enumerated() {
            let isFull = index - start == mostTexts || bytes + text.utf8.count > mostBytes
            if isFull, index > start {
                calls.append(texts[start..<index])
                (start, bytes) = (index, 0)
            }
            bytes += text.utf8.count
        }
        if start < texts.count { calls.append(texts[start...]) }
        return calls
    }
}
