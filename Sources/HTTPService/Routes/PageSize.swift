/// The number of items that a page of a list may hold: 1 to 1000, and 100 unless its query says otherwise.
package struct PageSize: Sendable {
    /// The number.
    package let items: Int

    /// - Parameter text: the query's `pageSize`; throws `invalid_request` where it is no such number.
    package init(_ text: String?) throws(Problem) {
        guard let text else {
            items = 100
            return
        }
        guard let size = WholeNumber.read(text), (1...1000).contains(size) else {
            throw .invalidRequest("the parameter \"pageSize\" must be a whole number from 1 to 1000")
        }
        items = Int(size)
    }
}

/// Whole numbers in queries.
package enum WholeNumber {
    /// `nil` where the text is anything but digits, or beyond 63 bits.
    package static func read(_ text: String) -> Int64? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int64(text) : nil
    }
}

extension Problem {
    /// The answer to a `pageToken` that is none of the list's.
    package static let badPageToken = Problem.invalidRequest(
        "the parameter \"pageToken\" must be a nextPageToken of this list; leave it out for the first page")
}
