// The first page of a popup. It is opened inside the click, so no blocker minds, and waits here until the app
// knows where to go. Then it binds the flow to this browser by a cookie, and goes on to the provider.

const { base, origins } = document.body.dataset;
const allowed = origins.split(" ").filter(Boolean);
const { opener } = window;
let started = false;

function show(state) {
  for (const section of document.querySelectorAll("[data-state]")) {
    section.hidden = section.dataset.state !== state;
    if (!section.hidden) document.title = section.querySelector("h1").textContent;
  }
}

/** Binds the flow to this browser. Resolves with the problem that ends the flow, or with null. */
async function bind(binding) {
  try {
    const response = await fetch(`${base}/oauth/popup`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(binding),
      credentials: "same-origin",
      signal: AbortSignal.timeout(10_000),
    });
    if (response.status < 400 || response.status >= 500) return null;
    const { code = "invalid_request", detail = "" } = await response.json().catch(() => ({}));
    return { code, detail };
  } catch {
    // Unbound, the flow still works: its outcome then comes by message only, never by asking.
    return null;
  }
}

function webAddress(text) {
  const address = URL.canParse(text) ? new URL(text) : null;
  return address && ["https:", "http:"].includes(address.protocol) ? address.href : null;
}

async function start({ flow, authorizationUrl, exchangeVerifier }, frontendOrigin) {
  const fail = (error, errorDescription) => {
    show("failed");
    opener.postMessage({ source: "cloakroom", type: "failure", error, errorDescription, flow }, frontendOrigin);
  };
  const address = webAddress(authorizationUrl);
  if (!address) return fail("invalid_authorization_url", "the authorization address is no web address");
  const problem = await bind({ flow, exchangeVerifier, frontendOrigin });
  if (problem) return fail(problem.code, problem.detail);
  location.replace(address);
}

function listen(event) {
  if (started || event.source !== opener || !allowed.includes(event.origin)) return;
  if (event.data?.source !== "cloakroom" || event.data.type !== "start") return;
  started = true;
  show("working");
  start(event.data, event.origin);
}

if (opener) {
  addEventListener("message", listen);
  // Which of them opened us cannot be read from here: the message reaches the one that did.
  for (const origin of allowed) opener.postMessage({ source: "cloakroom", type: "ready" }, origin);
  setTimeout(() => started || show("alone"), 15_000);
} else {
  show("alone");
}
