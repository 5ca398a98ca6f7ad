import Testing

@testable import Formats

@Suite struct HTTPDateTests {
    /// 2026-01-01T00:00:00Z
    private let now = Timestamp(milliseconds: 1_767_225_600_000)

    /// RFC 9110 § 5.6.7.
    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ])
    func `each form of a date is read`(_ text: String) {
        #expect(HTTPDate.read(text, at: now)?.milliseconds == 784_111_777_000)
    }

    @Test(arguments: [784_111_777, 0, 1_709_251_199, 1_956_527_999])
    func `a date is written in the form that is preferred`(_ seconds: Int64) {
        let text = HTTPDate.text(Timestamp(milliseconds: seconds * 1000 + 999))
        #expect(HTTPDate.read(text, at: now)?.milliseconds == seconds * 1000)
        if seconds == 784_111_777 { #expect(text == "Sun, 06 Nov 1994 08:49:37 GMT") }
    }

    @Test(
        arguments: [
            ("Thu, 29 Feb 2024 23:59:60 GMT", 1_709_251_200), ("Sat, 01 Mar 2025 00:00:00 GMT", 1_740_787_200),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Wed, 31 Dec 2031 23:59:59 GMT", 1_956_527_999),
            // Two digits are of this century unless that is more than 50 years off.
            ("Friday, 01-Jan-76 00:00:00 GMT", 3_345_062_400), ("Saturday, 01-Jan-77 00:00:00 GMT", 220_924_800),
        ] as [(String, Int64)])
    func `a date is a moment`(_ text: String, _ seconds: Int64) {
        #expect(HTTPDate.read(text, at: now)?.milliseconds == seconds * 1000)
    }

    @Test(arguments: [
        "", "17", "soon", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 19940 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT", "1994-11-06T08:49:37Z",
    ])
    func `nothing else is a date`(_ text: String) {
        #expect(HTTPDate.read(text, at: now) == nil)
    }
}
