import Formats
import Testing

@testable import cloakroom

/// What commands read of answers and arguments.
@Suite struct ReadingTests {
    @Test(
        arguments: [
            (.number(3), 3), (.integer(1 << 60), 1 << 60), (.number(2.5), 3), (.number(1e300), nil),
            (.number(-1e19), nil),
            (.number(.nan), nil), (.string("3"), nil), (.null, nil),
        ] as [(JSONValue, Int64?)])
    func `a number that no integer holds is none`(_ value: JSONValue, _ whole: Int64?) {
        #expect(value.whole == whole)
    }

    @Test(
        arguments: [
            (.integer(1_790_000_000_000), "2026-09-21T14:13:20Z"), (.integer(0), "1970-01-01T00:00:00Z"),
            (.integer(.max), ""), (.number(-1e300), ""), (.string("1790000000000"), ""), (.null, ""),
        ] as [(JSONValue, String)])
    func `a time is for people, and empty where no calendar has it`(_ value: JSONValue, _ text: String) {
        #expect(["time": value].time("time") == text)
    }

    @Test func `objects of a list are read, whatever else is in it`() {
        #expect(JSONValue.array([.object(["a": .null]), .null]).objects == [["a": .null], [:]])
        #expect(JSONValue.object([:]).objects == nil)
    }

    @Test(
        arguments: [
            (["a=b"], ["a": "b"]), (["a="], ["a": ""]), (["a=b=c", "d=e"], ["a": "b=c", "d": "e"]), ([], [:]),
        ] as [([String], [String: String])])
    func `parameters are names and values`(_ pairs: [String], _ parameters: [String: String]) throws {
        #expect(try Parameters.read(pairs) == parameters)
    }
}
