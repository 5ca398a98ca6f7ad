import Assets
import GRDB

/// The chunks of one reading of a document, as one range of lines in their table: they lie together, in order.
///
/// It has the number of the item whose work made them, which is never given twice. So a new text grows beside the old
/// one, where no document refers to it, until the document is turned to it.
struct TextID {
    let number: Int64

    private static let indexBits: Int64 = 24
    private static let lastIndex: Int64 = 1 << indexBits - 1

    var first: Int64 { number << Self.indexBits }
    var last: Int64 { first | Self.lastIndex }

    func line(_ index: Int) throws(ChunkOutOfRange) -> Int64 {
        guard index >= 0, index <= Self.lastIndex else { throw ChunkOutOfRange() }
        return first | Int64(index)
    }

    /// The line that those after `position` follow. A caller's position may be any number.
    func line(after position: Int64?) -> Int64 {
        guard let position else { return first - 1 }
        return first + min(max(position, -1), Self.lastIndex)
    }

    static func index(_ line: Int64) -> Int { Int(line & lastIndex) }

    private static let insert = """
        INSERT INTO chunks (line, token_count, scalar_start, scalar_end, line_start, line_end, page, heading_path, content)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    func insert(_ chunks: [StagedChunk], into db: Database) throws {
        for staged in chunks {
            let (chunk, line) = (staged.chunk, try line(staged.chunk.index))
            try db.run(
                Self.insert, .integer(line), .integer(chunk.tokenCount), .integer(chunk.scalars.lowerBound),
                .integer(chunk.scalars.upperBound), .integer(chunk.lines.lowerBound), .integer(chunk.lines.upperBound),
                .integer(chunk.page), .text(chunk.headingPath), .text(chunk.content))
            if let vector = staged.vector {
                try db.run(
                    "INSERT INTO vectors (line, vector) VALUES (?, ?)", .integer(line), .blob(vector.littleEndian))
            }
        }
    }

    /// Deletes it, or has the purge do so where that would hold up others. Tells whether there is something to purge.
    func discard(_ chunkCount: Int, from db: Database) throws -> Bool {
        guard chunkCount > 0 else { return false }
        guard chunkCount <= Purge.mostAtOnce else {
            try db.run("INSERT OR IGNORE INTO discarded_texts (text) VALUES (?)", .integer(number))
            return true
        }
        try db.run("DELETE FROM vectors WHERE line BETWEEN ? AND ?", .integer(first), .integer(last))
        try db.run("DELETE FROM chunks WHERE line BETWEEN ? AND ?", .integer(first), .integer(last))
        return false
    }
}

/// A chunk's index is none that the table has a place for.
struct ChunkOutOfRange: Error {}

extension [Float] {
    /// Four bytes each, the lowest first.
    var littleEndian: [UInt8] { map(\.bitPattern.littleEndian).withUnsafeBytes { [UInt8]($0) } }
}
