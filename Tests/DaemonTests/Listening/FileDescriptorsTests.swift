import Daemon
import Testing

@Suite struct FileDescriptorsTests {
    @Test func `never more connections than wanted, and always one`() {
        #expect(FileDescriptors.connections(wanted: 1) == 1)
        let many = FileDescriptors.connections(wanted: 1 << 40)
        #expect((1...1 << 40).contains(many))
    }
}
