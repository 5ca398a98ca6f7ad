import Formats
import Secrets

/// A JSON object that is put together member by member, secrets among them. It prints nothing of itself.
struct RequestBody: Redacted {
    private var json = JSONWriter()
    private var isEmpty = true

    init() {}

    /// The text, with its secrets.
    var exposedJSON: [UInt8] { isEmpty ? Array("{}".utf8) : json.bytes + Array("}".utf8) }

    mutating func add(_ name: String, _ text: String) {
        begin(name)
        json.string(text)
    }

    mutating func add<Use>(_ name: String, _ secret: Secret<Use>) { secret.expose { add(name, $0) } }

    /// Leaves the member out where there are no parameters.
    mutating func add(_ name: String, _ parameters: [String: String]) {
        guard !parameters.isEmpty else { return }
        begin(name)
        for (index, (key, value)) in parameters.sorted(by: { $0.key < $1.key }).enumerated() {
            if index == 0 { json.literal("{") } else { json.literal(",") }
            json.string(key)
            json.literal(":")
            json.string(value)
        }
        json.literal("}")
    }

    mutating func add(_ name: String, _ texts: [String]) {
        begin(name)
        json.literal("[")
        for (index, text) in texts.enumerated() {
            if index > 0 { json.literal(",") }
            json.string(text)
        }
        json.literal("]")
    }

    private mutating func begin(_ name: String) {
        if isEmpty { json.literal("{") } else { json.literal(",") }
        isEmpty = false
        json.string(name)
        json.literal(":")
    }
}
