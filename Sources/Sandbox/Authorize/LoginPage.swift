/// Asks who is there. Any account will do, with the password that is already filled in.
struct LoginPage {
    let request: AuthorizationRequest
    let formToken: String

    var html: HTML {
        let content: HTML = """
            <section class="card">
            <h1>Sign in</h1>
            <p class="lead">to continue to <strong>\(request.client.name)</strong></p>
            <form method="post" action="/login">
            \(CarriedRequest(request: request, formToken: formToken).html)
            <fieldset class="accounts">
            <legend>Choose an account</legend>
            \(Account.allCases.map(choice))
            </fieldset>
            <label class="field" for="password">Password
            <input id="password" name="password" type="password" value="correct horse battery staple"
            autocomplete="off" aria-describedby="password-note">
            </label>
            <p class="hint" id="password-note">Filled in for you. Any password is right.</p>
            <button class="primary" type="submit">Sign in</button>
            </form>
            </section>
            """
        return ProviderPage(title: "Sign in", content: content).html
    }

    private func choice(_ account: Account) -> HTML {
        let checked: HTML = account == Account.allCases.first ? " checked" : .empty
        return """
            <label class="account">
            <input type="radio" name="account" value="\(account.rawValue)"\(checked)>
            <span class="avatar" aria-hidden="true">\(account.initials)</span>
            <span class="who"><span class="name">\(account.name)</span> <span class="mail">\(account.email)</span></span>
            </label>
            """
    }
}
