/// Cuts texts into chunks (CONTRACT-ASSETS, "Chunk").
///
/// Each chunk ends as late as its size allows at the best place there is: the end of a paragraph, else of a line, a
/// sentence, a word, else between two characters of a word. It begins with the end of the one before, from the best
/// place on that the overlap allows. White space at both ends is left out.
public struct Chunker: Sendable {
    /// The most bytes of a chunk.
    let chunkBytes: Int
    /// The most bytes that two chunks share.
    let overlapBytes: Int

    /// - Parameters:
    ///   - size: the most tokens of a chunk, at least 16.
    ///   - overlap: the most tokens that a chunk shares with the one before, less than half of `size`.
    public init(size: Int, overlap: Int) {
        let size = min(max(size, 16), 1 << 20)
        chunkBytes = size * Self.bytesOfToken
        overlapBytes = min(max(overlap, 0), (size - 1) / 2) * Self.bytesOfToken
    }

    /// The chunks of `text`, cut one by one as they are asked for. The text is not copied.
    public func chunks(of text: ExtractedText) -> Chunks { Chunks(of: text, by: self) }

    /// The tokens of a text of so many bytes of UTF-8: a quarter, rounded up (CONTRACT-ASSETS, D16).
    public static func tokens(ofBytes count: Int) -> Int { (count + bytesOfToken - 1) / bytesOfToken }

    private static let bytesOfToken = 4
}
