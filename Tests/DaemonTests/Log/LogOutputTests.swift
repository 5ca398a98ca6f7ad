import Daemon
import Glibc
import Testing

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

    private static func loss(_ count: Int) -> [UInt8] { Array("lost \(count)\n".utf8) }

    /// A pipe holds 64 KiB.
    @Test func `a reader that stalls holds up no line, and what was dropped is told`() throws {
        let output = LogOutput(writer, mostWaiting: 100_000)
        for number in 0..<5000 { output.write(Self.line(number), afterLoss: Self.loss) }
        let dropped = output.droppedCount
        #expect((1..<5000).contains(dropped))
        // There is room again once somebody reads.
        var lines = read { text in
            text.split(separator: "\n").count { !$0.hasPrefix("lost") } == 5000 - dropped && text.hasSuffix("\n")
        }
        output.write(Array("end\n".utf8), afterLoss: Self.loss)
        lines += read { $0.hasSuffix("end\n") }
        #expect(lines.last == "end")
        let losses = lines.filter { $0.hasPrefix("lost") }.compactMap { Int($0.dropFirst("lost ".count)) }
        #expect(losses.reduce(0, +) == dropped)
        let numbers = lines.compactMap { line in Int(line.prefix { $0 != " " }) }
        #expect(numbers.count == 5000 - dropped && numbers == numbers.sorted())
    }

    @Test func `what was handed over is written when the flush returns`() throws {
        let output = LogOutput(writer)
        for number in 0..<100 { output.write(Self.line(number)) { _ in [] } }
        output.flush()
        close(writer)
        #expect(read { _ in false }.count == 100)
    }
}
