import CCurl
import Glibc
import Secrets

/// The thread that a loop runs on.
final class LoopThread: Sendable {
    /// `nil` once the thread was joined or detached.
    private let handle: Locked<pthread_t?>

    /// `nil` if the system has no thread to give. `loop` then stays with the caller.
    init?(running loop: Loop) {
        let context = Unmanaged.passRetained(loop)
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { context in
                ccurl_name_thread("cloakroom-curl")
                LoopThread.blockBrokenPipes()
                if let context { Unmanaged<Loop>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            return nil
        }
        self.handle = Locked(handle)
    }

    /// Waits for the loop's end, which must have been asked for. On the loop's own thread it does not wait.
    func join() {
        guard let handle = handle.withLock({ $0.take() }) else { return }
        if pthread_equal(handle, pthread_self()) != 0 {
            pthread_detach(handle)
        } else {
            pthread_join(handle, nil)
        }
    }

    /// Lets the thread end by itself, once the loop does.
    func detach() {
        if let handle = handle.withLock({ $0.take() }) { pthread_detach(handle) }
    }

    /// With `CURLOPT_NOSIGNAL` libcurl leaves SIGPIPE to us: writing to a TLS connection that the server has just
    /// closed would end the process. The threads that libcurl makes inherit this.
    private static func blockBrokenPipes() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}
