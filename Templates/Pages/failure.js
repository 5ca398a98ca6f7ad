// Tells the window that began the flow what went wrong, and stays, so that it can be read.

const { code, description, frontendOrigin, flow } = document.body.dataset;
const parts = [...document.querySelectorAll("[data-part]")];

// `code` and `state` are spent and leave the address, so a reload knows of nothing. What the page says, and no more,
// stays with its entry of the history, and a reload says it again.
const said = location.search ? null : history.state?.said;
if (said?.texts?.length === parts.length) {
  document.title = said.title;
  document.documentElement.lang = said.lang;
  parts.forEach((part, index) => (part.textContent = said.texts[index]));
} else {
  const { title, documentElement } = document;
  const texts = parts.map((part) => part.textContent);
  history.replaceState({ said: { title, lang: documentElement.lang, texts } }, "", location.pathname);
}

const closeButton = document.getElementById("close");
const byHand = document.getElementById("by-hand");

closeButton.hidden = false;
closeButton.addEventListener("click", () => {
  window.close();
  // Only a window that a script opened may close itself.
  setTimeout(() => (byHand.hidden = false), 300);
});

/** `*` and `/` mean something to postMessage, but are no origins. */
function isOrigin(text) {
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}

/** What this window's first page knew. */
function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem("cloakroom.window")) ?? {};
  } catch {
    return {};
  }
}

const own = remembered();
if (window.opener && !flow && isOrigin(own.frontendOrigin)) {
  // The flow may have come to a good end all the same, by an earlier page of this window.
  window.opener.postMessage({ source: "cloakroom", type: "stray", error: code, flow: own.flow }, own.frontendOrigin);
} else if (window.opener && isOrigin(frontendOrigin)) {
  window.opener.postMessage(
    { source: "cloakroom", type: "failure", error: code, errorDescription: description, flow },
    frontendOrigin,
  );
}
