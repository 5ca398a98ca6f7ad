import Formats

/// A value as Foundation reads and writes it: the judge of what Formats does.
struct FoundationJSON: Codable, Equatable {
    let value: JSONValue

    init(_ value: JSONValue) {
        self.value = value
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            value = .string(text)
        } else if container.decodeNil() {
            value = .null
        } else if let object = try? container.decode([String: FoundationJSON].self) {
            value = .object(object.mapValues(\.value))
        } else if let flag = try? container.decode(Bool.self) {
            value = .bool(flag)
        } else if let number = try? container.decode(Double.self) {
            if abs(number) >= 0x1p53, let whole = try? container.decode(Int64.self) {
                value = .integer(whole)
            } else {
                value = .number(number)
            }
        } else {
            value = .array(try container.decode([FoundationJSON].self).map(\.value))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch value {
        case .null: try container.encodeNil()
        case .bool(let flag): try container.encode(flag)
        // Whole numbers stay whole: an account number must not come back as 1e15.
        case .number(let number):
            if let whole = Int64(exactly: number) { try container.encode(whole) } else { try container.encode(number) }
        case .integer(let whole): try container.encode(whole)
        case .digits: try container.encode(value.number)
        case .string(let text): try container.encode(text)
        case .array(let values): try container.encode(values.map(FoundationJSON.init))
        case .object(let members): try container.encode(members.mapValues(FoundationJSON.init))
        }
    }
}
