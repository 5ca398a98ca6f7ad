import Assets
import Formats

/// Reads the answer of an embedder: as many vectors as were asked for, each as long as the model's are, of numbers.
enum EmbeddingAnswer {
    /// A reason why an answer is none. Holds nothing of it but counts.
    enum Fault: Error, Hashable {
        /// No JSON, or without the members that count.
        case malformed
        case wrongCount(Int, expected: Int)
        /// An index that is none of a text, or that comes twice.
        case wrongIndex
        case wrongLength(Int, expected: Int)
        /// `NaN`, an infinity, or a number beyond what a vector holds.
        case notFinite
    }

    static func read(_ json: [UInt8], count: Int, dimensions: Int) throws(Fault) -> Embeddings {
        guard let members = try? StrictJSON.object(json, by: .trusted), case .array(let data)? = members["data"] else {
            throw .malformed
        }
        guard data.count == count else { throw .wrongCount(data.count, expected: count) }
        // By `index`: servers that work on several texts at once may answer in another order.
        var vectors = [[Float]](repeating: [], count: count)
        for element in data {
            guard case .object(let element) = element, let index = element["index"]?.number.flatMap(Int.init(exactly:))
            else { throw .malformed }
            guard vectors.indices.contains(index), vectors[index].isEmpty else { throw .wrongIndex }
            vectors[index] = try vector(element["embedding"], dimensions)
        }
        return Embeddings(vectors: vectors, tokenCount: tokenCount(members["usage"]))
    }

    private static func vector(_ value: JSONValue?, _ dimensions: Int) throws(Fault) -> [Float] {
        guard case .array(let values)? = value else { throw .malformed }
        guard values.count == dimensions else { throw .wrongLength(values.count, expected: dimensions) }
        var vector: [Float] = []
        vector.reserveCapacity(dimensions)
        for value in values {
            switch value {
            case .number, .integer, .digits: break
            default: throw .malformed
            }
            // JSON has no infinities, but numbers that become one.
            guard let number = value.number.map(Float.init), number.isFinite else { throw .notFinite }
            vector.append(number)
        }
        return vector
    }

    /// More than this no call can cost; sums of such numbers stay far from 64 bits.
    private static let mostTokens = 1_000_000_000

    /// `nil` where nothing is said, or nothing that can be.
    private static func tokenCount(_ usage: JSONValue?) -> Int? {
        guard case .object(let members)? = usage, let number = members["total_tokens"]?.number,
            let count = Int(exactly: number), (0...mostTokens).contains(count)
        else { return nil }
        return count
    }
}
