import Assets
import Foundation
import Secrets
import Testing

@testable import AssetStore

@Suite struct UploadTests {
    private let folder: TemporaryFolder
    private let store: SQLiteAssetStore
    private var uploads: UploadFolder { store.uploads }

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteAssetStore(path: folder.database)
    }

    private var files: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder.database + "-uploads"))?.sorted() ?? []
    }

    private func keep(_ bytes: [UInt8]) async throws -> Upload {
        let file = try await uploads.create()
        try await file.write(bytes)
        let (size, digest) = try await file.finish()
        return Upload(
            storedName: file.storedName, fileName: "a.md", contentType: "text/markdown", size: size, digest: digest)
    }

    /// FIPS 180-4: the digest of "abc" is its published example.
    @Test func `a file comes back as it was written, piece by piece`() async throws {
        let file = try await uploads.create()
        for piece in ["a", "", "bc"] { try await file.write(Array(piece.utf8)) }
        let (size, digest) = try await file.finish()
        #expect(size == 3)
        #expect(digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(try await uploads.contents(of: file.storedName) == Array("abc".utf8))
    }

    @Test func `a large file comes back whole`() async throws {
        let bytes = Random.bytes(3_000_001)
        let upload = try await keep(bytes)
        #expect(upload.digest == Digest(of: bytes).bytes.map { String(format: "%02x", $0) }.joined())
        #expect(try await uploads.contents(of: upload.storedName) == bytes)
    }

    @Test func `an empty file is one too`() async throws {
        let upload = try await keep([])
        #expect(upload.size == 0)
        #expect(try await uploads.contents(of: upload.storedName).isEmpty)
    }

    @Test func `a file is for its owner alone, under a random name`() async throws {
        let (first, second) = (try await keep([1]), try await keep([1]))
        #expect(first.storedName != second.storedName)
        #expect(files == [first.storedName, second.storedName].sorted())
        #expect(try folder.mode("assets.db-uploads/" + first.storedName) == 0o600)
        #expect(try folder.mode("assets.db-uploads") == 0o700)
    }

    @Test func `a file that is given up is gone`() async throws {
        let file = try await uploads.create()
        try await file.write([1, 2])
        await file.discard()
        #expect(files.isEmpty)
        await #expect(throws: UploadFault.closed) { try await file.write([3]) }
        await #expect(throws: UploadFault.closed) { try await file.finish() }
    }

    @Test func `a file that nobody finishes is gone with its object`() async throws {
        do {
            let file = try await uploads.create()
            try await file.write([1, 2])
            #expect(files.count == 1)
        }
        #expect(files.isEmpty)
    }

    @Test func `a finished file stays, whatever is called then`() async throws {
        let file = try await uploads.create()
        try await file.write([1, 2])
        _ = try await file.finish()
        await file.discard()
        #expect(try await uploads.contents(of: file.storedName) == [1, 2])
    }

    @Test func `a removed file is missing`() async throws {
        let upload = try await keep([1])
        await uploads.remove(upload.storedName)
        await uploads.remove(upload.storedName)
        await #expect(throws: UploadFault.missing) { try await uploads.contents(of: upload.storedName) }
    }

    @Test(arguments: ["../assets.db", "..", "", "/etc/passwd", String(repeating: "A", count: 32)])
    func `no name that was not made here is read or removed`(_ name: String) async throws {
        try await store.make()
        await #expect(throws: UploadFault.missing) { try await uploads.contents(of: name) }
        await uploads.remove(name)
        try await store.check()
        #expect(folder.names.contains("assets.db"))
    }

    @Test func `files without an asset are swept at the start, and nothing else`() async throws {
        let (kept, orphan, gone) = (try await keep([1]), try await keep([2]), try await keep([3]))
        try await store.make(upload: kept)
        let deleted = try await store.make(upload: gone)
        _ = try await store.delete(deleted.id, of: .acme)
        try Data().write(to: URL(filePath: folder.database + "-uploads/README"))
        try await store.recover(at: .at(1))
        #expect(files == ["README", kept.storedName].sorted())
        await #expect(throws: UploadFault.missing) { try await uploads.contents(of: orphan.storedName) }
        #expect(try await store.start().upload == kept)
    }
}
