import Foundation

/// A question before something is destroyed.
package enum Confirmation {
    /// Throws unless a person types `yes`: a whole word, since a `y` is typed by habit.
    ///
    /// Without a terminal nobody is asked and nothing is done: a script that forgot `--yes` would hang, or take what
    /// it is fed for consent.
    package static func ask(
        _ consequences: String, isTerminal: Bool = isatty(STDIN_FILENO) == 1, answer: () -> String? = { readLine() }
    ) throws(Refusal) {
        guard isTerminal else {
            throw Refusal(
                "this needs a confirmation, and there is no terminal to ask at: "
                    + consequences.replacing("\n", with: " "),
                hint: "give --yes if that is what you want")
        }
        Terminal.write(consequences)
        Terminal.ask("Type yes to go on: ")
        guard answer()?.trimmingCharacters(in: .whitespaces) == "yes" else { throw Refusal("nothing was done") }
    }
}
