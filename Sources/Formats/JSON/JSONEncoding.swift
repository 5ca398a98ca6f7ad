extension JSONValue {
    /// Encodes a value as `JSONEncoder` would. Throws `EncodingError` for integers beyond 64 bits and for numbers of
    /// other types than the usual ones, and what `value` throws.
    package init(encoding value: some Encodable) throws {
        let node = JSONNode()
        try node.put(value)
        self = node.value
    }
}

extension JSONValue: Encodable {
    /// For a value within another that `init(encoding:)` encodes. Throws with any other encoder.
    public func encode(to encoder: any Encoder) throws {
        guard let encoder = encoder as? JSONNodeEncoder else {
            throw EncodingError.invalidValue(self, .init(codingPath: [], debugDescription: "encoded() writes it"))
        }
        encoder.node.content = .leaf(self)
    }
}

/// A value while it is encoded.
private final class JSONNode {
    enum Content {
        case leaf(JSONValue)
        case array([JSONNode])
        case object([String: JSONNode])
    }

    var content = Content.leaf(.null)

    var value: JSONValue {
        switch content {
        case .leaf(let value): value
        case .array(let nodes): .array(nodes.map(\.value))
        case .object(let members): .object(members.mapValues(\.value))
        }
    }

    /// - Parameter writing: the type that writes itself here. One that hands itself on would never end.
    func put<Value: Encodable>(_ value: Value, writing: Any.Type? = nil) throws {
        guard writing != Value.self else {
            throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "of an unknown type"))
        }
        switch value {
        case let text as String: content = .leaf(.string(text))
        case let flag as Bool: content = .leaf(.bool(flag))
        case let number as Double: content = .leaf(.number(number))
        case let whole as any BinaryInteger:
            guard let number = Int64(exactly: whole) else {
                throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "beyond 64 bits"))
            }
            content = .leaf(.integer(number))
        default: try value.encode(to: JSONNodeEncoder(node: self, writing: Value.self))
        }
    }

    /// A member's place, empty as yet.
    func member(_ name: String) -> JSONNode {
        var members: [String: JSONNode] = if case .object(let members) = content { members } else { [:] }
        // Held once, or each member would copy all before it.
        content = .leaf(.null)
        let node = JSONNode()
        members[name] = node
        content = .object(members)
        return node
    }

    var elements: [JSONNode] { if case .array(let elements) = content { elements } else { [] } }

    /// The next element's place, empty as yet.
    func element() -> JSONNode {
        var elements = elements
        content = .leaf(.null)
        let node = JSONNode()
        elements.append(node)
        content = .array(elements)
        return node
    }
}

private struct JSONNodeEncoder: Encoder {
    let node: JSONNode
    var writing: Any.Type?
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .object = node.content {} else { node.content = .object([:]) }
        return KeyedEncodingContainer(Members(node: node))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .array = node.content {} else { node.content = .array([]) }
        return Elements(node: node)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(node: node, writing: writing) }

    private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let node: JSONNode
        var codingPath: [any CodingKey] { [] }

        func encodeNil(forKey key: Key) { _ = node.member(key.stringValue) }

        func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
            try node.member(key.stringValue).put(value)
        }

        func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested>
        { JSONNodeEncoder(node: node.member(key.stringValue)).container(keyedBy: keyedBy) }

        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            JSONNodeEncoder(node: node.member(key.stringValue)).unkeyedContainer()
        }

        func superEncoder() -> any Encoder { JSONNodeEncoder(node: node.member("super")) }

        func superEncoder(forKey key: Key) -> any Encoder { JSONNodeEncoder(node: node.member(key.stringValue)) }
    }

    private struct Elements: UnkeyedEncodingContainer {
        let node: JSONNode
        var codingPath: [any CodingKey] { [] }
        var count: Int { node.elements.count }

        func encodeNil() { _ = node.element() }

        func encode<Value: Encodable>(_ value: Value) throws { try node.element().put(value) }

        func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) -> KeyedEncodingContainer<Nested> {
            JSONNodeEncoder(node: node.element()).container(keyedBy: keyedBy)
        }

        func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
            JSONNodeEncoder(node: node.element()).unkeyedContainer()
        }

        func superEncoder() -> any Encoder { JSONNodeEncoder(node: node.element()) }
    }

    private struct Single: SingleValueEncodingContainer {
        let node: JSONNode
        let writing: Any.Type?
        var codingPath: [any CodingKey] { [] }

        func encodeNil() { node.content = .leaf(.null) }

        func encode<Value: Encodable>(_ value: Value) throws { try node.put(value, writing: writing) }
    }
}
