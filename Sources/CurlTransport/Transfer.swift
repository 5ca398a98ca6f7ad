import CCurl
import Transport

/// One libcurl easy handle, used for one call after another. Belongs to the loop's thread.
final class Transfer {
    let easy: UnsafeMutableRawPointer
    private(set) var call: Call?
    private var headers: UnsafeMutablePointer<curl_slist>?

    // What the callbacks see of the running call.
    var head = ResponseHead()
    var body: [UInt8] = []
    var facts = TransferFacts()
    let maxResponseBytes: Int
    let allowPrivateAddresses: Bool

    /// `nil` if libcurl is out of memory.
    init?(_ options: TransferOptions) {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        maxResponseBytes = options.configuration.maxResponseBytes
        allowPrivateAddresses = options.configuration.allowPrivateAddresses
        // Stays through resets. Once everything is initialized a failure runs `deinit`.
        guard ccurl_set_share(easy, options.share) == CURLE_OK else { return nil }
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headers)
    }

    /// Makes the handle ready for a call. After a failure it must still be cleared.
    func prepare(_ call: Call, _ options: TransferOptions, now: ContinuousClock.Instant) throws(TransportError) {
        self.call = call
        call.transfer = self
        facts.isProxied = try options.isProxied(call.request)
        try options.setFixed(on: self)
        headers = try options.headerList(for: call.request)
        try options.set(call.request, headers: headers, remaining: now.duration(to: call.deadline), on: easy)
    }

    /// The answer after libcurl has finished with `code`.
    func answer(_ code: CURLcode) -> Call.Answer {
        var status = 0
        // Where no more was wanted, the failure is our own doing.
        guard code == CURLE_OK || facts.hasWantedHead else {
            // What a proxy said to CONNECT: other than 2xx means that the request was never sent (RFC 9110 § 9.3.6).
            if ccurl_get_long(easy, CURLINFO_HTTP_CONNECTCODE, &status) == CURLE_OK {
                facts.hasRefusingProxy = status != 0 && !(200..<300).contains(status)
            }
            return .failure(TransportError(code, facts))
        }
        guard ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK, status >= 100 else {
            return .failure(.malformedResponse)
        }
        // RFC 9110 § 15.5.8: of all servers only a proxy asks so.
        if facts.isProxied, status == 407 { return .failure(.proxyFailed) }
        if facts.hasWantedHead { return .success(TransportResponse(status: status, headers: head.fields)) }
        do {
            let body = try ContentCoding.decoded(body, head.fields, cap: maxResponseBytes)
            return .success(TransportResponse(status: status, headers: head.fields, body: body))
        } catch {
            return .failure(error)
        }
    }

    /// Forgets the call and all that was sent and received. The handle must be out of the multi handle.
    ///
    /// The reset also clears what no option would: libcurl's count of retries, which otherwise adds up over calls.
    func clear() {
        curl_easy_reset(easy)
        curl_slist_free_all(headers)
        headers = nil
        call?.transfer = nil
        call = nil
        head = ResponseHead()
        body = []
        facts = TransferFacts()
    }
}
