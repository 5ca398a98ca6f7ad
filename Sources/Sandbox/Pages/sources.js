// The cards of the sources that can be connected now, and the list of those that cannot.

import { button, element } from "./elements.js";

/// - start: called with the source, what was chosen for it, and whether to leave the page for it.
export function showSources(items, start) {
  const ready = items.filter((item) => item.configured && item.supportsOAuth);
  const others = items.filter((item) => !ready.includes(item));
  document.getElementById("sources").setAttribute("aria-busy", "false");
  document.getElementById("ready").replaceChildren(...(ready.length > 0
    ? ready.map((item) => card(item, start))
    : [element("li", { class: "card loading" }, "No source has a client id yet.")]));
  showOthers(others);
}

function card(item, start) {
  const parameters = item.oauth.parameters ?? [];
  const scopes = item.oauth.scopes ?? [];
  const form = element("form", { class: "card-form", onsubmit: (event) => event.preventDefault() },
    parameters.map((parameter) => parameterField(item, parameter)),
    scopes.length > 0 ? scopeChoice(scopes) : null,
    element("div", { class: "card-actions" },
      element("button", { type: "submit", class: "primary" }, "Connect",
        element("span", { class: "visually-hidden" }, ` ${item.displayName}`)),
      button("Use this tab", () => {
        if (form.reportValidity()) start(item, chosen(form, item), true);
      }, "secondary")));
  form.addEventListener("submit", () => start(item, chosen(form, item), false));
  form.querySelector("button.secondary").append(
    element("span", { class: "visually-hidden" }, ` to connect ${item.displayName}`));
  return element("li", { class: "card" },
    element("div", { class: "card-head" }, avatar(item), names(item)), form);
}

function avatar(item) {
  const hue = [...item.type].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 5;
  const initials = item.displayName.split(/\s+/).slice(0, 2).map((word) => word[0]).join("").toUpperCase();
  return element("span", { class: `logo hue-${hue}`, "aria-hidden": "true" }, initials);
}

function names(item) {
  const [, name, note] = item.displayName.match(/^(.*?)(?: \((.*)\))?$/);
  return element("div", {}, element("h3", {}, name),
    element("p", { class: "about" }, note ?? element("code", {}, item.type)));
}

/// The demo's own server, for whoever has none.
const suggestions = { "mcp_server-url": document.body.dataset.mcp };

function parameterField(item, parameter) {
  const id = `${item.type}-${parameter.name}`;
  return element("div", { class: "field" },
    element("label", { for: id }, parameter.name),
    element("input", {
      id, name: parameter.name, required: parameter.required, autocomplete: "off", spellcheck: "false",
      autocapitalize: "off", "data-parameter": true, value: suggestions[id], "aria-describedby": `${id}-note`,
    }),
    element("p", { class: "hint", id: `${id}-note` }, parameter.description ?? ""));
}

function scopeChoice(scopes) {
  return element("details", { class: "scopes" },
    element("summary", {}, `Scopes `, element("span", { class: "count" }, String(scopes.length))),
    element("div", { role: "group", "aria-label": "Scopes" }, scopes.map((scope) =>
      element("label", {}, element("input", { type: "checkbox", value: scope, checked: true, "data-scope": true }),
        element("code", {}, scope)))));
}

/// Members for the broker; what the person left as it was is left to the source's own defaults.
function chosen(form, item) {
  const choice = {};
  const fields = [...form.querySelectorAll("[data-parameter]")].filter((field) => field.value !== "");
  if (fields.length > 0) choice.parameters = Object.fromEntries(fields.map((field) => [field.name, field.value]));
  const scopes = [...form.querySelectorAll("[data-scope]:checked")].map((box) => box.value);
  if (scopes.length > 0 && scopes.length < (item.oauth.scopes ?? []).length) choice.scopes = scopes;
  return choice;
}

function showOthers(items) {
  if (items.length === 0) return;
  const rows = items.map((item) => {
    const need = item.supportsOAuth ? "needs a client id" : "no sign-in needed";
    return element("li", { "data-words": `${item.displayName} ${item.type} ${item.category}`.toLowerCase() },
      element("span", {}, item.displayName), element("span", { class: "need" }, need));
  });
  document.getElementById("others").hidden = false;
  const count = document.getElementById("others-count");
  count.textContent = String(items.length);
  document.getElementById("others-list").replaceChildren(...rows);
  document.getElementById("filter").addEventListener("input", (event) => {
    const words = event.target.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.dataset.words.includes(words);
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = shown === rows.length ? String(shown) : `${shown} of ${rows.length}`;
  });
}
