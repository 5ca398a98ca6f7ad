/// Reads JSON objects of strangers who may gain from being misread.
enum StrictJSON {
    enum Fault: Error, Equatable, Sendable {
        /// No object, or one beyond the bounds of `JSONValue(json:)`.
        case notAnObject
        /// We take the first of two members of a name; whoever wrote them may count on another reader taking the
        /// other (RFC 8725 § 2.4, RFC 7515 § 4, RFC 7519 § 4).
        case memberRepeated
    }

    static func object(_ json: [UInt8]) throws(Fault) -> [String: JSONValue] {
        guard case .object(let members)? = JSONValue(json: json) else { throw .notAnObject }
        guard !hasRepeatedMember(json) else { throw .memberRepeated }
        return members
    }

    /// Whether an object in `json`, however deep, has a name twice. Only for what is known to be JSON.
    static func hasRepeatedMember(_ json: [UInt8]) -> Bool {
        // One set for each open object; none for arrays, whose texts are no names.
        var open: [Set<String>?] = []
        var expectsName = false
        var index = 0
        while index < json.count {
            switch json[index] {
            case UInt8(ascii: "{"):
                open.append([])
                expectsName = true
            case UInt8(ascii: "["):
                open.append(nil)
                expectsName = false
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                _ = open.popLast()
                expectsName = false
            case UInt8(ascii: ","):
                expectsName = open.last.flatMap(\.self) != nil
            case UInt8(ascii: "\""):
                let end = self.end(ofText: json, from: index)
                if expectsName, var names = open.popLast().flatMap(\.self) {
                    guard let name = name(json[index..<end]), names.insert(name).inserted else { return true }
                    open.append(names)
                }
                expectsName = false
                index = end - 1
            default: break
            }
            index += 1
        }
        return false
    }

    /// The name that a text in quotes is. Unescaped, or "\u0061lg" would pass for another name than "alg".
    private static func name(_ text: ArraySlice<UInt8>) -> String? {
        guard text.contains(UInt8(ascii: "\\")) else {
            return String(stranger: text.dropFirst().dropLast())
        }
        return JSONValue(json: Array(text))?.string
    }

    /// Where the text that begins at `start` is over.
    private static func end(ofText json: [UInt8], from start: Int) -> Int {
        var index = start + 1
        while index < json.count, json[index] != UInt8(ascii: "\"") {
            index += json[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index + 1, json.count)
    }
}

extension String {
    /// Whether both are the same bytes. `==` also takes a Kelvin sign for a K, which identifiers must not.
    func isExactly(_ other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
