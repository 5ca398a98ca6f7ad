import Formats
import Foundation
import Testing

@testable import Assets

/// A plan, and its steps by name.
struct PlanFixture {
    var plan: IngestionPlan
    private(set) var now = ContinuousClock.now

    init(
        places: Int = 2, besides: Int = 64, pausedBytes: Int = 1000, queuedItems: Int = 100,
        kind: AssetOperation.Kind = .create, isForced: Bool = false, chosen: [String]? = nil, maxDocuments: Int = 100
    ) {
        var bounds = IngestionPlan.Bounds(places: places)
        bounds.besides = besides
        bounds.pausedBytes = pausedBytes
        bounds.queuedItems = queuedItems
        plan = IngestionPlan(
            Ingestion(kind: kind, isForced: isForced, chosen: chosen), listing: .init(maxDocuments: maxDocuments),
            bounds: bounds)
    }

    mutating func start() -> [String] { plan.start(at: now).map(Self.name) }

    mutating func take(_ event: IngestionPlan.Event, after duration: Duration = .seconds(1)) -> [String] {
        now += duration
        return plan.take(event, at: now).map(Self.name)
    }

    /// Finds items and lists the last page.
    mutating func find(_ ids: Int64..., crashes: Int = 0) -> [String] {
        take(.found(ids.map { QueuedItem($0, crashes: crashes) }, isFull: false)) + take(.listed(.init()))
    }

    mutating func begin(_ ids: Int64..., after duration: Duration = .seconds(1)) -> [String] {
        take(.begun(ids.map { QueuedItem($0) }), after: duration)
    }

    mutating func finish(_ id: Int64, found: [QueuedItem] = [], isFull: Bool = false) -> [String] {
        take(.finished([ItemID(id)], found, isFull: isFull))
    }

    private static func name(_ step: IngestionPlan.Step) -> String {
        switch step {
        case .list(let cursor): "list \(cursor?.text ?? "first")"
        case .addMissing(let items): "add missing \(items.map(\.key).sorted().joined(separator: " "))"
        case .begin(let items): "begin \(items.map { String($0.id.number) }.joined(separator: " "))"
        case .read(let queued): "read \(queued.id.number)"
        case .settle(let queued, let outcome): "settle \(queued.id.number) \(outcome.result)"
        case .goOn: "go on"
        }
    }
}

extension QueuedItem {
    init(_ number: Int64, version: String? = nil, kept: String? = nil, crashes: Int = 0) {
        self.init(
            id: ItemID(number),
            item: SourceItem(key: "k\(number)", fileName: "\(number).md", version: version.map { ItemVersion($0) }),
            keptVersion: kept.map { ItemVersion($0) }, crashes: crashes)
    }
}

extension Ingestion {
    init(kind: AssetOperation.Kind, isForced: Bool = false, chosen: [String]? = nil, itemsTotal: Int = 0) {
        let (id, start) = (AssetID(UUID()), Timestamp(milliseconds: 0))
        let asset = Asset(
            id: id, tenant: .acme, displayName: "Handbook",
            source: Asset.Source(type: "website", parameters: [:], hasCredentials: false),
            embedding: EmbeddingSettings(model: nil, chunkSize: 512, chunkOverlap: 64), createdAt: start,
            modifiedAt: start, createdBy: nil)
        var counters = AssetOperation.Counters()
        counters.itemsTotal = itemsTotal
        let operation = AssetOperation(
            id: OperationID(UUID()), asset: id, tenant: .acme, kind: kind, createdAt: start, updatedAt: start,
            counters: counters, model: nil, createdBy: nil)
        self.init(
            operation: operation, asset: asset, upload: nil, isForced: isForced,
            chosen: chosen?.map { SourceItem(key: $0, fileName: $0) })
    }
}

extension TenantID {
    fileprivate static let acme = TenantID("acme")!
}
