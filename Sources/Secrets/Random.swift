import COpenSSL

/// The operating system's randomness, by way of libcrypto's generator.
public enum Random {
    /// `count` unpredictable bytes.
    ///
    /// A process without randomness must not go on: every key and state it made could be guessed. No input
    /// can cause that; libcrypto fails here only where the kernel gives no entropy at all.
    public static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
            guard RAND_bytes(buffer.baseAddress, Int32(count)) == 1 else {
                fatalError("the operating system gives no randomness")
            }
            written = count
        }
    }
}
