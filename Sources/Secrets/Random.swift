import Glibc

/// The operating system's randomness.
///
/// Not by way of libcrypto's generator, whose layers and `getpid` cost four times the system call.
public enum Random {
    /// `count` unpredictable bytes.
    ///
    /// A process without randomness must not go on: every key and state it made could be guessed. No input
    /// can cause that; the call fails only on a kernel without it (Linux 3.17 has it).
    public static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
            while written < count {
                // It gives at most 256 bytes, and waits for entropy at the system's start alone (getentropy(3)).
                let piece = min(count - written, 256)
                guard getentropy(buffer.baseAddress.map { $0 + written }, piece) == 0 else {
                    fatalError("the operating system gives no randomness")
                }
                written += piece
            }
        }
    }
}
