import Assets
import Formats
import Testing

@Suite struct IdentifierTests {
    @Test func `an id that begins with a time has its form, and lies behind those of before`() throws {
        let early = DocumentID(madeAt: Timestamp(milliseconds: 0x0198_0000_0001))
        let late = DocumentID(madeAt: Timestamp(milliseconds: 0x0198_0000_0100))
        #expect(early.description.hasPrefix("01980000-0001-7"))
        #expect(["8", "9", "a", "b"].contains(early.description.dropFirst(19).first.map(String.init)))
        #expect(early.description < late.description)
        #expect(DocumentID(early.description) == early)
        #expect(DocumentID(madeAt: Timestamp(milliseconds: 0x0198_0000_0001)) != early)
    }

    @Test func `a time before the epoch makes an id all the same`() {
        #expect(DocumentID(madeAt: Timestamp(milliseconds: -1)).description.hasPrefix("00000000-0000-7"))
    }
}
