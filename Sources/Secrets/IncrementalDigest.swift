import COpenSSL

/// SHA-256 (FIPS 180-4) of bytes that come piece by piece. Its owner alone uses it.
package final class IncrementalDigest {
    private let context: OpaquePointer

    /// The digest of no bytes.
    package init() {
        // Fails only where there is no memory, or libcrypto cannot be used at all: nothing may go on then.
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            fatalError("libcrypto has no SHA-256")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Takes the next bytes.
    package func update(_ bytes: some Sequence<UInt8>) {
        let done =
            bytes.withContiguousStorageIfAvailable { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
            ?? Array(bytes).withUnsafeBufferPointer { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        guard done == 1 else { fatalError("libcrypto has no SHA-256") }
    }

    /// The digest of all bytes so far. Nothing can follow it.
    package func finish() -> Digest {
        let bytes = [UInt8](unsafeUninitializedCapacity: 32) { output, written in
            guard EVP_DigestFinal_ex(context, output.baseAddress, nil) == 1 else {
                fatalError("libcrypto has no SHA-256")
            }
            written = 32
        }
        return Digest(computed: bytes)
    }
}
