/// A statement of the program's own, prepared once on each connection. Values come as parameters, never as text.
struct Statement: Sendable {
    let name: String
    let sql: String

    init(_ name: String, _ sql: String) {
        self.name = name
        self.sql = sql
    }

    /// Those of a connection that writes.
    static let writing: [Statement] =
        [fence, newest, line, revocationLine, append, advance, markBroken]
        + [tenantTurns, room, outstanding, start, claim, succeed, fail, noteTold, noteLost]
        + [look, spend, countReuse, leaveOut, takeLeftOut]
        + [revoke, nextKeys, destroyKeys, takeBack, setClient, deleteClient, clientsToReseal, resealClient]
        + [sweepTurn, sweepMarks, keepSweepMarks, sweepKeys, forgetSealedKeys, sweepFlows, forgetFlows, forgetKeys]
        + [forgetRevocations, chainToForget, oldest, forgetEvents, keepStart, heads, anchor, keepAnchor]
        + [refresh, lockRefresh, beginRefresh, renewRefresh, endRefresh, link, unlink, forgetRefreshes]
        + [registration, keepRegistration, noteRegistrationUse, forgetRegistrations]
        + [registrationsToReseal, resealRegistration]
        + [forgetSelectedRefreshes, sweepRefreshes, auditKey, resealAuditKey]
        + [comeIn, leaveBehind, handOver, members, handovers, noteWhole]

    /// Those of a connection that reads.
    static let reading: [Statement] =
        [outcome, isTaken, clients, refresh, keyPage, eventTime, events, seldomEvents, eventsEnd, seldomEventsEnd]
        + [flowUses, keyUses, clientUses, registrationUses, auditKey, registration]
}

/// The keys of the advisory locks, which are the database's own: nothing else in it may use the first number.
enum AdvisoryLock {
    /// `clkr`
    static let space = 0x636C_6B72
    /// A revocation takes it alone, every other transaction shared: none commits beside one.
    static let line = "\(space), 1"
    static let migration = "\(space), 2"
    static let sweep = "\(space), 3"
    static let index = "\(space), 4"
    /// Held by the connection that copies another store into the database.
    static let copy = "\(space), 5"
    /// With a tenant's hash: its flows are counted and begun by one broker at a time.
    static let tenants = space + 1
    /// With a chain's number, for as long as a connection writes to it.
    static let chains = space + 2
}
