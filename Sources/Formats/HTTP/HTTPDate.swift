import Foundation

/// A date of HTTP: written in one form, read in any of three, as every recipient has to (RFC 9110 § 5.6.7).
package enum HTTPDate {
    /// The moment that a date stands for; `nil` where it is none. The day of the week is not compared.
    ///
    /// - Parameter now: decides the century of a year of two digits: the last one that is not more than 50 years off.
    package static func read(_ text: String, at now: Timestamp) -> Timestamp? {
        let words = text.utf8.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "-") }
        switch words.count {
        // Sun, 06 Nov 1994 08:49:37 GMT
        case 6 where words[3].count == 4 && isGMT(words[5]):
            return moment(year: number(words[3]), words[2], day: words[1], time: words[4])
        // Sunday, 06-Nov-94 08:49:37 GMT
        case 6 where words[3].count == 2 && isGMT(words[5]):
            return moment(
                year: number(words[3]).map { century(of: $0, at: now) }, words[2], day: words[1], time: words[4])
        // Sun Nov  6 08:49:37 1994
        case 5 where words[4].count == 4:
            return moment(year: number(words[4]), words[1], day: words[2], time: words[3])
        default: return nil
        }
    }

    /// The form that is written: `Sun, 06 Nov 1994 08:49:37 GMT`.
    package static func text(_ moment: Timestamp) -> String {
        var seconds = time_t(moment.milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let two = { (number: Int32) in number < 10 ? "0\(number)" : "\(number)" }
        let date = "\(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900)"
        let time = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        return "\(days[Int(parts.tm_wday)]), \(date) \(time) GMT"
    }

    private typealias Word = Substring.UTF8View.SubSequence

    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func isGMT(_ word: Word) -> Bool { word.elementsEqual("GMT".utf8) }

    private static func number(_ word: Word) -> Int64? {
        guard (1...4).contains(word.count), word.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return word.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }

    private static func century(of year: Int64, at now: Timestamp) -> Int64 {
        let thisYear = 1970 + now.milliseconds / 31_556_952_000
        let inThisCentury = thisYear / 100 * 100 + year
        return inThisCentury > thisYear + 50 ? inThisCentury - 100 : inThisCentury
    }

    private static func moment(year: Int64?, _ monthName: Word, day: Word, time: Word) -> Timestamp? {
        let clock = time.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard let year, year >= 1601, let month = months.firstIndex(where: { monthName.elementsEqual($0.utf8) }),
            let day = number(day), (1...31).contains(day), clock.count == 3, clock.allSatisfy({ $0.count == 2 }),
            let hour = number(clock[0]), hour < 24, let minute = number(clock[1]), minute < 60,
            // A leap second is written as 60.
            let second = number(clock[2]), second <= 60
        else { return nil }
        let days = days(year: year, month: Int64(month) + 1, day: day)
        return Timestamp(milliseconds: (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000)
    }

    /// Days since 1970-01-01 of the Gregorian calendar: years count from March on, so that a leap day is the last.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month > 2 ? year : year - 1
        let (era, ofEra) = (year / 400, year % 400)
        let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    }
}
