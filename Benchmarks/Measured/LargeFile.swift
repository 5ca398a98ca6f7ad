extension Stage {
    /// One file as large as uploads may be, against one of a tenth: where the text is gone through once, a MiB of it takes
    /// as long.
    func largeFile() throws -> [Figure] {
        let service = try assetService("large-file", try drive())
        let calls = try assetCalls(service)
        let large = 52_428_800
        var times: [Double] = []
        for size in [large / 10, large] {
            let operation = try calls.upload(Self.text(of: size))
            let seconds = try calls.follow(operation, rate: 100).seconds
            times.append(seconds / Double(size) * 1_048_576 * 1000)
        }
        return [
            Figure(
                "text file of 50 MiB, a MiB of it (to one of 5 MiB)", times[1], "ms", baseline: times[0],
                ratioAtMost: 1.5),
            Figure("text file of 50 MiB, most resident", try service.process.mostResident, "MiB", atMost: 250),
        ]
    }

    private static func text(of size: Int) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(size + Drive.fileSize)
        var number = 0
        while text.count < size {
            text += Drive.text(number) + [UInt8(ascii: "\n")]
            number += 1
        }
        return Array(text.prefix(size - 4)) + Array("end\n".utf8)
    }
}
