import Assets

extension PageRequest {
    /// One more than is told, to see whether there is one.
    var limit: Int { min(max(size, 1), 1000) + 1 }
    var offset: Int { max(skip, 0) }
}

extension Page {
    /// - Parameter rows: each with its place, at most `request.limit` of them.
    init(_ rows: [(place: Int64, item: Item)], of request: PageRequest, totalCount: Int) {
        let told = rows.prefix(request.limit - 1)
        self.init(
            items: told.map(\.item), next: rows.count > told.count ? told.last.map { PagePosition($0.place) } : nil,
            totalCount: totalCount)
    }
}
