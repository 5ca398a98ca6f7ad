import Assets
import Formats
import HTTPService

/// One page of a list, as its query asks for it. Names are read without regard to case, in the spellings of the
/// platform's pages and of its client.
struct PageQuery {
    /// A list of its own; a token of one is none of another's.
    enum List: String {
        case assets = "a"
        case operations = "o"
        case documents = "d"
        case chunks = "c"
    }

    let request: PageRequest
    /// `nil`: everything.
    let search: String?
    private let list: List

    init(_ query: QueryParameters, of list: List) throws(Problem) {
        self.list = list
        guard !query.isMalformed else {
            throw .invalidRequest("the query cannot be decoded; send it in UTF-8, percent-encoded")
        }
        let size = try PageSize(try query.value(ofAnyCase: "pageSize"))
        let token = try query.value(ofAnyCase: "pageToken", "pageToken.Cursor")
        let skip = try query.value(ofAnyCase: "pageToken.Skip")
        request = PageRequest(
            size: size.items, after: try token.map { token throws(Problem) in try Self.place(token, in: list) },
            skip: try skip.map { skip throws(Problem) in try Self.skip(skip) } ?? 0)
        let search = try query.value(ofAnyCase: "search", "query")
        if let search, search.utf8.count > BodyMembers.longestText {
            throw .invalidRequest("the parameter \"search\" must be at most 2048 bytes")
        }
        self.search = search.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The token of the next page.
    func token(_ next: PagePosition?) -> JSONValue { .text(next.map { "\(list.rawValue)\($0.number)" }) }

    private static func place(_ token: String, in list: List) throws(Problem) -> PagePosition {
        guard token.utf8.starts(with: list.rawValue.utf8), token.utf8.count > 1,
            let number = WholeNumber.read(String(Substring(token.utf8.dropFirst())))
        else { throw .badPageToken }
        return PagePosition(number)
    }

    /// No list is longer than 32 bits.
    private static func skip(_ text: String) throws(Problem) -> Int {
        guard !text.isEmpty, let number = WholeNumber.read(text), number <= Int64(Int32.max) else {
            throw .invalidRequest("the parameter \"pageToken.Skip\" must be a whole number from 0 on")
        }
        return Int(number)
    }
}

extension PageQuery {
    /// A page of a list as its answer.
    func json<Item>(_ page: Page<Item>, _ item: (Item) -> JSONValue) -> JSONValue {
        .object([
            "items": .array(page.items.map(item)), "nextPageToken": token(page.next),
            "totalCount": .count(page.totalCount),
        ])
    }
}
