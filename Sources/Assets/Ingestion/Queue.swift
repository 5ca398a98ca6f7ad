/// Elements in the order in which they came. Taking one out costs as little as putting one in, and keeps nothing of it.
struct Queue<Element: Sendable>: Sendable {
    private var arriving: [Element] = []
    /// Those that come first, the first of all last.
    private var leaving: [Element] = []

    var count: Int { arriving.count + leaving.count }
    var isEmpty: Bool { arriving.isEmpty && leaving.isEmpty }

    mutating func append(_ element: Element) { arriving.append(element) }

    mutating func popFirst() -> Element? {
        if leaving.isEmpty {
            leaving = arriving.reversed()
            arriving = []
        }
        return leaving.popLast()
    }
}
