import Foundation

/// A folder for files that a command needs while it runs. Once it is made, nobody else can read it: a database of flows
/// goes into it.
struct TemporaryFolder {
    private let url: URL

    init(_ name: String) throws {
        url = FileManager.default.temporaryDirectory.appending(path: "\(name)-\(UUID().uuidString)")
        // Foundation makes it by the umask and sets the mode then. It is still empty in between.
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    func path(_ file: String) -> String { url.appending(path: file).path }

    func remove() { try? FileManager.default.removeItem(at: url) }
}
