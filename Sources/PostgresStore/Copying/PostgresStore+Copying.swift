package import Secrets
package import StoreParts

extension PostgresStore {
    /// Copies a store into an empty database, or goes on with the same copy where that was interrupted.
    ///
    /// At no moment can brokers begin at both: the source is marked before the target has anything of it, and the target
    /// takes none until all is there, both sides have as many rows of each kind, and the audit trail is proven on both.
    /// Throws a `CopyError`, `PostgresOpeningError` or an error of the source.
    ///
    /// - Parameters:
    ///   - pageSize: the rows of one transaction.
    ///   - step: told what is being done.
    package static func copy(
        _ source: some CopySource, to settings: PostgresSettings, keyRing: KeyRing, pageSize: Int = 500,
        step: @escaping (CopyStep) throws -> Void = { _ in }
    ) throws -> CopyReport {
        do {
            let target = try CopyTarget(settings, keyRing)
            var copy = StoreCopy(source: source, target: target, pageSize: pageSize, step: step)
            guard let place = try copy.begin() else { return CopyReport(counts: try copy.counts(), trail: nil) }
            try target.prepare()
            try copy.copyRows(from: place)
            try step(.comparing)
            let report = try copy.compare {
                try verifyAuditTrail(settings, keyRing: keyRing)
            }
            try target.finish()
            // After it: were this the first, a copy that is interrupted between them could not go on.
            try source.noteFinished()
            return report
        } catch let failure as PostgresFailure {
            throw PostgresOpeningError(failure)
        } catch let breach as Breach {
            throw CopyError.copiedTrail(finding: breach.finding)
        }
    }
}

/// One run of a copy.
private struct StoreCopy<Source: CopySource> {
    let source: Source
    let target: CopyTarget
    let pageSize: Int
    let step: (CopyStep) throws -> Void
    private var trail: (events: Int64, first: Int64, last: Int64) = (0, 0, 0)

    init(source: Source, target: CopyTarget, pageSize: Int, step: @escaping (CopyStep) throws -> Void) {
        self.source = source
        self.target = target
        self.pageSize = pageSize
        self.step = step
    }

    /// The place to go on from; `nil` where it was finished before.
    mutating func begin() throws -> CopyTarget.Place? {
        let (state, mark) = (try target.state(), try source.mark)
        switch state {
        case .finished(let id) where id == mark?.id:
            // Not yet noted where the copy was interrupted right after its end.
            try source.noteFinished()
            return nil
        case .copying(let id, let place) where id == mark?.id:
            // Brokers served from it since: what was redeemed there would be good again.
            guard mark?.isFinished == false else { throw CopyError.targetIsOfThePast }
            try proveSource()
            try source.noteBegun()
            return place
        case .empty where mark?.hasBegun != true:
            try proveSource()
            let facts = try source.facts
            guard facts.last <= CopyTarget.largestSequence else { throw CopyError.numbersTooLarge }
            // Under a new name, so that no other target goes on with it.
            let mark = try source.markAsMoved()
            try target.begin(mark.id, facts)
            try source.noteBegun()
            return .start
        case .copying, .finished, .used, .empty:
            throw mark?.hasBegun == true ? CopyError.movedElsewhere : CopyError.targetIsUsed
        }
    }

    private mutating func proveSource() throws {
        try step(.provingSource)
        switch try source.verifyAuditTrail() {
        case .sound(let events, let first, let last): trail = (events, first, last)
        case .broken(let sequence, let finding): throw CopyError.broken(sequence: sequence, finding: finding)
        }
    }

    func copyRows(from start: CopyTarget.Place) throws {
        let kinds = CopiedKind.allCases.drop { $0 != start.kind }
        for kind in kinds {
            var after = kind == start.kind ? start.after : 0
            let total = try source.count(of: kind)
            var count = try target.count(of: kind)
            while true {
                try step(.copying(kind, count, of: total))
                let taken = kind == .auditEvents ? try takeEvents(&after) : try takeRows(of: kind, &after)
                count += Int64(taken)
                if taken < pageSize { break }
            }
        }
    }

    private func takeRows(of kind: CopiedKind, _ after: inout Int64) throws -> Int {
        let (rows, place) = try source.rows(of: kind, after: after, limit: pageSize)
        guard !rows.isEmpty else { return 0 }
        try target.take(rows, until: CopyTarget.Place(kind: kind, after: place))
        after = place
        return rows.count
    }

    private func takeEvents(_ after: inout Int64) throws -> Int {
        let facts = try source.facts
        after = max(after, facts.start)
        let events = try source.events(after: after, limit: pageSize)
        guard !events.isEmpty else { return 0 }
        try target.take(events, facts.key)
        after += Int64(events.count)
        return events.count
    }

    func counts() throws -> [CopiedKind: Int64] {
        var counts: [CopiedKind: Int64] = [:]
        for kind in CopiedKind.allCases { counts[kind] = try source.count(of: kind) }
        return counts
    }

    /// Throws unless both sides have the same.
    func compare(provingTarget: () throws -> AuditVerification) throws -> CopyReport {
        let counts = try counts()
        for kind in CopiedKind.allCases {
            let (there, here) = (counts[kind] ?? 0, try target.count(of: kind))
            guard there == here else { throw CopyError.different(kind, source: there, target: here) }
        }
        let found = try provingTarget()
        switch found {
        case .broken(_, let finding): throw CopyError.copiedTrail(finding: finding)
        case .sound(let events, let first, let last):
            guard events == trail.events, events == 0 || (first, last) == (trail.first, trail.last) else {
                throw CopyError.different(.auditEvents, source: trail.events, target: events)
            }
        }
        return CopyReport(counts: counts, trail: found)
    }
}
