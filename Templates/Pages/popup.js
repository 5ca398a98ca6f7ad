// The first page of a popup. It is opened inside the click, so no blocker minds, and waits here until the app
// knows where to go. Then it binds the flow to this browser by a cookie, and goes on to the provider.

const { base } = document.body.dataset;
const { opener } = window;
// connect.js says in the address where it was called. The page knows nobody's origin besides, and tells nobody else
// anything: whether a flow is the opener's own, the broker says.
const stated = exactOrigin(new URLSearchParams(location.hash.slice(1)).get("origin"));
let started = false;

function show(state) {
  for (const section of document.querySelectorAll("[data-state]")) {
    section.hidden = section.dataset.state !== state;
    if (!section.hidden) document.title = section.querySelector("h1").textContent;
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Binds the flow to this browser. Resolves with the problem that ends the flow, or with null where the broker says that
 * the opener began it. A refusal is final; a stumble is tried again.
 */
async function bind(binding) {
  for (const wait of [0, 500, 1500]) {
    await pause(wait);
    try {
      const response = await fetch(`${base}/oauth/popup`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(binding),
        credentials: "same-origin",
        signal: AbortSignal.timeout(10_000),
      });
      if (response.ok) return null;
      if (response.status < 500) {
        const { code = "invalid_request", detail = "" } = await response.json().catch(() => ({}));
        return { code, detail };
      }
    } catch {}
  }
  return { code: "unavailable", detail: "the broker does not answer; try again in a moment" };
}

/** `*` and `/` mean something to postMessage, but are no origins. */
function exactOrigin(text) {
  return URL.canParse(text) && new URL(text).origin === text ? text : null;
}

function webAddress(text) {
  const address = URL.canParse(text) ? new URL(text) : null;
  return address && ["https:", "http:"].includes(address.protocol) ? address.href : null;
}

async function start({ flow, authorizationUrl, exchangeVerifier }, frontendOrigin) {
  const fail = (error, errorDescription) => {
    show("failed");
    if (stated) opener.postMessage({ source: "cloakroom", type: "failure", error, errorDescription, flow }, stated);
  };
  const address = webAddress(authorizationUrl);
  if (!address) return fail("invalid_authorization_url", "the authorization address is no web address");
  const problem = await bind({ flow, exchangeVerifier, frontendOrigin });
  if (problem) return fail(problem.code, problem.detail);
  location.replace(address);
}

function listen(event) {
  if (started || event.source !== opener || (stated && event.origin !== stated)) return;
  if (event.data?.source !== "cloakroom" || event.data.type !== "start") return;
  started = true;
  show("working");
  start(event.data, event.origin);
}

if (opener) {
  addEventListener("message", listen);
  // It reaches the opener only where that is what it says.
  if (stated) opener.postMessage({ source: "cloakroom", type: "ready" }, stated);
  setTimeout(() => started || show("alone"), 15_000);
} else {
  show("alone");
}
