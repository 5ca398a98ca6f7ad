import Daemon
import Formats
import Logging
import Testing

@Suite struct LineLogHandlerTests {
    private static func line(
        _ message: String, _ metadata: Logger.Metadata = [:], as format: LogFormat,
        own: Logger.Metadata = [:], error: (any Error)? = nil
    ) -> String {
        var handler = LineLogHandler(format: format, logLevel: .trace)
        handler.metadata = own
        let event = LogEvent(
            level: .notice, message: "\(message)", error: error, metadata: metadata, source: "", file: "", function: "",
            line: 0)
        return String(
            decoding: handler.line(event, at: Timestamp(milliseconds: 1_790_000_000_007)), as: UTF8.self)
    }

    private static func members(_ line: String) throws -> [String: JSONValue] {
        try StrictJSON.object(Array(line.utf8))
    }

    @Test func `a JSON line is one object, its members in order`() throws {
        let line = Self.line("started", ["b": "2", "a": "1", "n": .stringConvertible(7)], as: .json)
        #expect(
            line
                == #"{"time":"2026-09-21T14:13:20.007Z","level":"notice","message":"started","a":"1","b":"2","n":7}"#
                + "\n")
    }

    @Test func `a text line has its members after the message`() {
        let line = Self.line("started", ["b": "two words", "a": "1", "e": ""], as: .text)
        #expect(line == "2026-09-21T14:13:20.007Z notice started a=1 b=\"two words\" e=\n")
    }

    @Test func `a call's own value comes before the logger's`() throws {
        let line = Self.line("m", ["a": "call"], as: .json, own: ["a": "logger", "b": "logger"])
        let members = try Self.members(line)
        #expect(members["a"] == .string("call") && members["b"] == .string("logger"))
    }

    private static let hostile = "x\"\\\n\u{1B}[2J\u{7}\u{7F}\u{9B}31m\u{202E}gpj\u{2028}\u{301}"

    @Test(arguments: [LogFormat.json, .text])
    func `nothing in a line acts on a terminal or begins another`(_ format: LogFormat) throws {
        let line = Self.line(Self.hostile, ["who": .string(Self.hostile)], as: format)
        #expect(Array(line.unicodeScalars.filter(\.isActive)) == ["\n"])
        #expect(line.hasSuffix("\n"))
    }

    @Test func `a JSON line holds what was said`() throws {
        let members = try Self.members(Self.line("m", ["who": .string(Self.hostile)], as: .json))
        #expect(members["who"] == .string(Self.hostile))
    }

    /// Else whoever chooses one value could write the next.
    @Test(arguments: [#"a" admin="yes"#, #"a \"#, #"a \" admin="yes"#, "a \"\u{301} b"])
    func `no value of a text line ends before its end`(_ value: String) throws {
        let line = Self.line("m", ["a": .string(value), "z": "last"], as: .text)
        let start = try #require(line.firstRange(of: " a=\"")).upperBound
        // As a reader of such lines would: a backslash takes the next character with it.
        var read: [UInt8] = []
        var rest = line[start...].utf8[...]
        while let byte = rest.popFirst(), byte != 0x22 {
            if byte == 0x5C, let next = rest.popFirst() { read.append(next) } else { read.append(byte) }
        }
        #expect(String(decoding: read, as: UTF8.self).utf8.elementsEqual(value.utf8))
        #expect(rest.elementsEqual(" z=last\n".utf8))
    }
}
