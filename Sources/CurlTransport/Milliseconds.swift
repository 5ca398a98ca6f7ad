extension Duration {
    /// Between 1 ms and a day: zero means "no limit" to libcurl, and adding a huge one to a time would overflow.
    var clampedAsTimeout: Duration {
        min(max(self, .milliseconds(1)), .seconds(86_400))
    }

    /// Whole milliseconds, rounded up, at least 1, so that waiting this long is never too short.
    var milliseconds: Int {
        let (seconds, attoseconds) = clampedAsTimeout.components
        return Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
