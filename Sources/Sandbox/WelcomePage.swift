/// The provider's start page: what it is, where its endpoints are, and how to script it.
struct WelcomePage {
    let provider: SandboxProvider

    var html: HTML {
        let content: HTML = """
            <h1>A provider to practise on</h1>
            <p class="lead">This is a small OAuth 2.0 provider. It signs in whoever you like and grants whatever is asked
            for. On its consent page you can switch on the awkward things that real providers do.</p>
            <section class="card">
            <h2>Addresses</h2>
            <dl class="addresses">\(addresses.map(address))</dl>
            </section>
            <section class="card">
            <h2>Behaviours</h2>
            <p>Put the names, with commas between them, into the authorization address as
            <code>sandbox_behaviour</code>, or use the switches.</p>
            \(Behaviour.Stage.allCases.map(group))
            </section>
            <section class="card">
            <h2>Without pages</h2>
            <p>For scripts, <code>sandbox_auto=allow</code> or <code>sandbox_auto=deny</code> in the authorization
            address answers at once. <code>sandbox_account</code> says for whom: \(accounts).</p>
            </section>
            """
        return ProviderPage(title: "Start", content: content, isWide: true).html
    }

    private var addresses: [(String, String)] {
        [
            ("Authorization", "/authorize"), ("Authorization, opener cut", "/coop/authorize"),
            ("Authorization of a team", "/teams/{team}/authorize"), ("Token", "/token"), ("Revocation", "/revoke"),
            ("Account", "/api/me"), ("Drive", "/drive/v3/files"),
            ("MCP server", "/mcp"), ("Registration of clients", "/register"),
            ("Metadata", "/.well-known/oauth-authorization-server"),
        ]
    }

    private func address(_ name: String, _ path: String) -> HTML {
        "<div><dt>\(name)</dt><dd><code>\(provider.baseURL + path)</code></dd></div>"
    }

    private func group(_ stage: Behaviour.Stage) -> HTML {
        let rows: [HTML] = Behaviour.allCases.filter { $0.stage == stage }.map {
            "<div><dt><code>\($0.rawValue)</code></dt><dd><strong>\($0.title).</strong> \($0.explanation)</dd></div>"
        }
        return "<h3>\(stage.rawValue)</h3><dl class=\"list\">\(rows)</dl>"
    }

    private var accounts: HTML {
        let names = Account.allCases.map { "<code>\($0.rawValue)</code>" as HTML }
        return "\(Array(names.dropLast().map { "\($0), " as HTML })) \(names.suffix(1).map { "or \($0)" as HTML })"
    }
}
