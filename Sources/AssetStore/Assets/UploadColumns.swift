import Assets
import GRDB

extension Upload {
    private enum Column: Int32, Columns {
        case uploadName, uploadFileName, uploadType, uploadSize, uploadDigest
    }

    private static let select = "SELECT \(Column.list) FROM assets WHERE line = ? AND upload_name IS NOT NULL"

    /// The file of an asset; `nil` where it has none.
    static func find(ofAsset line: Int64, in db: Database) throws -> Upload? {
        try db.first(select, .integer(line)) { row in
            Upload(
                storedName: row.text(Column.uploadName), fileName: row.text(Column.uploadFileName),
                contentType: row.text(Column.uploadType), size: row.count(Column.uploadSize),
                digest: row.text(Column.uploadDigest))
        }
    }

    /// The files that assets have.
    static func storedNames(in db: Database) throws -> Set<String> {
        Set(try db.all("SELECT upload_name FROM assets WHERE upload_name IS NOT NULL") { $0.text(0) })
    }
}
