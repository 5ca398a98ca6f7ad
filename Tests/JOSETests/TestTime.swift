import Formats

enum TestTime {
    /// 2026-09-21T13:46:40Z
    static let now = Timestamp(milliseconds: 1_790_000_000_000)
}
