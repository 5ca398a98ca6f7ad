import CCurl
import Formats
import Glibc
import Transport

/// The functions that libcurl calls while a transfer runs, on the loop's thread, with the transfer as their context.
extension Transfer {
    static let onBody: curl_write_callback = { bytes, size, count, context in
        guard let bytes, let transfer = Transfer.from(context) else { return 0 }
        let count = size * count
        // The decompressed bytes: a small compressed body can hold gigabytes.
        guard count <= transfer.maxResponseBytes - transfer.body.count else {
            transfer.facts.hasExceededCap = true
            return 0
        }
        transfer.body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
        return count
    }

    static let onHeader: curl_write_callback = { bytes, size, count, context in
        guard let bytes, let transfer = Transfer.from(context) else { return 0 }
        let count = size * count
        let isAccepted = bytes.withMemoryRebound(to: UInt8.self, capacity: count) {
            transfer.head.read(UnsafeBufferPointer(start: $0, count: count))
        }
        guard isAccepted else {
            transfer.facts.hasExceededCap = true
            return 0
        }
        // Whatever the server has more to say, if ever.
        if transfer.call?.request.wantsHeadAlone == true, transfer.head.isFinal {
            transfer.facts.hasWantedHead = true
            return 0
        }
        return count
    }

    /// The last word on where a connection goes: behind every spelling of the host, and behind DNS, which may answer
    /// differently each time it is asked.
    static let onSocket: curl_opensocket_callback = { context, purpose, address in
        guard let address, let transfer = Transfer.from(context) else { return CURL_SOCKET_BAD }
        let length = Int(address.pointee.addrlen)
        // A proxy is where the operator put it, mostly in a private network; what may be asked through it was decided.
        if transfer.facts.isProxied { return open(address) }
        let reach = withUnsafePointer(to: &address.pointee.addr) { PeerAddress($0, length: length)?.reach }
        guard let reach, reach == .global || (reach == .local && transfer.allowPrivateAddresses) else {
            transfer.facts.hasRefusedAddress = true
            return CURL_SOCKET_BAD
        }
        return open(address)
    }

    /// Close-on-exec: no child process may inherit a connection that carries secrets.
    private static func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        socket(
            address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), address.pointee.protocol)
    }

    /// Called before each time a request goes out.
    ///
    /// When a kept connection breaks before any answer, libcurl sends the request again on a new one, also a POST.
    /// But the server may have acted on the first: a code would be redeemed twice, and a second use of a rotated
    /// refresh token may be taken for theft. RFC 9110 § 9.2.2: no automatic retry unless the method is idempotent.
    static let onRequest: curl_prereq_callback = { context, _, _, _, _ in
        guard let transfer = Transfer.from(context) else { return CURL_PREREQFUNC_ABORT }
        transfer.facts.requestCount += 1
        let isIdempotent = transfer.call?.request.method != .post
        return isIdempotent || transfer.facts.requestCount == 1 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
    }

    /// The context of the callbacks. The loop keeps the transfer alive while its handle is in use.
    var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    static func from(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }
}
