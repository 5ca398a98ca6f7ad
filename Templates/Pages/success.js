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

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The one origin this flow's key may be told to, or null. A refusal is final; a stumble is tried again. */
async function frontendOrigin() {
  for (const wait of [0, 500, 1500]) {
    await pause(wait);
    try {
      const response = await fetch(`${base}/oauth/frontendOrigin?${new URLSearchParams({ flow })}`, { cache: "no-store" });
      if (response.ok) return exactOrigin((await response.json()).frontendOrigin);
      if (response.status < 500) return null;
    } catch {}
  }
  return null;
}

/** `*` and `/` mean something to postMessage, but are no origins. */
function exactOrigin(text) {
  return URL.canParse(text) && new URL(text).origin === text ? text : null;
}

function handOver(origin) {
  addEventListener("message", (event) => {
    const { source, type, flow: received } = event.data ?? {};
    if (event.source !== opener || event.origin !== origin) return;
    if (source === "cloakroom" && type === "received" && received === flow) window.close();
  });
  opener.postMessage({ source: "cloakroom", type: "success", credentialKey, sourceType, flow }, origin);
}

if (!credentialKey || !sourceType || !flow) {
  show("spent");
} else if (!opener) {
  // A provider's Cross-Origin-Opener-Policy cut the opener off: the app learns the outcome from the broker.
  show("done");
  setTimeout(() => window.close(), 1000);
} else {
  const origin = await frontendOrigin();
  if (origin) {
    handOver(origin);
    show("done");
    setTimeout(() => window.close(), 1000);
  } else {
    show("untold");
  }
}
