import Glibc
import Testing

@testable import cloakroom

@Suite struct LogOutputTests {
    private let reader: Int32
    private let writer: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        (reader, writer) = (ends[0], ends[1])
    }

    private static func line(_ number: Int) -> [UInt8] {
        Array("\(number) \(String(repeating: "x", count: 200))\n".utf8)
    }

    private func read(until isEnough: (String) -> Bool) -> [Substring] {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while !isEnough(text) {
            let count = Glibc.read(reader, &buffer, buffer.count)
            guard count > 0 else { break }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
        return text.split(separator: "\n")
    }

    /// A pipe holds 64 KiB.
    @Test func `a reader that stalls holds up no line, and what was dropped is told`() throws {
        let output = LogOutput(writer, mostWaiting: 100_000)
        for number in 0..<5000 { output.write(Self.line(number)) { _ in [] } }
        let dropped = output.droppedCount
        #expect((1..<5000).contains(dropped))
        // There is room again once somebody reads.
        let first = read { $0.utf8.count > 1 << 16 }
        output.flush()
        output.write(Array("end\n".utf8)) { Array("lost \($0)\n".utf8) }
        let lines = first + read { $0.hasSuffix("end\n") }
        #expect(lines.suffix(2) == ["lost \(dropped)", "end"])
        let numbers = lines.dropLast(2).joined(separator: "\n").split(separator: "\n").compactMap {
            Int($0.prefix { $0 != " " })
        }
        #expect(numbers.first == 0 && numbers == numbers.sorted())
    }

    @Test func `what was handed over is written when the flush returns`() throws {
        let output = LogOutput(writer)
        for number in 0..<100 { output.write(Self.line(number)) { _ in [] } }
        output.flush()
        close(writer)
        #expect(read { _ in false }.count == 100)
    }
}
