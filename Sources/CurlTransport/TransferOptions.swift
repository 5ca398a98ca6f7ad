import CCurl
import Formats
import Secrets
import Transport

/// The options of an easy handle, set anew for every call. Every result is checked: an option that was not taken would
/// be a protection that is not there.
struct TransferOptions {
    let configuration: CurlTransport.Configuration
    let userAgent: String
    /// Keeps the TLS sessions of all handles; without it each handle would resume its own alone.
    let share: UnsafeMutableRawPointer

    init(_ configuration: CurlTransport.Configuration, share: UnsafeMutableRawPointer) {
        self.configuration = configuration
        self.share = share
        userAgent = String(decoding: configuration.userAgent.utf8.filter { $0 >= 0x20 && $0 != 0x7f }, as: UTF8.self)
    }

    /// Sets what is the same for every request.
    func setFixed(on transfer: Transfer) throws(TransportError) {
        let easy = transfer.easy
        try check(ccurl_set_pointer(easy, CURLOPT_PRIVATE, transfer.context))
        try check(ccurl_set_write_function(easy, Transfer.onBody, transfer.context))
        try check(ccurl_set_header_function(easy, Transfer.onHeader, transfer.context))
        try check(ccurl_set_open_socket_function(easy, Transfer.onSocket, transfer.context))
        try check(ccurl_set_prerequest_function(easy, Transfer.onRequest, transfer.context))
        try setReach(on: easy)
        try setLimits(on: easy)
        try setTLS(on: easy)
    }

