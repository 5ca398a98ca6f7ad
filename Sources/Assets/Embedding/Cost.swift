/// The money that tokens cost.
public enum Cost {
    /// In USD, at the price of now, so that a changed price changes earlier operations too. 0 without embedder; `nil`
    /// where the model is configured no more. Not rounded: a token costs less than 10⁻⁷.
    ///
    /// - Parameter price: of a million tokens of a model, in USD; `nil` where it is configured no more.
    public static func inUSD(
        ofTokens count: Int, of model: EmbeddingModel.Name?,
        pricePerMillionTokens price: (EmbeddingModel.Name) -> Double?
    ) -> Double? {
        guard let model else { return 0 }
        return price(model).map { Double(count) * $0 / 1_000_000 }
    }
}
