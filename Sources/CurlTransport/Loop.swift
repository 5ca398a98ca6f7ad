import CCurl
import DequeModule
import Glibc
import Transport

/// Drives all transfers. Everything here happens on one thread, which owns the handles and answers the callers.
final class Loop {
    private let inbox: Inbox
    private let multi: UnsafeMutableRawPointer
    private let share: UnsafeMutableRawPointer
    private let options: TransferOptions
    private let maxConcurrent: Int

    private var mail = Inbox.Mail()
    private var waiting = Deque<Call>()
    private var running: [ObjectIdentifier: Transfer] = [:]
    /// Ready for use; the last one used is used next, as its memory is still warm.
    private var idle: [Transfer] = []

    init(
        _ configuration: CurlTransport.Configuration, inbox: Inbox, multi: UnsafeMutableRawPointer,
        share: UnsafeMutableRawPointer
    ) {
        self.inbox = inbox
        self.multi = multi
        self.share = share
        options = TransferOptions(configuration, share: share)
        maxConcurrent = max(configuration.maxConcurrent, 1)
        // Connections to keep, over all providers. Left alone it would follow the number of running transfers.
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, min(maxConcurrent, 1 << 16) * 2)
    }

    /// Runs until the inbox is closed.
    func run() {
        while inbox.take(&mail, waiting: waiting.count) {
            accept()
            startWaiting()
            var count: Int32 = 0
            if curl_multi_perform(multi, &count) != CURLM_OK { abandon(.unreachable) }
            collect()
            if !canStart, inbox.fallAsleep(waiting: waiting.count) { sleep() }
        }
        accept()
        abandon(.cancelled)
        while let call = waiting.popFirst() { call.answer(.failure(.cancelled)) }
        close()
    }

    private func accept() {
        for call in mail.submitted { waiting.append(call) }
        // Out of the queue before they are answered: they take no place there that somebody else could have.
        let gone = Set(mail.cancelled.map { ObjectIdentifier($0) })
        if !gone.isEmpty { waiting.removeAll { gone.contains(ObjectIdentifier($0)) } }
        for call in mail.cancelled { cancel(call) }
        mail.submitted.removeAll(keepingCapacity: true)
        mail.cancelled.removeAll(keepingCapacity: true)
    }

    // MARK: Starting

    private var canStart: Bool { running.count < maxConcurrent && waiting.first != nil }

    private func startWaiting() {
        let now = ContinuousClock.now
        // Nearly all have the same timeout, so the first in the queue is the first to be late. One with less time is late
        // when those before it are gone.
        while let call = waiting.first, canStart || call.deadline <= now {
            _ = waiting.popFirst()
            if call.deadline <= now {
                call.answer(.failure(.timedOut))
            } else {
                start(call, now)
            }
        }
    }

    private func start(_ call: Call, _ now: ContinuousClock.Instant) {
        guard let transfer = idle.popLast() ?? Transfer(options) else {
            return call.answer(.failure(.unreachable))
        }
        do throws(TransportError) {
            try transfer.prepare(call, options, now: now)
            guard curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else { throw .unreachable }
            running[ObjectIdentifier(transfer)] = transfer
        } catch {
            transfer.clear()
            idle.append(transfer)
            call.answer(.failure(error))
        }
    }

    // MARK: Finishing

    private func collect() {
        var remaining: Int32 = 0
        while let message = curl_multi_info_read(multi, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            // Removing the handle frees the message, so it is read first.
            let code = message.pointee.data.result
            var context: UnsafeMutableRawPointer?
            guard ccurl_get_private(easy, &context) == CURLE_OK, let transfer = Transfer.from(context) else { continue }
            finish(transfer, transfer.answer(code))
        }
    }

    private func cancel(_ call: Call) {
        if let transfer = call.transfer {
            finish(transfer, .failure(.cancelled))
        } else {
            call.answer(.failure(.cancelled))
        }
    }

    private func finish(_ transfer: Transfer, _ answer: Call.Answer) {
        let call = transfer.call
        curl_multi_remove_handle(multi, transfer.easy)
        running[ObjectIdentifier(transfer)] = nil
        transfer.clear()
        idle.append(transfer)
        call?.answer(answer)
    }

    private func abandon(_ error: TransportError) {
        for transfer in Array(running.values) { finish(transfer, .failure(error)) }
    }

    // MARK: Waiting and ending

    /// Until a socket is ready, a transfer's time is up, or mail comes.
    private func sleep() {
        let limit = waiting.first.map { ContinuousClock.now.duration(to: $0.deadline).milliseconds } ?? 60_000
        if curl_multi_poll(multi, nil, 0, Int32(min(limit, 60_000)), nil) != CURLM_OK {
            _ = poll(nil, 0, 10)  // without memory or descriptors: do not spin
        }
    }

    private func close() {
        idle.removeAll()  // easy handles go before what they are joined to
        curl_multi_cleanup(multi)
        curl_share_cleanup(share)
    }
}
