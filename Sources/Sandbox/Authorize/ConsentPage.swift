/// Asks whether the client may have what it asks for, and how the provider is to behave about it.
struct ConsentPage {
    let request: AuthorizationRequest
    let account: Account
    let formToken: String

    var html: HTML {
        let carried = CarriedRequest(request: request, formToken: formToken).html
        let content: HTML = """
            <section class="card">
            <h1><strong>\(request.client.name)</strong> asks for access</h1>
            <div class="signed-in">
            <span class="avatar" aria-hidden="true">\(account.initials)</span>
            <span class="who"><span class="name">\(account.name)</span> <span class="mail">\(account.email)</span></span>
            <form method="post" action="/logout">\(carried)
            <button class="quiet" type="submit">Switch account</button></form>
            </div>
            <h2>It would be able to</h2>
            <ul class="scopes">\(request.scopes.map(scope))</ul>
            <form method="post" action="/consent" id="consent">
            \(carried)
            <fieldset class="behaviours">
            <legend>How should the provider behave?</legend>
            <p class="hint">All off: it behaves well. Switch on what should go wrong.</p>
            \(Behaviour.Stage.allCases.map(group))
            </fieldset>
            <div class="decision">
            <p>Either way you go back to <strong>\(recipient)</strong>.</p>
            <div class="buttons">
            <button class="secondary" type="submit" name="decision" value="deny">Deny</button>
            <button class="primary" type="submit" name="decision" value="allow">Allow</button>
            </div>
            </div>
            </form>
            </section>
            """
        return ProviderPage(title: "Allow access?", content: content).html
    }

    /// Scheme and host of the redirect address: the part of it that a person can judge.
    private var recipient: String { Origin(of: request.redirectURI).text }

    private func scope(_ name: String) -> HTML {
        "<li><span>\(Scope.description(of: name))</span> <code>\(name)</code></li>"
    }

    private func group(_ stage: Behaviour.Stage) -> HTML {
        let switches = Behaviour.allCases.filter { $0.stage == stage }
        let open: HTML = switches.contains(where: request.behaviours.contains) ? " open" : .empty
        return """
            <details\(open)>
            <summary>\(stage.rawValue) <span class="count">\(String(switches.count))</span></summary>
            <div role="group" aria-label="\(stage.rawValue)">\(switches.map(toggle))</div>
            </details>
            """
    }

    private func toggle(_ behaviour: Behaviour) -> HTML {
        let checked: HTML = request.behaviours.contains(behaviour) ? " checked" : .empty
        return """
            <label class="toggle">
            <input type="checkbox" role="switch" name="behaviour" value="\(behaviour.rawValue)"\(checked)>
            <span><span class="name">\(behaviour.title)</span> <span class="hint">\(behaviour.explanation)</span></span>
            </label>
            """
    }
}
