extension String {
    /// Tells whether both are the same bytes. `==` also takes a Kelvin sign for a K, which identifiers must not.
    package func isExactly(_ other: String) -> Bool { utf8.elementsEqual(other.utf8) }

    /// Tells the same of a part of a text.
    package func isExactly(_ other: Substring) -> Bool { utf8.elementsEqual(other.utf8) }

    /// Tells whether a slash at the end is all that one has more than the other: a slip that people make with issuers,
    /// and that nobody sees.
    package func differsBySlash(from other: String) -> Bool {
        isExactly(other + "/") || (self + "/").isExactly(other)
    }

    /// Tells the same, or with `inAnyCase` regardless of the case of ASCII letters. `lowercased()` would also make a k
    /// of a Kelvin sign.
    package func isExactly(_ other: String, inAnyCase: Bool) -> Bool {
        guard inAnyCase else { return isExactly(other) }
        return utf8.elementsEqual(other.utf8) { $0 == $1 || ($0 | 0x20 == $1 | 0x20 && ($0 | 0x20).isASCIILetter) }
    }
}

extension [String] {
    /// Tells whether one element is the same bytes as `text`.
    package func contains(exactly text: String) -> Bool { contains { $0.isExactly(text) } }
}

extension Collection<UInt8> {
    /// Tells whether all bytes are as `isGood` says.
    ///
    /// For what is nearly always so. `allSatisfy` leaves its loop at the first that is not, for which it must take byte
    /// by byte, two nanoseconds each; a loop to the end takes sixteen at once.
    @inlinable package func everyByte(_ isGood: (UInt8) -> Bool) -> Bool {
        let isEvery = withContiguousStorageIfAvailable { bytes in
            var bad: UInt8 = 0
            for byte in bytes { bad |= isGood(byte) ? 0 : 1 }
            return bad == 0
        }
        return isEvery ?? allSatisfy(isGood)
    }
}

extension UInt8 {
    /// Tells whether the byte is one of `A-Z a-z 0-9`.
    @inlinable package var isASCIILetterOrDigit: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }

    fileprivate var isASCIILetter: Bool { (0x61...0x7A).contains(self | 0x20) }
}
