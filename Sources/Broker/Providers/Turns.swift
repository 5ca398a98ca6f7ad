import Formats

/// Decides which requests may go to providers now, and which come next: by shares of tenants and hosts, tenants in
/// turn, and requests of flows before calls that can be made again. It only decides; `FairTransport` sends.
///
/// After each step nothing waits that could start, so a request that finds room on arrival overtakes none.
struct Turns {
    /// The account of a request, and the host that it goes to.
    struct Place {
        let account: Cause.Account
        let host: String
        let isBegun: Bool
        /// True if it is refused where too many wait.
        let isBounded: Bool

        init(_ cause: Cause, host: String) {
            account = cause.account
            self.host = host
            isBegun = cause.isBegun
            isBounded = if case .call = cause { true } else { false }
        }
    }

    private let mostWaitingCalls: Int
    private var load: ProviderLoad
    private var begun = WaitingLine()
    private var repeatable = WaitingLine()
    private var turnsGiven = 0

    init(_ shares: ProviderShares) {
        mostWaitingCalls = shares.waitingCalls
        load = ProviderLoad(shares)
    }

    var waitingCount: Int { begun.count + repeatable.count }
    var waitingOfFlows: Int { begun.count }
    func waitingOfFlows(of tenant: TenantID) -> Int { begun.count(of: .tenant(tenant)) }

    /// Starts a request if there is room for it.
    mutating func start(_ place: Place) -> Bool {
        guard load.hasRoom(place.account, isBegun: place.isBegun), load.isFree(place.host, isBegun: place.isBegun)
        else { return false }
        load.add(1, of: place.account, at: place.host, isBegun: place.isBegun)
        return true
    }

    /// Lets a request wait that found no room. `false` where too many do.
    ///
    /// A tenant may have a fourth of the places that are free: so some stay free in a flood, and the more tenants wait,
    /// the fewer each gets.
    mutating func wait(_ id: Int, _ place: Place) -> Bool {
        if place.isBounded {
            let free = mostWaitingCalls - repeatable.count
            guard free > 0, repeatable.count(of: place.account) < max(1, free / 4) else { return false }
        }
        if place.isBegun {
            begun.append(id, place.account, host: place.host)
        } else {
            repeatable.append(id, place.account, host: place.host)
        }
        return true
    }

    /// Takes a waiting request out. `false` where it does not wait any more.
    mutating func withdraw(_ id: Int, _ place: Place) -> Bool {
        place.isBegun
            ? begun.remove(id, place.account, host: place.host)
            : repeatable.remove(id, place.account, host: place.host)
    }

    /// Ends a request that was started. Gives those that start in its place, already counted as started.
    mutating func end(_ place: Place) -> [Int] {
        let mayHoldUpOthers = waitingCount > 0 && load.mayHoldUp(place.account, place.host)
        load.add(-1, of: place.account, at: place.host, isBegun: place.isBegun)
        guard mayHoldUpOthers else { return [] }
        var started: [Int] = []
        while let id = startNext() { started.append(id) }
        return started
    }

    private mutating func startNext() -> Int? {
        // Every eighth turn the other way round: nothing waits for ever behind flows.
        for isBegun in turnsGiven % 8 == 7 ? [false, true] : [true, false] {
            let load = load
            let hasRoom = { load.hasRoom($0, isBegun: isBegun) }
            let isFree = { load.isFree($0, isBegun: isBegun) }
            let next =
                isBegun
                ? begun.takeNext(where: hasRoom, at: isFree) : repeatable.takeNext(where: hasRoom, at: isFree)
            guard let next else { continue }
            self.load.add(1, of: next.account, at: next.host, isBegun: isBegun)
            turnsGiven += 1
            return next.id
        }
        return nil
    }
}
