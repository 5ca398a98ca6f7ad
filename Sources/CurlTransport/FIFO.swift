/// First in, first out, at constant cost on average.
struct FIFO<Element> {
    private var front: [Element] = []  // next to leave is last
    private var back: [Element] = []

    var count: Int { front.count + back.count }

    var first: Element? { front.last ?? back.first }

    mutating func append(_ element: Element) {
        back.append(element)
    }

    mutating func popFirst() -> Element? {
        if front.isEmpty {
            swap(&front, &back)
            front.reverse()
        }
        return front.popLast()
    }
}
