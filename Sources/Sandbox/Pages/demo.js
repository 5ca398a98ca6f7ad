// Fieldnotes: shows what can be connected, and connects it.

import { ingestedTypes } from "./assets.js";
import { connectHere, leaveForProvider, loadConnect, returned, sourceTypes } from "./broker.js";
import { element } from "./elements.js";
import { Journey } from "./journey.js";
import { showSources } from "./sources.js";
import { meaningOf, nameOf } from "./words.js";

// First of all, so that a key in the address stays there no longer than it must.
const library = loadConnect();
const arriving = library.then(returned);

let helper = null;
let running = null;

async function start(source, choice, fullPage) {
  running?.abort();
  const attempt = new AbortController();
  running = attempt;
  const journey = new Journey(source);
  journey.asking(fullPage, () => attempt.abort());
  try {
    if (fullPage) return await leaveForProvider(helper, source, choice, attempt.signal);
    const connection = await connectHere(helper, source, choice, attempt.signal);
    if (running === attempt) journey.received(connection);
  } catch (error) {
    if (running === attempt) journey.failed(attempt.signal.aborted ? { code: "aborted" } : error);
  }
}

function showArrival(items, arrival) {
  // Nor where the person began anew meanwhile.
  if (arrival === null || running !== null) return;
  const journey = new Journey(items.find((item) => item.type === arrival.sourceType));
  if (arrival.error) journey.failed(arrival.error);
  else journey.received(arrival.connection);
}

function showProblem(error) {
  const name = nameOf(error);
  document.getElementById("sources").setAttribute("aria-busy", "false");
  document.getElementById("ready").replaceChildren();
  document.getElementById("problem").replaceChildren(
    element("p", { class: "notice problem", role: "alert" }, meaningOf(name), " ", element("code", {}, name)));
}

try {
  const [{ items }, ingested] = await Promise.all([sourceTypes(), ingestedTypes()]);
  for (const item of items) item.isIngested = ingested.has(item.type);
  helper = await library;
  showSources(items, start);
  showArrival(items, await arriving);
} catch (error) {
  showProblem(error);
}
