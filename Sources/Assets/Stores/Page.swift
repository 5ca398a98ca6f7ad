/// One page of a list.
public struct Page<Item: Sendable>: Sendable {
    public var items: [Item]
    /// The place to go on from; `nil` at the end.
    public var next: PagePosition?
    /// Of all pages.
    public var totalCount: Int

    public init(items: [Item], next: PagePosition?, totalCount: Int) {
        self.items = items
        self.next = next
        self.totalCount = totalCount
    }
}

/// A place in a list: that of the last item told. A store's own order, which later changes do not move.
public struct PagePosition: Sendable, Hashable {
    public var number: Int64

    public init(_ number: Int64) { self.number = number }
}

/// A wish for a page.
public struct PageRequest: Sendable, Hashable {
    /// 1 to 1000.
    public var size: Int
    public var after: PagePosition?
    /// Passed over, after `after`.
    public var skip: Int

    public init(size: Int = 100, after: PagePosition? = nil, skip: Int = 0) {
        self.size = size
        self.after = after
        self.skip = skip
    }
}
