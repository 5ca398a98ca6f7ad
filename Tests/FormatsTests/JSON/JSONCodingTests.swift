import Foundation
import Testing

@testable import Formats

@Suite struct JSONCodingTests {
    private struct Sample: Codable, Equatable {
        enum Kind: String, Codable { case wide, narrow }
        struct Part: Codable, Equatable {
            var name: String
            var size: Int?
        }

        var kind: Kind
        var isOpen: Bool
        var count: Int64
        var share: Double
        var note: String?
        var names: [String]
        var parts: [Part]
        var more: [String: [Bool?]]
    }

    private static let sample = Sample(
        kind: .wide, isOpen: true, count: 1 << 60, share: 0.25, note: nil, names: ["a/b", "\u{1F}\"\\"],
        parts: [.init(name: "x", size: nil), .init(name: "y", size: -1)], more: ["e": [nil, false]])

    @Test func `a type comes back from what it wrote`() throws {
        let json = try JSONValue(encoding: Self.sample)
        #expect(try json.decoded(as: Sample.self) == Self.sample)
        let read = try JSONValue(json: json.encoded(), by: .strict)
        #expect(try read.decoded(as: Sample.self) == Self.sample)
    }

    @Test func `Foundation reads the same`() throws {
        let json = try JSONValue(encoding: Self.sample)
        for text in [try json.encoded(), Array(try json.indented().utf8)] {
            #expect(try JSONDecoder().decode(Sample.self, from: Data(text)) == Self.sample)
        }
    }

    @Test func `members stand by name, and slashes as they are`() throws {
        #expect(
            try String(decoding: JSONValue(encoding: ["b": "a/b", "a": "é"]).encoded(), as: UTF8.self)
                == #"{"a":"é","b":"a/b"}"#)
    }

    @Test func `a line for each member and element, as Foundation writes them`() throws {
        let json = JSONValue.object(["a": .array([.integer(1), .string("\n")]), "b": .object([:]), "c": .array([])])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .withoutEscapingSlashes, .sortedKeys]
        #expect(try json.indented() == String(decoding: encoder.encode(FoundationJSON(json)), as: UTF8.self))
    }

    @Test func `a number that JSON lacks is not written`() {
        #expect(throws: (any Error).self) { try JSONValue(encoding: [Double.nan]).encoded() }
        #expect(throws: EncodingError.self) { try JSONValue(encoding: UInt64.max) }
    }

    /// The same faults as Foundation's decoder finds, at the same places.
    @Test(arguments: [
        "[]", "null", "{}", #"{"name":null}"#, #"{"name":1}"#, #"{"name":"x","size":"1"}"#,
        #"{"name":"x","size":true}"#, #"{"name":["x"]}"#,
    ])
    func `what does not fit is named`(_ text: String) throws {
        let fault = { (read: () throws -> Void) -> String in
            do {
                try read()
                return "none"
            } catch DecodingError.keyNotFound(let key, let context) {
                return "missing \(context.codingPath.map(\.stringValue)) \(key.stringValue)"
            } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
                return "other \(context.codingPath.map(\.stringValue))"
            } catch DecodingError.dataCorrupted(let context) {
                return "other \(context.codingPath.map(\.stringValue))"
            } catch {
                return "\(error)"
            }
        }
        let json = try #require(JSONValue(json: Array(text.utf8)))
        let ours = fault { _ = try json.decoded(as: Sample.Part.self) }
        let theirs = fault { _ = try JSONDecoder().decode(Sample.Part.self, from: Data(text.utf8)) }
        #expect(ours == theirs)
        #expect(ours != "none")
    }

    /// Foundation names the whole text.
    @Test(arguments: ["1.5", "1e30"])
    func `a number that is no whole one is named too`(_ number: String) throws {
        let json = try #require(JSONValue(json: Array(#"{"name":"x","size":\#(number)}"#.utf8)))
        #expect {
            try json.decoded(as: Sample.Part.self)
        } throws: { error in
            guard case DecodingError.typeMismatch(_, let context) = error else { return false }
            return context.codingPath.map(\.stringValue) == ["size"]
        }
    }

    private struct Share: Codable { let part: Float }
    private struct Wrapper: Codable {
        let part: Float
        init(part: Float) { self.part = part }
        init(from decoder: any Decoder) throws { part = try decoder.singleValueContainer().decode(Float.self) }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(part)
        }
    }

    /// Those types of the standard library read and write themselves by asking for themselves.
    @Test func `a number of another type than the usual ones is refused`() {
        let share = JSONValue.object(["part": .number(0.5)])
        #expect(throws: DecodingError.self) { try share.decoded(as: Share.self) }
        #expect(throws: DecodingError.self) { try JSONValue.number(0.5).decoded(as: Wrapper.self) }
        #expect(throws: DecodingError.self) { try JSONValue.array([.number(0.5)]).decoded(as: [Float].self) }
        #expect(throws: EncodingError.self) { try JSONValue(encoding: Share(part: 0.5)) }
        #expect(throws: EncodingError.self) { try JSONValue(encoding: Wrapper(part: 0.5)) }
        #expect(throws: EncodingError.self) { try JSONValue(encoding: [Float(0.5)]) }
    }

    private struct Holder: Encodable { let value: JSONValue }

    @Test func `a value within a type is written as it is, by no other encoder`() throws {
        let value = JSONValue.array([.null, .integer(1 << 60)])
        #expect(try JSONValue(encoding: Holder(value: value)) == .object(["value": value]))
        #expect(try JSONValue(encoding: value) == value)
        #expect(throws: EncodingError.self) { try JSONEncoder().encode(Holder(value: value)) }
    }

    @Test func `an element that does not fit is named by its place`() throws {
        let json = JSONValue.array([.string("a"), .number(1)])
        #expect {
            try json.decoded(as: [String].self)
        } throws: { error in
            guard case DecodingError.typeMismatch(_, let context) = error else { return false }
            return context.codingPath.map(\.intValue) == [1]
        }
    }

    @Test func `a long answer of one's own service is read, and a stranger's is not`() throws {
        let text = Array("[\(Array(repeating: "0", count: 20_000).joined(separator: ","))]".utf8)
        #expect(JSONValue(json: text) == nil)
        #expect(throws: JSONFault.malformed) { try StrictJSON.value(text) }
        guard case .array(let values) = try JSONValue(json: text, by: .trusted) else { throw JSONFault.malformed }
        #expect(values.count == 20_000)
    }
}
