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
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), 10_000);
    try {
      const response = await fetch(`${base}/oauth/popup`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(binding),
        credentials: "same-origin",
        signal: controller.signal,
      });
      if (response.ok) return null;
      if (response.status < 500) {
        const { code = "invalid_request", detail = "" } = await response.json().catch(() => ({}));
        return { code, detail };
      }
    } catch {
      // Once more.
    } finally {
      clearTimeout(timer);
    }
  }
  return { code: "unavailable", detail: "the broker does not answer; try again in a moment" };
}

/** Null for what is no absolute address. */
function addressOf(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** `*` and `/` mean something to postMessage, but are no origins. */
function exactOrigin(text) {
  const origin = addressOf(text)?.origin;
  return origin === text && origin !== "null" ? text : null;
}

function webAddress(text) {
  const address = addressOf(text);
  return address && ["https:", "http:"].includes(address.protocol) ? address.href : null;
}

/** For a page that comes back to this window and does not know for which flow, such as an error without state. */
function remember(flow, frontendOrigin) {
  try {
    sessionStorage.setItem("cloakroom.window", JSON.stringify({ flow, frontendOrigin }));
  } catch {
    // Then the app learns of it when the window closes.
  }
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
  if (stated) opener.postMessage({ source: "cloakroom", type: "leaving", flow }, stated);
  remember(flow, frontendOrigin);
  location.replace(address);
}

function listen(event) {
  if (started || event.source !== opener || (stated && event.origin !== stated)) return;
  if (event.data?.source !== "cloakroom" || event.data.type !== "start") return;
  started = true;
  show("working");
  start(event.data, event.origin);
}

/** The opener may need long to learn where to go; without one nobody will ever say. */
function wait() {
  addEventListener("message", listen);
  // It reaches the opener only where that is what it says.
  if (stated) opener.postMessage({ source: "cloakroom", type: "ready" }, stated);
  setTimeout(() => started || show(opener.closed ? "alone" : "slow"), 15_000);
  const timer = setInterval(() => {
    if (started || opener.closed) clearInterval(timer);
    if (!started && opener.closed) show("alone");
  }, 500);
}

if (opener) wait();
else show("alone");
