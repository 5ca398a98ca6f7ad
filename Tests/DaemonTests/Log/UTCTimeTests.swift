import Daemon
import Testing

@Suite struct UTCTimeTests {
    @Test(
        arguments: [
            (0, [1970, 1, 1, 0, 0, 0]), (951_782_400, [2000, 2, 29, 0, 0, 0]),
            (1_790_000_000, [2026, 9, 21, 14, 13, 20]),
            (-1, [1969, 12, 31, 23, 59, 59]),
        ] as [(Int64, [Int])])
    func `a moment has its date and time in UTC`(_ seconds: Int64, _ parts: [Int]) {
        let time = UTCTime(seconds: seconds)
        #expect([time.year, time.month, time.day, time.hour, time.minute, time.second] == parts)
    }
}
