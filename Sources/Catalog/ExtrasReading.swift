import Formats
import StrictYAML
import Yams

extension YAMLReader {
    /// The pattern that `text` is, or a finding.
    func pattern(_ text: String, at name: String = "pattern") -> Pattern? {
        do {
            return try Pattern(text)
        } catch {
            problem(name, found: text.quoted, wanted: error.wanted)
            return nil
        }
    }

    /// Callback parameters to keep: a list of names, or names with `{ pattern }` each.
    func callbackExtras(_ name: String) -> [OAuthProfile.CallbackExtra] {
        guard node(name)?.mapping != nil, let section = section(name) else {
            return (strings(name) ?? []).map { OAuthProfile.CallbackExtra(name: $0, pattern: nil) }
        }
        return section.names.compactMap { name in
            guard let one = section.section(name) else { return nil }
            let pattern = one.string("pattern").flatMap { one.pattern($0) }
            one.finish()
            return OAuthProfile.CallbackExtra(name: name, pattern: pattern)
        }
    }

    /// Members of an answer to keep: names with a pointer each, or with `{ pointer, pattern }`.
    func answerExtras(_ name: String) -> [OAuthProfile.AnswerExtra] {
        guard let section = section(name) else { return [] }
        return section.names.compactMap { name in
            guard section.node(name)?.mapping != nil, let one = section.section(name) else {
                return section.pointer(name).map { OAuthProfile.AnswerExtra(name: name, pointer: $0, pattern: nil) }
            }
            let pointer = one.pointer("pointer", isRequired: true)
            let pattern = one.string("pattern").flatMap { one.pattern($0) }
            one.finish()
            return pointer.map { OAuthProfile.AnswerExtra(name: name, pointer: $0, pattern: pattern) }
        }
    }
}
