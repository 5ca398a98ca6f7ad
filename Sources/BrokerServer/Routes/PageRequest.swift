import Broker
import Formats
import HTTPService
import HTTPTypes
import Hummingbird

/// One page of a list, as its query asks for it.
struct PageRequest: Sendable {
    private let query: QueryParameters
    let size: Int

    init(_ query: QueryParameters) throws {
        self.query = query
        size = try PageSize(query["pageSize"]).items
    }

    subscript(name: String) -> String? {
        get throws { try query[name] }
    }

    var tenant: TenantID? {
        get throws { try self["tenant"].map(PathParameters.tenant) }
    }

    /// One more than the page holds, so that it is known whether another follows.
    func fetch<Page: Sendable>(_ page: (Int) async throws(StoreError) -> Page) async throws -> Page {
        do {
            return try await page(size + 1)
        } catch {
            throw Problem.unavailable(error)
        }
    }

    /// - Parameters:
    ///   - next: the token after so many items, one at least.
    ///   - further: where a page that is not full goes on.
    func response(_ items: [[String: JSONValue]], next: (Int) -> String, further: String?) -> Response {
        let token = items.count > size ? next(size) : further
        return .json(
            JSONValue.object([
                "items": .array(items.prefix(size).map(JSONValue.object)),
                "nextPageToken": token.map(JSONValue.string) ?? .null,
            ]))
    }
}
