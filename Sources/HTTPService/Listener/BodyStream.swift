import Hummingbird
import NIOCore

/// A request's body on its way from the event loop to the task that reads it as it comes.
final class BodyStream {
    private typealias Producer = NIOThrowingAsyncSequenceProducer<
        ByteBuffer, any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, Reader
    >

    /// Tells the loop that more is wanted.
    private struct Reader: NIOAsyncSequenceProducerDelegate {
        let channel: any Channel
        let isFull: NIOLoopBoundBox<Bool>

        func produceMore() { resume() }

        /// Nobody reads it any more: what still comes is dropped.
        func didTerminate() { resume() }

        private func resume() {
            channel.eventLoop.execute {
                isFull.value = false
                channel.read()
            }
        }
    }

    private let source: Producer.Source
    /// Its reader has more than it takes.
    private let isFull: NIOLoopBoundBox<Bool>

    private init(_ source: Producer.Source, _ isFull: NIOLoopBoundBox<Bool>) {
        self.source = source
        self.isFull = isFull
    }

    /// A stream, and the body of whoever reads it. When nobody has that any more, what still comes is dropped.
    static func make(of channel: any Channel) -> (BodyStream, RequestBody) {
        let isFull = NIOLoopBoundBox(false, eventLoop: channel.eventLoop)
        // Pieces of at most `ListenerBounds.readBytes` each.
        let made = Producer.makeSequence(
            elementType: ByteBuffer.self, failureType: (any Error).self,
            backPressureStrategy: .init(lowWatermark: 2, highWatermark: 8), finishOnDeinit: true,
            delegate: Reader(channel: channel, isFull: isFull))
        return (BodyStream(made.source, isFull), RequestBody(asyncSequence: made.sequence))
    }

    func yield(_ bytes: ByteBuffer) {
        if case .stopProducing = source.yield(bytes) { isFull.value = true }
    }

    func finish() { source.finish() }

    func finish(_ error: any Error) { source.finish(error) }

    /// Tells whether the connection had better not be read.
    var holdsBack: Bool { isFull.value }
}

/// A body that does not arrive whole: reading it throws.
struct BrokenBody: Error, AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    struct AsyncIterator: AsyncIteratorProtocol {
        mutating func next() async throws -> ByteBuffer? { throw BrokenBody() }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator() }
}

extension ResponseBody {
    /// All that it writes. Every answer of ours is made before it is sent.
    func whole() async -> ByteBuffer {
        let collector = Collector()
        try? await write(collector)
        return collector.bytes
    }

    private final class Collector: ResponseBodyWriter {
        var bytes = ByteBuffer()

        func write(_ buffer: ByteBuffer) {
            if bytes.readableBytes == 0 { bytes = buffer } else { bytes.writeImmutableBuffer(buffer) }
        }

        func finish(_ trailingHeaders: HTTPFields?) {}
    }
}
