import Assets
import Formats

extension AssetOperation {
    /// The operation as callers see it. Its cost is that of its tokens at the price of now.
    func json(by catalog: AssetCatalog) -> JSONValue {
        .object([
            "id": .string(id.description),
            "assetId": .string(asset.description),
            "tenantId": .string(tenant.description),
            "type": .string(kind.rawValue),
            "status": .string(status.rawValue),
            "done": .bool(status.isDone),
            "createdAt": .time(createdAt),
            "updatedAt": .time(updatedAt),
            "startedAt": .time(startedAt),
            "completedAt": .time(completedAt),
            "itemsProcessed": .count(counters.itemsProcessed),
            "itemsTotal": .count(counters.itemsTotal),
            "itemsFailed": .count(counters.itemsFailed),
            "itemsSkipped": .count(counters.itemsSkipped),
            "itemsRemoved": .count(counters.itemsRemoved),
            "tokenCount": .count(counters.tokenCount),
            "chunkCount": .count(counters.chunkCount),
            "cost": .money(catalog.models.cost(ofTokens: counters.tokenCount, of: model)),
            "errorMessage": .text(failure?.message),
            "errorCode": .text(failure?.code.rawValue),
            "createdBy": .text(createdBy),
        ])
    }
}