    /// Lets a request go to the address given, and nowhere else.
    private func setReach(on easy: UnsafeMutableRawPointer) throws(TransportError) {
        try set(CURLOPT_PROTOCOLS_STR, configuration.allowInsecure ? "http,https" : "https", on: easy)
        try set(CURLOPT_FOLLOWLOCATION, 0, on: easy)
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1, on: easy)  // a proxy's answer is no part of the provider's
        try set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1, on: easy)
        try set(CURLOPT_NETRC, 0, on: easy)  // CURL_NETRC_IGNORED
        try set(CURLOPT_USERAGENT, userAgent, on: easy)
    }

    /// Tells whether a request goes by the proxy; throws where it must not, by all that can be known of an address
    /// whose name the proxy alone resolves.
    func isProxied(_ request: TransportRequest) throws(TransportError) -> Bool {
        guard let proxy = configuration.proxy else { return false }
        // Read by one reader alone: what it takes for a name is no address to the proxy either.
        guard let host = StrictURL(request.url)?.host else { throw .addressNotAllowed }
        if proxy.isPassedBy(host) { return false }
        let reach = PeerAddress(host: host)?.reach ?? (ProxyException.localhost.covers(host) ? .local : .global)
        guard reach == .global || (reach == .local && configuration.allowPrivateAddresses) else {
            throw .addressNotAllowed
        }
        return true
    }

    /// To the server itself, or to the proxy: as a tunnel for https, so that the proxy sees the host and no more
    /// (RFC 9110 § 9.3.6).
    private func setWay(isProxied: Bool, on easy: UnsafeMutableRawPointer) throws(TransportError) {
        guard isProxied, let proxy = configuration.proxy else {
            try set(CURLOPT_PROXY, "", on: easy)  // not even the one that the environment names
            return
        }
        try set(CURLOPT_PROXY, proxy.url, on: easy)
        try set(CURLOPT_NOPROXY, "", on: easy)  // nor the exceptions that it names
        try set(CURLOPT_PROXYUSERNAME, proxy.user, on: easy)
        if let password = proxy.password {
            try password.expose { (text) throws(TransportError) in try set(CURLOPT_PROXYPASSWORD, text, on: easy) }
        }
        // The request's own headers are the server's, and the proxy's are no answer.
        try set(CURLOPT_HEADEROPT, Int(CURLHEADER_SEPARATE), on: easy)
        try set(CURLOPT_PROXY_SSL_VERIFYPEER, 1, on: easy)
        try set(CURLOPT_PROXY_SSL_VERIFYHOST, 2, on: easy)
        try set(CURLOPT_PROXY_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2), on: easy)
        if let file = configuration.caFile {
            try set(CURLOPT_PROXY_CAINFO, file, on: easy)
            try set(CURLOPT_PROXY_CAPATH, nil, on: easy)
        }
    }

    private func setLimits(on easy: UnsafeMutableRawPointer) throws(TransportError) {
        try set(CURLOPT_NOSIGNAL, 1, on: easy)  // signals and threads do not mix
        // Else a handle that gives up while its name is being resolved waits for the resolver, and with it everyone.
        try set(CURLOPT_QUICK_EXIT, 1, on: easy)
        try set(CURLOPT_CONNECTTIMEOUT_MS, configuration.connectTimeout.milliseconds, on: easy)
        // Seconds. The longer a connection was idle, the likelier its server is just closing it.
        try set(CURLOPT_MAXAGE_CONN, 30, on: easy)
        try check(ccurl_set_size(easy, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(max(configuration.maxResponseBytes, 1))))
        try set(CURLOPT_HTTP09_ALLOWED, 0, on: easy)
    }

    private func setTLS(on easy: UnsafeMutableRawPointer) throws(TransportError) {
        try set(CURLOPT_SSL_VERIFYPEER, 1, on: easy)
        try set(CURLOPT_SSL_VERIFYHOST, 2, on: easy)
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2), on: easy)  // or newer (RFC 8996 § 4, § 5)
        if let file = configuration.caFile {
            try set(CURLOPT_CAINFO, file, on: easy)
            try set(CURLOPT_CAPATH, nil, on: easy)  // or the system's directory would be trusted as well
        }
    }

    /// Sets what one request brings.
    func set(
        _ request: TransportRequest, headers: UnsafeMutablePointer<curl_slist>?, remaining: Duration,
        on easy: UnsafeMutableRawPointer
    ) throws(TransportError) {
        try set(CURLOPT_URL, request.url, on: easy)
        try setWay(isProxied: try isProxied(request), on: easy)
        try set(CURLOPT_TIMEOUT_MS, remaining.milliseconds, on: easy)
        try check(ccurl_set_list(easy, CURLOPT_HTTPHEADER, headers))
        // RFC 8705 § 2. libcurl reuses a connection only for the certificate that it was made with.
        if let certificate = request.certificate {
            try set(CURLOPT_SSLCERT, certificate.file, on: easy)
            try set(CURLOPT_SSLKEY, certificate.keyFile, on: easy)
        }
        // libcurl knows a way to send with a body, and one without; the method's name is another matter.
        let hasBody = request.method == .post || request.body != nil
        if hasBody {
            try setBody(request.body ?? [], on: easy)
        } else {
            try set(CURLOPT_HTTPGET, 1, on: easy)
        }
        if request.method != (hasBody ? .post : .get) {
            try set(CURLOPT_CUSTOMREQUEST, request.method.rawValue, on: easy)
        }
    }

    private func setBody(_ body: [UInt8], on easy: UnsafeMutableRawPointer) throws(TransportError) {
        try set(CURLOPT_POST, 1, on: easy)
        // The size first: without it libcurl would copy up to the first NUL.
        try check(ccurl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
        let code = body.withUnsafeBytes { bytes in
            bytes.isEmpty
                ? ccurl_set_string(easy, CURLOPT_COPYPOSTFIELDS, "")
                : ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
        }
        try check(code)
    }

    /// The request's headers as libcurl wants them. The caller frees the list.
    func headerList(for request: TransportRequest) throws(TransportError) -> UnsafeMutablePointer<curl_slist>? {
        // A name and a colon alone take a header away: no waiting for "100 Continue" (RFC 9110 § 10.1.1), and no
        // content type but the caller's own.
        var lines = ["Expect:"]
        if !request.headers.contains(where: { $0.name.isExactly("accept-encoding", inAnyCase: true) }) {
            lines.append("Accept-Encoding: gzip, deflate")  // what `ContentCoding` unpacks
        }
        if !request.headers.contains(where: { $0.name.utf8.count == 12 && $0.name.lowercased() == "content-type" }) {
            lines.append("Content-Type:")
        }
        // A name and a semicolon are a header without value.
        lines += request.headers.map { $0.value.isEmpty ? $0.name + ";" : $0.name + ": " + $0.value }
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            guard let longer = curl_slist_append(list, line) else {
                curl_slist_free_all(list)
                throw .unreachable
            }
            list = longer
        }
        return list
    }

    private func set(
        _ option: CURLoption, _ value: Int, on easy: UnsafeMutableRawPointer
    ) throws(TransportError) {
        try check(ccurl_set_long(easy, option, value))
    }

    private func set(
        _ option: CURLoption, _ value: String?, on easy: UnsafeMutableRawPointer
    ) throws(TransportError) {
        try check(ccurl_set_string(easy, option, value))
    }

    private func check(_ code: CURLcode) throws(TransportError) {
        guard code == CURLE_OK else { throw TransportError(code, TransferFacts()) }
    }
}
