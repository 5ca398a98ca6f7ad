import CZip

/// A ZIP archive in memory, by libzip: to be opened in a child process alone.
final class ZipArchive {
    private let archive: OpaquePointer
    /// libzip reads from it as long as the archive is open.
    private let bytes: UnsafeMutableRawBufferPointer

    init(_ content: [UInt8]) throws(DocxFault) {
        bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(content.count, 1), alignment: 1)
        bytes.copyBytes(from: content)
        guard let source = zip_source_buffer_create(bytes.baseAddress, zip_uint64_t(content.count), 0, nil) else {
            bytes.deallocate()
            throw .noArchive
        }
        guard let archive = zip_open_from_source(source, ZIP_RDONLY, nil) else {
            zip_source_free(source)
            bytes.deallocate()
            throw .noArchive
        }
        self.archive = archive
    }

    deinit {
        // Nothing was written; the source goes with it.
        zip_discard(archive)
        bytes.deallocate()
    }

    /// The content of a file; `nil` where there is none of the name.
    ///
    /// - Parameter limit: the most bytes that it may unpack to, whatever it says of itself.
    func file(_ name: String, atMost limit: Int) throws(DocxFault) -> [UInt8]? {
        let index = zip_name_locate(archive, name, 0)
        guard index >= 0 else { return nil }
        var entry = zip_stat_t()
        guard zip_stat_index(archive, zip_uint64_t(index), 0, &entry) == 0 else { throw .brokenArchive }
        guard Int32(entry.encryption_method) == ZIP_EM_NONE else { throw .encrypted }
        guard entry.size <= UInt64(limit) else { throw .tooMuchText }
        guard let file = zip_fopen_index(archive, zip_uint64_t(index), 0) else { throw .brokenArchive }
        defer { zip_fclose(file) }
        return try Self.content(of: file, declared: Int(entry.size), atMost: limit)
    }

    private static func content(
        of file: OpaquePointer, declared: Int, atMost limit: Int
    ) throws(DocxFault) -> [UInt8] {
        var content: [UInt8] = []
        content.reserveCapacity(declared)
        var piece = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Int(zip_fread(file, &piece, zip_uint64_t(piece.count)))
            guard count >= 0 else { throw .brokenArchive }
            if count == 0 { return content }
            guard content.count + count <= limit else { throw .tooMuchText }
            content += piece[..<count]
        }
    }
}
