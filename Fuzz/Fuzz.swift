/// libFuzzer's way in: `make fuzz`. What is checked stands with the tests, which read `Corpus` the same way.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    if let fault = HostileInput.fault(in: input) { fatalError(fault) }
    return 0
}
