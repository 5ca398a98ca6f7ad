import Glibc

/// A moment's date and time of day in UTC.
///
/// By `gmtime_r`, where Foundation's calendars would cost more than the log line that the time stands in.
package struct UTCTime {
    /// Such as 2026.
    package let year: Int
    /// 1 to 12.
    package let month: Int
    /// 1 to 31.
    package let day: Int
    /// 0 to 23.
    package let hour: Int
    /// 0 to 59.
    package let minute: Int
    /// 0 to 60.
    package let second: Int

    /// - Parameter seconds: since 1970-01-01T00:00:00Z.
    package init(seconds: Int64) {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        year = Int(parts.tm_year) + 1900
        month = Int(parts.tm_mon) + 1
        day = Int(parts.tm_mday)
        hour = Int(parts.tm_hour)
        minute = Int(parts.tm_min)
        second = Int(parts.tm_sec)
    }
}
