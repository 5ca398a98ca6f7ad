// The last page of a flow: it hands the credential key to the window that began the flow, and to nobody else.

const fragment = new URLSearchParams(location.hash.slice(1));
// First of all, so that the key stays in no address bar, history or bookmark.
history.replaceState(null, "", location.pathname);

const { base } = document.body.dataset;
const credentialKey = fragment.get("credentialKey");
const sourceType = fragment.get("sourceType");
const flow = fragment.get("flow");
const { opener } = window;

function show(state) {
  for (const section of document.querySelectorAll("[data-state]")) {
    section.hidden = section.dataset.state !== state;
    if (!section.hidden) document.title = section.querySelector("h1").textContent;
  }
}

/** Ends a request after so long that another is better. By hand: `AbortSignal.timeout` is too young. */
function patience() {
  const ended = new AbortController();
  setTimeout(() => ended.abort(), 10_000);
  return ended.signal;
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The one origin this flow's key may be told to, or null. A refusal is final; a stumble is tried again. */
async function frontendOrigin() {
  for (const wait of [0, 500, 1500]) {
    await pause(wait);
    try {
      const query = new URLSearchParams({ flow });
      const response = await fetch(`${base}/oauth/frontendOrigin?${query}`, { cache: "no-store", signal: patience() });
      if (response.ok) return exactOrigin((await response.json()).frontendOrigin);
      if (response.status < 500) return null;
    } catch {
      // Once more.
    }
  }
  return null;
}

/** `*` and `/` mean something to postMessage, but are no origins. */
function exactOrigin(text) {
  try {
    return new URL(text).origin === text ? text : null;
  } catch {
    return null;
  }
}

/** Tells whether the app took the key: it asked for the flow's outcome, or the key was redeemed. Spends nothing. */
async function isTaken() {
  try {
    const response = await fetch(`${base}/oauth/success`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ credentialKey }),
      credentials: "same-origin",
      cache: "no-store",
      signal: patience(),
    });
    return response.ok && (await response.json()).taken === true;
  } catch {
    return false;
  }
}

let isDone = false;

function done(closeAfter) {
  if (isDone) return;
  isDone = true;
  show("done");
  setTimeout(() => window.close(), closeAfter);
}

function handOver(origin) {
  addEventListener("message", (event) => {
    const { source, type, flow: acknowledged } = event.data ?? {};
    if (event.source !== opener || event.origin !== origin) return;
    if (source === "cloakroom" && type === "acknowledged" && acknowledged === flow) done(0);
  });
  opener.postMessage({ source: "cloakroom", type: "success", credentialKey, sourceType, flow }, origin);
}

/**
 * Waits until the app took the key, for as long as one lives. An app that answers no message, or was cut off by the
 * provider's Cross-Origin-Opener-Policy, or was reloaded, asks the broker every second or redeems.
 */
async function waitUntilTaken(grace) {
  const start = Date.now();
  let isTold = true;
  setTimeout(() => {
    isTold = false;
    if (!isDone) show("untold");
  }, grace);
  while (!isDone && Date.now() - start < 300_000) {
    await pause(isTold ? 1000 : 2000);
    if (!isDone && (await isTaken())) done(1000);
  }
}

async function end() {
  if (!credentialKey || !sourceType || !flow) return show("spent");
  const origin = opener && (await frontendOrigin());
  if (origin) handOver(origin);
  // Without an origin the flow is unknown, or the broker does not answer.
  return waitUntilTaken(opener && !origin ? 0 : 5000);
}

end();
