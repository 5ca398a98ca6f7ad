/// Requests that wait, in the order of their turns: tenants one after the other, and the hosts of each likewise, so
/// that neither a tenant that sends many nor a host that hangs holds up the rest.
struct WaitingLine {
    private struct Queue {
        let host: String
        var ids: [Int]
    }

    /// The accounts with waiting requests, the next in turn first.
    private var order: [Cause.Account] = []
    private var queues: [Cause.Account: [Queue]] = [:]
    private var counts: [Cause.Account: Int] = [:]
    private(set) var count = 0

    func count(of account: Cause.Account) -> Int { counts[account] ?? 0 }

    mutating func append(_ id: Int, _ account: Cause.Account, host: String) {
        if queues[account] == nil { order.append(account) }
        let index = queues[account]?.firstIndex { $0.host == host }
        if let index {
            queues[account]?[index].ids.append(id)
        } else {
            queues[account, default: []].append(Queue(host: host, ids: [id]))
        }
        counts[account, default: 0] += 1
        count += 1
    }

    /// Takes out the first that may start. Its tenant, and its host among the tenant's, come last from then on.
    mutating func takeNext(
        where hasRoom: (Cause.Account) -> Bool, at isFree: (String) -> Bool
    ) -> (id: Int, account: Cause.Account, host: String)? {
        for place in order.indices where hasRoom(order[place]) {
            let account = order[place]
            guard let index = queues[account]?.firstIndex(where: { isFree($0.host) }),
                var own = queues.removeValue(forKey: account)
            else { continue }
            var queue = own.remove(at: index)
            let id = queue.ids.removeFirst()
            if !queue.ids.isEmpty { own.append(queue) }
            order.remove(at: place)
            keep(own, account)
            if !own.isEmpty { order.append(account) }
            return (id, account, queue.host)
        }
        return nil
    }

    /// Takes out one that need not wait any more. `false` where it did not wait.
    mutating func remove(_ id: Int, _ account: Cause.Account, host: String) -> Bool {
        guard let index = queues[account]?.firstIndex(where: { $0.host == host }),
            let place = queues[account]?[index].ids.firstIndex(of: id), var own = queues.removeValue(forKey: account)
        else { return false }
        own[index].ids.remove(at: place)
        if own[index].ids.isEmpty { own.remove(at: index) }
        keep(own, account)
        if own.isEmpty { order.removeAll { $0 == account } }
        return true
    }

    /// Keeps the rest of an account's queues, of which one request was taken.
    private mutating func keep(_ own: [Queue], _ account: Cause.Account) {
        queues[account] = own.isEmpty ? nil : own
        let left = count(of: account) - 1
        counts[account] = left == 0 ? nil : left
        count -= 1
    }
}
