import Formats
import Testing

@testable import Broker

@Suite struct TurnsTests {
    private static let until = ContinuousClock.now

    private static func call(_ tenant: String, _ host: String = "h") throws -> Turns.Place {
        Turns.Place(.call(try #require(TenantID(tenant)), until: until), host: host)
    }

    private static func flow(_ tenant: String, _ host: String = "h") throws -> Turns.Place {
        Turns.Place(.flow(try #require(TenantID(tenant))), host: host)
    }

    /// Starts as many as there is room for, at most `most`.
    private static func fill(_ turns: Order, _ place: Turns.Place, most: Int = 100) -> Int {
        (0..<most).first { _ in !turns.start(place) } ?? most
    }

    @Test func `one tenant and one host have 48 at once, and 8 are kept for tenants that have none running`() throws {
        let turns = Order(ProviderShares())
        #expect(Self.fill(turns, try Self.call("a", "one")) == 48)
        // Another host is no way round a tenant's share, nor another tenant round a host's.
        #expect(!turns.start(try Self.call("a", "two")))
        #expect(!turns.start(try Self.call("b", "one")))
        #expect(Self.fill(turns, try Self.call("b", "two")) == 8)
        for number in 0..<8 {
            let place = try Self.call("new\(number)", "three")
            #expect(turns.start(place))
            #expect(!turns.start(place))
        }
        #expect(!turns.start(try Self.call("last", "four")))
    }

    @Test func `one host that hangs leaves the others their places`() throws {
        let turns = Order(ProviderShares())
        for number in 0..<60 { _ = turns.start(try Self.call("t\(number)", "hung")) }
        #expect(Self.fill(turns, try Self.call("a", "fine")) == 8)
        #expect(turns.start(try Self.call("b", "fine")))
    }

    @Test func `tenants take turns, however many one of them sends`() throws {
        let turns = Order(ProviderShares(inAll: 1, kept: 0))
        let place = try Self.call("a", "h")
        #expect(turns.start(place))
        for id in 0..<100 { #expect(turns.wait(id, place)) }
        #expect(turns.wait(100, try Self.call("b")))
        #expect(turns.wait(101, try Self.call("b")))
        #expect(turns.wait(102, try Self.call("c")))
        var order: [Int] = []
        var running = place
        for _ in 0..<6 {
            let next = try #require(turns.end(running).first)
            order.append(next)
            running = next < 100 ? place : try Self.call(next < 102 ? "b" : "c")
        }
        #expect(order == [0, 100, 102, 1, 101, 2])
    }

    @Test func `a tenant's hosts take turns, and one without room holds up none`() throws {
        let turns = Order(ProviderShares(inAll: 3, perHost: 1, kept: 0))
        let (hung, fine) = (try Self.call("a", "hung"), try Self.call("a", "fine"))
        #expect(turns.start(hung))
        #expect(turns.start(fine))
        for id in 0..<50 { #expect(turns.wait(id, hung)) }
        #expect(turns.wait(50, fine))
        #expect(turns.wait(51, fine))
        #expect(turns.end(fine) == [50])
        #expect(turns.end(fine) == [51])
        #expect(turns.end(hung) == [0])
    }

    @Test func `what a flow has begun comes before what can be asked again, which is not forgotten`() throws {
        let turns = Order(ProviderShares(inAll: 1, kept: 0))
        let (call, flow) = (try Self.call("a"), try Self.flow("b"))
        #expect(turns.start(call))
        #expect(turns.wait(0, call))
        for id in 1...20 { #expect(turns.wait(id, flow)) }
        var order = turns.end(call)
        for _ in 0..<8 { order += turns.end(order.last == 0 ? call : flow) }
        #expect(order == [1, 2, 3, 4, 5, 6, 7, 0, 8])
    }

    /// A provider may hang over one tenant's refreshes and answer another's exchange.
    @Test func `calls that fill a share leave flows a twelfth more`() throws {
        let turns = Order(ProviderShares())
        #expect(Self.fill(turns, try Self.call("a")) == 48)
        #expect(Self.fill(turns, try Self.flow("b")) == 4)
        let small = Order(ProviderShares(perHost: 2))
        #expect(Self.fill(small, try Self.call("a")) == 2)
        #expect(!small.start(try Self.flow("b")))
        let flows = Order(ProviderShares())
        #expect(Self.fill(flows, try Self.flow("a")) == 48)
    }

    @Test func `a flood of one tenant leaves places to wait for others, and flows are never refused`() throws {
        let turns = Order(ProviderShares(inAll: 1, kept: 0, waitingCalls: 100))
        let place = try Self.call("a")
        #expect(turns.start(place))
        let most = (0..<100).first { !turns.wait($0, place) }
        #expect(most == 20)
        #expect(turns.wait(200, try Self.call("b")))
        for id in 300..<1300 { #expect(turns.wait(id, try Self.flow("a"))) }
        // However many tenants flood, each has one place as long as there is any.
        let admitted = try (2000..<2200).filter { turns.wait($0, try Self.call("t\($0)")) }.count
        #expect(admitted == 79)
    }

    @Test func `who waits no more is passed over`() throws {
        let turns = Order(ProviderShares(inAll: 1, kept: 0))
        let place = try Self.call("a")
        #expect(turns.start(place))
        for id in 0..<3 { #expect(turns.wait(id, place)) }
        #expect(turns.withdraw(0, place))
        #expect(!turns.withdraw(0, place))
        #expect(turns.end(place) == [1])
        #expect(!turns.withdraw(1, place))
        #expect(turns.withdraw(2, place))
        #expect(turns.waitingCount == 0)
        #expect(turns.end(place) == [])
        #expect(turns.start(place))
    }

    /// The invariant by which a newcomer may start without asking who waits.
    @Test func `nothing waits that could start`() throws {
        let turns = Order(ProviderShares(inAll: 12, perTenant: 6, perHost: 5, kept: 3, waitingCalls: 4096))
        var running: [Turns.Place] = []
        var waiting: [Int: Turns.Place] = [:]
        var random = Linear(state: 42)
        for id in 0..<1000 {
            if random.next(below: 5) < 3 || running.isEmpty {
                let (tenant, host) = ("t\(random.next(below: 6))", "h\(random.next(below: 4))")
                let place = try random.next(below: 3) == 0 ? Self.flow(tenant, host) : Self.call(tenant, host)
                if turns.start(place) {
                    running.append(place)
                } else if turns.wait(id, place) {
                    waiting[id] = place
                }
            } else {
                let place = running.remove(at: random.next(below: running.count))
                for id in turns.end(place) {
                    let started = waiting.removeValue(forKey: id)
                    running.append(try #require(started))
                }
            }
            #expect(running.count <= 12 && turns.waitingCount == waiting.count)
            let copy = Order(turns.turns)
            #expect(waiting.values.allSatisfy { !copy.start($0) })
        }
    }

    /// The turns as a reference, for expectations to change.
    private final class Order {
        var turns: Turns

        init(_ turns: Turns) { self.turns = turns }
        convenience init(_ shares: ProviderShares) { self.init(Turns(shares)) }

        var waitingCount: Int { turns.waitingCount }
        func start(_ place: Turns.Place) -> Bool { turns.start(place) }
        func wait(_ id: Int, _ place: Turns.Place) -> Bool { turns.wait(id, place) }
        func withdraw(_ id: Int, _ place: Turns.Place) -> Bool { turns.withdraw(id, place) }
        func end(_ place: Turns.Place) -> [Int] { turns.end(place) }
    }

    /// A generator that gives the same numbers each time.
    private struct Linear {
        var state: UInt64

        mutating func next(below bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
    }
}
