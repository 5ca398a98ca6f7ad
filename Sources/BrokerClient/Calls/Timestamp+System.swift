public import Formats
import Glibc

extension Timestamp {
    /// The time of the system's clock.
    public static var current: Timestamp {
        var time = timespec()
        // Fails for clocks that a system lacks alone, and none lacks this one.
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

extension JSONValue {
    /// A moment as the broker writes it: whole milliseconds since 1970, before the year 10000.
    var timestamp: Timestamp? {
        guard let number, let milliseconds = Int64(exactly: number), (0..<253_402_300_800_000).contains(milliseconds)
        else { return nil }
        return Timestamp(milliseconds: milliseconds)
    }
}
