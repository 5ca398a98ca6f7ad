import Secrets
import Testing

@Suite struct RandomTests {
    private enum Kind {}

    @Test(arguments: [0, 1, 12, 32, 256, 257, 512, 1000])
    func `as many bytes come as were asked for`(_ count: Int) {
        #expect(Random.bytes(count).count == count)
    }

    @Test func `random bytes never repeat`() {
        let drawn = (0..<10_000).map { _ in Random.bytes(16) }
        #expect(Set(drawn).count == drawn.count)
    }

    @Test func `every place of random bytes varies`() {
        let drawn = (0..<1000).map { _ in Random.bytes(600) }
        for place in 0..<600 { #expect(Set(drawn.map { $0[place] }).count > 100) }
    }

    @Test func `random secrets never repeat`() {
        let drawn = (0..<1000).map { _ in Secret<Kind>.random().expose { $0 } }
        #expect(Set(drawn).count == drawn.count)
    }

    @Test func `a random secret is its prefix and the base64url of 32 bytes`() {
        let text = Secret<Kind>.random(prefix: "abc_").expose { $0 }
        #expect(text.hasPrefix("abc_"))
        #expect(text.count == 4 + 43)
        #expect(Base64URL.decode(text.dropFirst(4))?.count == 32)
    }
}
