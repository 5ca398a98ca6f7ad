import Foundation

/// A folder for files that a command needs while it runs. Nobody else can read it: a database of flows goes into it.
struct TemporaryFolder {
    private let url: URL

    init(_ name: String) throws {
        url = FileManager.default.temporaryDirectory.appending(path: "\(name)-\(UUID().uuidString)")
        // Not made and narrowed after: between the two, others could open it.
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    func path(_ file: String) -> String { url.appending(path: file).path }

    func remove() { try? FileManager.default.removeItem(at: url) }
}
