import Formats
import Testing

@Suite struct ASCIITextTests {
    @Test func `one bad byte is found wherever it is`() {
        for count in 0...70 {
            var bytes = [UInt8](repeating: 0x61, count: count)
            #expect(bytes.everyByte { $0 < 0x80 })
            for place in bytes.indices {
                bytes[place] = 0x80
                #expect(!bytes.everyByte { $0 < 0x80 })
                #expect(!bytes.reversed().everyByte { $0 < 0x80 }, "in no one piece")
                bytes[place] = 0x61
            }
        }
    }
}
