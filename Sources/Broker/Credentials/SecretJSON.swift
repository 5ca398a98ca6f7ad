import Formats

/// JSON that may hold a token or a key. It prints nothing of it.
public struct SecretJSON: Sendable {
    fileprivate let value: JSONValue

    init(_ value: JSONValue) {
        self.value = value
    }

    /// Hands the value to `use`, and nothing else.
    func expose<Result, Failure: Error>(_ use: (JSONValue) throws(Failure) -> Result) throws(Failure) -> Result {
        try use(value)
    }
}

extension SecretJSON: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "[redacted JSON]" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension JSONWriter {
    mutating func object(of members: [String: SecretJSON]) throws {
        try value(.object(members.mapValues(\.value)))
    }
}
