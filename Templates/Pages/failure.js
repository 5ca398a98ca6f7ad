// Tells the window that began the flow what went wrong, and stays, so that it can be read.

// `code` and `state` are spent, and a reload would only fail again.
history.replaceState(null, "", location.pathname);

const { code, description, frontendOrigin, flow } = document.body.dataset;
const closeButton = document.getElementById("close");
const byHand = document.getElementById("by-hand");

closeButton.hidden = false;
closeButton.addEventListener("click", () => {
  window.close();
  // Only a window that a script opened may close itself.
  setTimeout(() => (byHand.hidden = false), 300);
});

// `*` and `/` mean something to postMessage, but are no origins.
if (window.opener && URL.canParse(frontendOrigin) && new URL(frontendOrigin).origin === frontendOrigin) {
  window.opener.postMessage(
    { source: "cloakroom", type: "failure", error: code, errorDescription: description, flow },
    frontendOrigin,
  );
}
