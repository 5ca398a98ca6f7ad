import Daemon
import StrictYAML

/// Chunks, the work at once, and uploads.
extension ConfigurationReader {
    func chunking() -> Configuration.Chunking {
        let section = section("chunking")
        var chunking = Configuration.Chunking()
        if let size = section.integer("size", in: 16...8192) {
            // The same share as of the usual size.
            chunking = Configuration.Chunking(size: size, overlap: min(64, size / 8))
        }
        if let overlap = section.integer("overlap", in: 0...4095) {
            if overlap * 2 >= chunking.size {
                section.problem("overlap", found: "\(overlap)", wanted: "less than half of \(chunking.size)")
            }
            chunking.overlap = overlap
        }
        section.finish()
        return chunking
    }

    func workers() -> Configuration.Workers {
        let section = section("workers")
        var workers = Configuration.Workers()
        if let count = section.integer("operations", in: 1...64) { workers.operations = count }
        if let count = section.integer("documents", in: 1...64) { workers.documents = count }
        section.finish()
        return workers
    }

    /// The bytes of the largest upload.
    func uploadBytes() -> Int {
        let section = section("limits")
        defer { section.finish() }
        return section.integer("uploadBytes", in: 1...(1 << 30)) ?? 52_428_800
    }
}
