// Fieldnotes: shows what can be connected, and connects it.

import { connectHere, leaveForProvider, loadConnect, returned, sourceTypes } from "./broker.js";
import { element } from "./elements.js";
import { Journey } from "./journey.js";
import { showSources } from "./sources.js";
import { meaningOf, nameOf } from "./words.js";

// First of all, so that a key in the address stays there no longer than it must.
const arrival = returned();

let connect = null;
let running = null;

async function start(source, choice, fullPage) {
  running?.abort();
  const attempt = new AbortController();
  running = attempt;
  const journey = new Journey(source);
  journey.asking(fullPage, () => attempt.abort());
  try {
    if (fullPage) return await leaveForProvider(source, choice);
    const ticket = await connectHere(connect, source, choice, attempt.signal);
    if (running === attempt) journey.received(ticket);
  } catch (error) {
    if (running === attempt) journey.failed(attempt.signal.aborted ? { code: "aborted" } : error);
  }
}

function showArrival(items) {
  if (arrival === null) return;
  const journey = new Journey(items.find((item) => item.type === arrival.sourceType));
  if (arrival.error) journey.failed({ code: arrival.error });
  else journey.received(arrival);
}

function showProblem(error) {
  const name = nameOf(error);
  document.getElementById("sources").setAttribute("aria-busy", "false");
  document.getElementById("ready").replaceChildren();
  document.getElementById("problem").replaceChildren(
    element("p", { class: "notice problem", role: "alert" }, meaningOf(name), " ", element("code", {}, name)));
}

try {
  const [{ items }, connectFunction] = await Promise.all([sourceTypes(), loadConnect()]);
  connect = connectFunction;
  showSources(items, start);
  showArrival(items);
} catch (error) {
  showProblem(error);
}
