import Testing

@testable import Assets

/// The price of tokens (CONTRACT-ASSETS, "Operation").
@Suite struct CostTests {
    private let small = EmbeddingModel.Name(provider: "openai", model: "small")

    @Test func `tokens cost a millionth of the price of a million`() {
        #expect(Cost.inUSD(ofTokens: 1_000_000, of: small) { _ in 0.02 } == 0.02)
        #expect(Cost.inUSD(ofTokens: 250_000, of: small) { _ in 0.5 } == 0.125)
    }

    @Test func `one token costs something`() throws {
        let cost = try #require(Cost.inUSD(ofTokens: 1, of: small) { _ in 0.02 })
        #expect(abs(cost - 0.000_000_02) < 1e-16)
    }

    @Test func `without embedder nothing costs anything`() {
        #expect(Cost.inUSD(ofTokens: 5000, of: nil) { _ in 0.02 } == 0)
    }

    @Test func `the cost of a model that is configured no more is unknown`() {
        #expect(Cost.inUSD(ofTokens: 5000, of: small) { _ in nil } == nil)
    }
}
