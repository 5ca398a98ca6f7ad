/// Counts the requests on their way to providers, and tells whether there is room for more.
struct ProviderLoad {
    private struct Count {
        var all = 0
        var begun = 0
    }

    private let shares: ProviderShares
    private var all = 0
    private var accounts: [Cause.Account: Count] = [:]
    private var hosts: [String: Count] = [:]

    init(_ shares: ProviderShares) {
        self.shares = shares
    }

    func hasRoom(_ account: Cause.Account, isBegun: Bool) -> Bool {
        let own = accounts[account] ?? Count()
        let most = own.all == 0 ? shares.inAll : shares.inAll - shares.kept
        return all < most && Self.fits(own, share: shares.perTenant, isBegun: isBegun)
    }

    func isFree(_ host: String, isBegun: Bool) -> Bool {
        Self.fits(hosts[host] ?? Count(), share: shares.perHost, isBegun: isBegun)
    }

    /// Tells whether somebody may wait for places that this account and host have taken.
    func mayHoldUp(_ account: Cause.Account, _ host: String) -> Bool {
        all >= shares.inAll - shares.kept || (accounts[account]?.all ?? 0) >= shares.perTenant
            || (hosts[host]?.all ?? 0) >= shares.perHost
    }

    mutating func add(_ change: Int, of account: Cause.Account, at host: String, isBegun: Bool) {
        all += change
        Self.add(change, to: &accounts[account], isBegun: isBegun)
        Self.add(change, to: &hosts[host], isBegun: isBegun)
    }

    /// Flows get a twelfth more where calls that can be made again have filled a share: a provider that hangs
    /// over refreshes may well answer an exchange.
    private static func fits(_ count: Count, share: Int, isBegun: Bool) -> Bool {
        let more = share / 12
        return count.all < share || (isBegun && count.begun < more && count.all < share + more)
    }

    private static func add(_ change: Int, to count: inout Count?, isBegun: Bool) {
        var new = count ?? Count()
        new.all += change
        if isBegun { new.begun += change }
        count = new.all == 0 ? nil : new
    }
}
