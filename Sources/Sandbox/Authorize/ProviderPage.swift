/// The frame of every page of the provider.
struct ProviderPage {
    let title: String
    let content: HTML
    /// True for the start page, which has room for lists. The popup's pages are narrow.
    var isWide = false

    var html: HTML {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>\(title) · Sandbox</title>
        <link rel="icon" href="/provider.svg" type="image/svg+xml">
        <link rel="stylesheet" href="/provider.css">
        </head>
        <body\(isWide ? " class=\"wide\"" : .empty as HTML)>
        <header class="bar">
        <img src="/provider.svg" alt="" width="28" height="28">
        <span class="brand">Sandbox</span>
        <span class="note">a pretend provider</span>
        </header>
        <main>
        \(content)
        </main>
        <footer><p>Nothing here is real: no passwords, no accounts, no files.</p></footer>
        </body>
        </html>

        """
    }
}

/// The hidden fields that carry an authorization request through a form.
struct CarriedRequest {
    let request: AuthorizationRequest
    let formToken: String

    var html: HTML {
        """
        <input type="hidden" name="form_token" value="\(formToken)">
        <input type="hidden" name="path" value="\(request.path)">
        <input type="hidden" name="query" value="\(request.query.encoded)">
        """
    }
}

/// Says that something is wrong, to the visitor alone.
struct TroublePage {
    let title: String
    let reason: String

    var html: HTML {
        let content: HTML = """
            <section class="card trouble">
            <h1>\(title)</h1>
            <p>\(reason)</p>
            <p><a href="/">About this sandbox</a></p>
            </section>
            """
        return ProviderPage(title: title, content: content).html
    }
}
