import Formats
import Testing

@Suite struct TimestampTests {
    @Test func `seconds are a thousand milliseconds`() {
        #expect(Timestamp(milliseconds: 1_790_000_000_000).adding(seconds: 600).milliseconds == 1_790_000_600_000)
    }

    @Test func `the earlier moment is less`() {
        #expect(Timestamp(milliseconds: 1) < Timestamp(milliseconds: 2))
    }
}
