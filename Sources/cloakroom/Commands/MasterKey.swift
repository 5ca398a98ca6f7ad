import ArgumentParser
import Foundation
import Secrets

struct MasterKey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "master-key", abstract: "Make master keys.", subcommands: [New.self])

    func run() throws {
        throw ValidationError("say what to do: cloakroom master-key new")
    }

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a line for the master key file, with a new key.",
            discussion: "For example: (umask 077; cloakroom master-key new > master.key)")

        @Option(
            name: .long, help: "The key's id: letters, digits, . _ -; by default the date and four random characters.")
        var id: String?

        func run() throws {
            let text = id ?? "\(Self.today())-\(Base64URL.encode(Random.bytes(3)).replacing("_", with: "x"))"
            guard let id = KeyRing.KeyID(text) else {
                throw ValidationError("the id must be 1 to 32 letters, digits, '.', '_' or '-'")
            }
            print(KeyRing.newLine(id: id))
        }

        private static func today() -> String {
            var now = time(nil)
            var parts = tm()
            gmtime_r(&now, &parts)
            return String(Int(parts.tm_year + 1900) * 10_000 + Int(parts.tm_mon + 1) * 100 + Int(parts.tm_mday))
        }
    }
}
