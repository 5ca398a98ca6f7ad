import CCurl
import Secrets
public import Transport

/// Sends requests by libcurl: no redirects, one deadline, capped answers, checked addresses. Knows no OAuth.
///
/// All transfers share one thread, and with it connections, resolved names and TLS sessions.
/// A POST goes out at most once, whatever happens to its connection.
public final class CurlTransport: HTTPTransport {
    private let inbox: Inbox
    private let thread: LoopThread?
    private let rules: RequestRules
    private let timeout: Duration

    /// Starts the thread. Should libcurl or the system have none to give, every request is answered `.cancelled`.
    public init(configuration: Configuration = Configuration()) {
        rules = RequestRules(allowInsecure: configuration.allowInsecure)
        timeout = configuration.timeout.clampedAsTimeout
        guard Self.isReady, let share = curl_share_init(), let multi = curl_multi_init(),
            ccurl_share_tls_sessions(share) == CURLSHE_OK
        else {
            inbox = Inbox(waking: nil, maxWaiting: 0)
            thread = nil
            return
        }
        inbox = Inbox(waking: multi, maxWaiting: max(configuration.maxWaiting, 1))
        let loop = Loop(configuration, inbox: inbox, multi: multi, share: share)
        thread = LoopThread(running: loop)
        if thread == nil {
            inbox.close()
            loop.run()  // ends at once and frees the handles
        }
    }

    deinit {
        inbox.close()
        thread?.detach()
    }

    /// Sends one request and returns what the server answered, whatever its status.
    ///
    /// A request that is malformed in itself, in its address or a header, is answered `.addressNotAllowed` and not
    /// sent. Cancelling the task ends the transfer with `.cancelled`.
    public func send(_ request: TransportRequest) async throws(TransportError) -> TransportResponse {
        guard rules.allow(request) else { throw .addressNotAllowed }
        let time = request.timeout.map { min($0.clampedAsTimeout, timeout) } ?? timeout
        let call = Call(request, deadline: .now + time)
        let answer: Call.Answer = await withTaskCancellationHandler {
            await withCheckedContinuation { inbox.submit(call, $0) }
        } onCancel: {
            inbox.cancel(call)
        }
        return try answer.get()
    }

    /// The number of requests that wait for their turn.
    public var waitingCount: Int { inbox.waitingCount }

    /// Ends all transfers, which are answered `.cancelled` as is every later request, and waits for the thread to end:
    /// some milliseconds, or as long as the system looks up a name. May be called more than once.
    public func shutdown() async {
        await blocking { self.shutdown() }
    }

    /// The same, blocking the thread: for the end of a command that has nothing else to do.
    public func shutdown() {
        inbox.close()
        thread?.join()
    }

    /// libcurl's own preparation, once in a process.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK
}
