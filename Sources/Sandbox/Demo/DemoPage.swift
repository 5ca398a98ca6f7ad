/// The frontend's one page. Its scripts fill the list of sources and the steps of a connection.
struct DemoPage {
    let frontend: DemoFrontend

    /// Scripts from here and the broker; calls to here, the broker, the provider's account address, and the asset service.
    var policy: ContentPolicy {
        let broker = Origin(of: frontend.brokerURL).text
        let provider = Origin(of: frontend.providerURL).text
        let assets = frontend.assetsURL.map { " " + Origin(of: $0).text } ?? ""
        return ContentPolicy(
            "script-src 'self' \(broker)", "connect-src 'self' \(broker) \(provider)\(assets)", "style-src 'self'",
            "img-src 'self'", "form-action 'none'")
    }

    var html: HTML {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Connected sources · Fieldnotes</title>
        <link rel="icon" href="/demo.svg" type="image/svg+xml">
        <link rel="stylesheet" href="/demo.css">
        <script type="module" src="/demo.js"></script>
        </head>
        <body data-base="\(frontend.baseURL)" data-broker="\(frontend.brokerURL)"
        data-provider="\(frontend.providerURL)" data-mcp="\(frontend.providerURL)/mcp" data-assets="\(frontend.assetsURL ?? "")" data-tenant="\(frontend.tenant)">
        <a class="skip" href="#sources">Skip to the sources</a>
        <header class="bar">
        <img src="/demo.svg" alt="" width="30" height="30">
        <span class="brand">Fieldnotes</span>
        <span class="badge">demo</span>
        <span class="tenant">Tenant <code>\(frontend.tenant)</code></span>
        </header>
        <main>
        <div class="intro">
        <h1>Connected sources</h1>
        <p>Fieldnotes searches the places where your notes already are. Connect one, and follow its
        credential key from the popup to the tokens.</p>
        </div>
        <noscript><p class="notice problem">This page needs JavaScript.</p></noscript>
        <p id="status" class="visually-hidden" role="status" aria-live="polite"></p>
        <div class="columns">
        <section id="sources" aria-labelledby="sources-title" aria-busy="true" tabindex="-1">
        <h2 id="sources-title">Ready to connect</h2>
        <div id="problem"></div>
        <ul id="ready" class="cards"><li class="card loading">Asking the broker what there is …</li></ul>
        <details id="others" hidden>
        <summary>Others in the catalog <span id="others-count" class="count"></span></summary>
        <label class="filter" for="filter">Find a source
        <input id="filter" type="search" autocomplete="off" spellcheck="false"></label>
        <ul id="others-list" class="others"></ul>
        </details>
        </section>
        <section id="journey" aria-labelledby="journey-title">
        <h2 id="journey-title" tabindex="-1">Step by step</h2>
        <div id="journey-body"><p class="empty">Connect a source, and each step appears here.</p></div>
        </section>
        </div>
        </main>
        <footer><p>A demo of Cloakroom, on this machine alone. A real frontend would hand the key to its own server
        and never see a token.</p></footer>
        </body>
        </html>

        """
    }
}
