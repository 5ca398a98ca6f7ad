import Assets
import Foundation
import Testing

@testable import AssetReaders

@Suite struct UploadReaderTests {
    private static let upload = Upload(
        storedName: "stored", fileName: "notes.md", contentType: "text/markdown", size: 5, digest: "digest")

    /// - Returns: a folder with the file, or without.
    private static func folder(with text: String?) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        if let text { try Data(text.utf8).write(to: folder.appending(path: "stored")) }
        return folder.path
    }

    @Test func `the upload is the one document`() async throws {
        let folder = try Self.folder(with: "hello")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let reading = try await Reading(
            of: try TestSources().reader("file", [:], upload: Self.upload, uploads: folder))
        let item = try #require(reading.listed.first)
        #expect(item.fileName == "notes.md" && item.contentType == "text/markdown" && item.size == 5)
        #expect(item.version == ItemVersion("digest") && item.sourceURL == nil && !item.isWholeSource)
        #expect(reading.texts == ["stored": "hello"])
        #expect(reading.isComplete)
    }

    @Test func `an upload that is gone fails`() async throws {
        let folder = try Self.folder(with: nil)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let reading = try await Reading(
            of: try TestSources().reader("file", [:], upload: Self.upload, uploads: folder))
        #expect(reading.faults == ["stored": .rejected("the upload is gone from the disk")])
    }

    @Test func `an upload that is larger than documents may be fails`() async throws {
        let reader = try TestSources().reader("file", [:], upload: Self.upload, maxDocumentBytes: 4)
        #expect(try await Reading(of: reader).faults == ["stored": .tooLarge])
    }
}
