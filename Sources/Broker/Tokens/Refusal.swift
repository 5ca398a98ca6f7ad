import Catalog
import Formats
import Transport

/// The words of an answer in which a provider refuses.
extension ProviderResponse {
    /// The first of `names` that is the whole text of a member, however deep, or of a body that is neither JSON nor a
    /// form. Letter case does not count, nor does a full stop at the end.
    func says(oneOf names: Set<FoldedText>, after prefix: String? = nil) -> FoldedText? {
        if let document = TokenResponse.document(self, after: prefix) { return document.says(oneOf: names) }
        if let json = JSONValue(json: body) { return json.says(oneOf: names) }
        guard body.count <= FoldedText.longest, let text = String(untrusted: body[...]) else { return nil }
        return names.contains(FoldedText(text)) ? FoldedText(text) : nil
    }
}

extension JSONValue {
    /// The reader has bounded how deep and how much it is.
    fileprivate func says(oneOf names: Set<FoldedText>) -> FoldedText? {
        switch self {
        case .string(let text):
            guard text.utf8.count <= FoldedText.longest else { return nil }
            let folded = FoldedText(text)
            return names.contains(folded) ? folded : nil
        case .array(let values): return Self.first(values, saying: names)
        case .object(let members): return Self.first(members.values, saying: names)
        // Some say their errors in numbers.
        case .number(let number):
            return Int64(exactly: number).flatMap { JSONValue.string(String($0)).says(oneOf: names) }
        case .null, .bool, .integer, .digits: return nil
        }
    }

    /// Asks each value once: a lazy `compactMap` would ask again for what it found, and so at each level.
    private static func first(_ values: some Sequence<JSONValue>, saying names: Set<FoldedText>) -> FoldedText? {
        for value in values {
            if let word = value.says(oneOf: names) { return word }
        }
        return nil
    }
}

extension OAuthProfile {
    /// The words by which an answer to a refresh says that the grant is dead: `invalid_grant` (RFC 6749 § 5.2), two
    /// names for it that can mean nothing else, and the entry's own.
    var deadGrantWords: Set<FoldedText> {
        reauthorizationErrors.union(["invalid_grant", "invalid_refresh_token", "bad_refresh_token"])
    }

    /// The words by which a refused revocation says that there is nothing left to revoke. RFC 7009 § 2.2 wants a 200
    /// for a token that is none any more; who answers with an error uses that of RFC 6750 § 3.1, or words of its own.
    var goneWords: Set<FoldedText> { revocation.goneErrors.union(["invalid_token"]) }
}
