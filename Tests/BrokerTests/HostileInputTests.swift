import Foundation
import Testing

@Suite struct HostileInputTests {
    /// The inputs that `make fuzz` found worth keeping, read again.
    @Test func `the fuzzer's corpus breaks no promise`() throws {
        let folder = URL(filePath: #filePath).appending(path: "../../../Fuzz/Corpus").standardized
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let fault = HostileInput.fault(in: Array(try Data(contentsOf: file)))
            #expect(fault == nil, "\(file.lastPathComponent)")
        }
    }

    /// Or none of them would mean anything.
    @Test func `what the corpus is held against is sound`() {
        #expect(HostileInput.isBelieved(HostileInput.soundToken))
        #expect(HostileInput.fault(in: Array("i\(HostileInput.soundToken)".utf8)) == nil)
    }
}
