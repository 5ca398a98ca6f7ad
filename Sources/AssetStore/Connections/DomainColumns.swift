import Assets
import Formats
import Foundation

/// Values of the domain that stand in more than one table.
extension SQLRow {
    func timestamp(_ column: some Columns) -> Timestamp { Timestamp(milliseconds: integer(column)) }

    func timestampIfAny(_ column: some Columns) -> Timestamp? {
        integerIfAny(column).map { Timestamp(milliseconds: $0) }
    }
}

extension SQLValue {
    static func moment(_ time: Timestamp) -> SQLValue { .integer(time.milliseconds) }
}

extension Identifier {
    /// 16 bytes; `nil` for any other number of them.
    init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.init(bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) })
    }

    var bytes: [UInt8] { withUnsafeBytes(of: uuid.uuid) { Array($0) } }
}

extension EmbeddingModel.Name {
    init?(_ row: SQLRow, _ provider: some Columns, _ model: some Columns) {
        guard let provider = row.textIfAny(provider), let model = row.textIfAny(model) else { return nil }
        self.init(provider: provider, model: model)
    }
}
