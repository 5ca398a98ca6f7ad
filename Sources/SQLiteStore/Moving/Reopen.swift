public import Broker
import Formats
import GRDB
public import Secrets

extension SQLiteStore {
    /// Makes a database fit to serve that is of the past: one that was moved to another store, or that was put back to an
    /// earlier state.
    ///
    /// Ends every flow and destroys every credential key, in one transaction with the mark's removal: they may have been
    /// redeemed since, elsewhere. The number of the keys.
    public static func reopen(
        _ database: IdleDatabase, keyRing: KeyRing, recording event: Event
    ) throws(OpeningError) -> Int {
        let path = database.path
        try StoreFile.inspect(path, keyRing, takingMoved: true)
        do {
            let (queue, trail) = try StoreFile.open(path, keyRing, takingMoved: true)
            let count = try queue.write { db in
                try trail.append(event, to: db)
                try db.execute(
                    sql: "INSERT INTO revocations (time) VALUES (?)", arguments: [event.time.milliseconds])
                try db.execute(sql: "DELETE FROM credential_keys")
                let count = db.changesCount
                try db.execute(
                    sql: """
                        UPDATE flows SET status = \(FlowRow.Status.failed), error = '\(FlowRow.revoked)', sealed_key = NULL
                            WHERE \(FlowRow.Status.isLive);
                        DELETE FROM refreshes;
                        """)
                try trail.finish(db)
                try MoveMark.clear(db)
                return count
            }
            try MoveMark.keepInFile(queue, path)
            try queue.close()
            return count
        } catch {
            throw StoreFile.opening(error, path)
        }
    }
}
