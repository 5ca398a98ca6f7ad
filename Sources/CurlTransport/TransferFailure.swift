import CCurl
import Transport

/// Facts about a transfer beside libcurl's own result code, which cannot tell them apart.
struct TransferFacts {
    /// A socket was refused for where it would have led.
    var hasRefusedAddress = false
    /// Headers or body grew past their caps.
    var hasExceededCap = false
    /// The head is complete, and no more was wanted.
    var hasWantedHead = false
    /// The connection leads to a proxy, which the operator chose, and not to the address asked for.
    var isProxied = false
    /// The proxy was asked to connect, and did not.
    var hasRefusingProxy = false
    /// The number of times that a request went out, or began to: more than 1 if libcurl tries again.
    var requestCount = 0
}

extension TransportError {
    /// The one place where libcurl's codes get their meaning for callers.
    init(_ code: CURLcode, _ facts: TransferFacts) {
        let hasConnected = facts.requestCount > 0
        switch code {
        case _ where facts.hasExceededCap: self = .responseTooLarge
        case _ where facts.hasRefusingProxy: self = .proxyFailed
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: self = .proxyFailed
        case CURLE_COULDNT_CONNECT where facts.isProxied: self = .proxyFailed
        case CURLE_OPERATION_TIMEDOUT: self = .timedOut
        case CURLE_FILESIZE_EXCEEDED: self = .responseTooLarge
        // A single header line past libcurl's own limit of 100 KiB; as such the code is not to be expected on Linux.
        case CURLE_OUT_OF_MEMORY where hasConnected: self = .responseTooLarge
        case CURLE_COULDNT_CONNECT where facts.hasRefusedAddress: self = .addressNotAllowed
        case CURLE_COULDNT_RESOLVE_HOST: self = .nameNotResolved
        case CURLE_COULDNT_CONNECT: self = .connectionRefused
        // HTTP/0.9 gives the same code as a scheme outside CURLOPT_PROTOCOLS_STR, but only after a connection.
        case CURLE_UNSUPPORTED_PROTOCOL: self = hasConnected ? .malformedResponse : .addressNotAllowed
        // User information in the address (CURLOPT_DISALLOW_USERNAME_IN_URL) is told as a login denied, or in newer
        // versions as a malformed address.
        case CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED, CURLE_BAD_FUNCTION_ARGUMENT: self = .addressNotAllowed
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_USE_SSL_FAILED,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_CLIENTCERT:
            self = .tlsFailed
        // CURLE_WRITE_ERROR is a transfer decoder's complaint here: our own refusals have set `hasExceededCap`.
        case CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING, CURLE_WRITE_ERROR, CURLE_HTTP2:
            self = .malformedResponse
        // Broken connections, and what cannot come of a request like ours.
        default: self = .unreachable
        }
    }
}
