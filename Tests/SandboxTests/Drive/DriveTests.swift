import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Sandbox

/// The drive is what Google's API v3 shows of one, as far as readers need it.
struct DriveTests {
    private struct Listing: Decodable {
        struct File: Decodable {
            var id: String
            var mimeType: String
            var size: String?
            var md5Checksum: String?
        }

        var files: [File]
        var nextPageToken: String?
    }

    private func visiting(
        scope: String = "files.read", _ conversation: @escaping @Sendable (Visitor, String) async throws -> Void
    ) async throws {
        try await Visitor.visiting(delays: .init(download: .zero)) { visitor in
            let answer = try await visitor.exchange(try await visitor.code(also: ["scope": scope]))
            try await conversation(visitor, try #require(try answer.member("access_token")))
        }
    }

    @Test func `a folder is listed page by page`() async throws {
        try await visiting { visitor, token in
            var found: [Listing.File] = []
            var place: String? = ""
            while let cursor = place {
                let page = try await visitor.drive(
                    "?q='root' in parents and trashed = false&pageSize=4&pageToken=\(cursor)", token)
                let listing = try JSONDecoder().decode(Listing.self, from: Data(page.text.utf8))
                #expect(listing.files.count <= 4)
                found += listing.files
                place = listing.nextPageToken
            }
            #expect(found.map(\.id) == DriveFile.all.filter { $0.parent == DriveFile.root }.map(\.id))
            for file in found {
                let isNative = file.mimeType.hasPrefix("application/vnd.google-apps.")
                #expect((file.size == nil) == isNative && (file.md5Checksum == nil) == isNative)
            }
        }
    }

    @Test func `files are downloaded, and the drive's own documents exported`() async throws {
        try await visiting { visitor, token in
            for file in DriveFile.all {
                let media = try await visitor.drive("/\(file.id)?alt=media", token)
                let export = try await visitor.drive("/\(file.id)/export?mimeType=text/markdown", token)
                #expect([media.status, export.status] == (file.isNative ? [.forbidden, .ok] : [.ok, .forbidden]))
                let answer = file.isNative ? export : media
                #expect(Array(answer.body.readableBytesView) == file.bytes)
                #expect(answer.headers[.contentType] == (file.isNative ? "text/markdown" : file.type))
            }
        }
    }

    @Test(arguments: ["", "/sbx-welcome?alt=media", "/sbx-notes/export"])
    func `without a token that may read files there is nothing`(path: String) async throws {
        try await visiting(scope: "profile") { visitor, token in
            for token in [token, "sbx_access_of_nobody"] {
                let answer = try await visitor.drive(path, token)
                #expect(answer.status == .unauthorized && !answer.text.contains("Fieldnotes"))
            }
        }
    }

    @Test func `the embedder's vectors depend on the text alone`() async throws {
        struct Answer: Decodable {
            struct Item: Decodable {
                var index: Int
                var embedding: [Float]
            }

            var data: [Item]
        }
        try await visiting { visitor, _ in
            let body = #"{"model": "digest-8", "input": ["one", "two", "one"]}"#
            let answer = try await visitor.client.execute(
                uri: "/v1/embeddings", method: .post, headers: [.contentType: "application/json"],
                body: ByteBuffer(string: body))
            let items = try JSONDecoder().decode(Answer.self, from: Data(answer.text.utf8)).data
            #expect(items.map(\.index) == [0, 1, 2] && items.allSatisfy { $0.embedding.count == 8 })
            #expect(items[0].embedding == items[2].embedding && items[0].embedding != items[1].embedding)
        }
    }
}

extension Visitor {
    fileprivate func drive(_ rest: String, _ token: String) async throws -> TestResponse {
        let path = "/drive/v3/files" + rest.replacingOccurrences(of: " ", with: "%20")
        return try await client.execute(uri: path, method: .get, headers: [.authorization: "Bearer \(token)"])
    }
}
