// A ticket in the asset service's hands: redeemed there, its source read, and every document with its chunks.

import { chunksOf, createAsset, documentsOf, operationOf, refreshAsset } from "./assets.js";
import { button, element, facts } from "./elements.js";

export const ingestionSteps = [
  ["hand", "Hand it to the asset service"],
  ["read", "Read the documents"],
  ["documents", "Look into them"],
  ["again", "Read the source again"],
];

export async function ingest(steps, source, connection) {
  let step = "hand";
  try {
    steps.set("hand", "active", element("p", {}, "It redeems the key at the broker, and keeps the tokens sealed."));
    const { asset, operation } = await createAsset(source, connection);
    steps.set("hand", "done", element("p", {}, "The key is spent, and no token ever came to this page."),
      facts([["Asset", asset.displayName]]));
    step = "read";
    const end = await follow(steps, step, asset, operation);
    if (end === null) return;
    steps.set("read", "done", summary(end));
    step = "documents";
    await showDocuments(steps, asset);
    offerRefresh(steps, asset);
  } catch (error) {
    if (steps.isShown) steps.failed(step, error);
  }
}

/// Asks for the operation until it is done, and shows how far it is; null once nobody looks at it any more.
async function follow(steps, step, asset, operation) {
  const bar = element("progress", { max: 1, value: 0, "aria-label": "Documents read" });
  const words = element("p", { class: "hint" }, "Waiting for its turn …");
  steps.set(step, "active", bar, words);
  for (;;) {
    const now = await operationOf(asset, operation);
    if (!steps.isShown) return null;
    bar.max = Math.max(now.itemsTotal, 1);
    bar.value = now.itemsProcessed;
    words.textContent = `${now.itemsProcessed} of ${now.itemsTotal} documents`;
    if (now.done) return now;
    await new Promise((go) => setTimeout(go, 300));
  }
}

function summary(operation) {
  return element("div", {},
    element("p", {}, operation.errorMessage ?? "Everything was read."),
    facts([
      ["Status", element("code", {}, operation.status)],
      ["Documents", `${operation.itemsProcessed}, of which ${operation.itemsSkipped} unchanged and ${operation.itemsFailed} failed`],
      ["Chunks", String(operation.chunkCount)],
      ["Tokens", operation.tokenCount.toLocaleString("en")],
      ["Cost", `$${(operation.cost ?? 0).toFixed(8)}`],
    ]));
}

async function showDocuments(steps, asset) {
  const documents = await documentsOf(asset);
  if (!steps.isShown) return;
  steps.set("documents", "done", element("ul", { class: "documents" },
    documents.map((document) => element("li", {}, entry(asset, document)))));
}

function entry(asset, document) {
  const body = element("div", { class: "document-body" });
  const node = element("details", {},
    element("summary", {}, element("span", { class: "document-name" }, document.fileName),
      element("span", { class: "state", "data-state": document.status.toLowerCase() }, document.status.toLowerCase())),
    body);
  node.addEventListener("toggle", () => fill(body, asset, document), { once: true });
  return node;
}

async function fill(body, asset, document) {
  if (document.errorMessage) {
    body.replaceChildren(element("p", { class: "notice problem" }, element("code", {}, document.errorCode), ` ${document.errorMessage}`));
    return;
  }
  body.replaceChildren(element("p", { class: "hint" }, "Asking for its chunks …"));
  try {
    const chunks = await chunksOf(asset, document);
    body.replaceChildren(
      element("p", { class: "hint" }, `${document.contentType}, ${document.tokenCount} tokens in ${chunks.length} chunks`),
      element("ol", { class: "chunks" }, chunks.map(chunkEntry)));
  } catch (error) {
    body.replaceChildren(element("p", { class: "notice problem" }, "The chunks could not be fetched."));
  }
}

function chunkEntry(chunk) {
  const place = [
    chunk.headingPath, chunk.pageNumber ? `page ${chunk.pageNumber}` : null,
    `lines ${chunk.startLine}–${chunk.endLine}`, `${chunk.tokenCount} tokens`,
  ].filter((part) => part !== null);
  return element("li", {}, element("p", { class: "hint" }, place.join(" · ")),
    element("pre", { tabindex: "0" }, chunk.content));
}

function offerRefresh(steps, asset) {
  const go = button("Refresh", () => again(steps, asset, go));
  steps.set("again", "active", element("p", {}, "What has not changed is skipped, and costs nothing."), go);
}

async function again(steps, asset, go) {
  go.disabled = true;
  try {
    const { operation } = await refreshAsset(asset);
    const end = await follow(steps, "again", asset, operation);
    if (end === null) return;
    const retry = button("Refresh again", () => again(steps, asset, retry), "secondary");
    steps.set("again", "done", summary(end), retry);
    await showDocuments(steps, asset);
  } catch (error) {
    if (steps.isShown) steps.failed("again", error);
  }
}
