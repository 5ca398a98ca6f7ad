import Glibc

/// One keep-alive connection and what has arrived on it.
final class Connection {
    let descriptor: Int32
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 * 1024, alignment: 16)
    private var arrived = 0

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
        buffer.deallocate()
    }

    /// Reads once and hands every whole message to `use`. `false` when the peer has closed.
    func receive(_ use: (Message) throws -> Void) throws -> Bool {
        let count = read(descriptor, buffer.baseAddress! + arrived, buffer.count - arrived)
        guard count > 0 else {
            if count < 0, errno == EINTR || errno == EAGAIN { return true }
            return false
        }
        arrived += count
        while let message = Message(UnsafeRawBufferPointer(rebasing: buffer[..<arrived])) {
            let length = message.length
            try use(message)
            arrived -= length
            if arrived > 0 { memmove(buffer.baseAddress!, buffer.baseAddress! + length, arrived) }
        }
        guard arrived < buffer.count else { throw Trouble("a message is longer than \(buffer.count) bytes") }
        return true
    }
}
