// The steps of a connection: which are done, which one is next, and what came of each.

import { element, facts } from "./elements.js";
import { meaningOf, nameOf } from "./words.js";

export class Steps {
  #rows = new Map();

  /// Shows the steps in place of those of before. - titles: pairs of an id and a title, in order.
  constructor(source, titles) {
    const list = element("ol", { class: "steps" }, titles.map(([id, title]) => {
      const body = element("div", { class: "step-body" });
      const state = element("span", { class: "visually-hidden" });
      const row = element("li", { class: "step", "data-step": id, "data-state": "waiting" },
        element("h3", {}, title, state), body);
      this.#rows.set(id, { row, body, state, title });
      return row;
    }));
    const name = source?.displayName ?? "Unknown source";
    document.getElementById("journey-body").replaceChildren(element("p", { class: "for" }, name), list);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    document.getElementById("journey").scrollIntoView({ behavior: still ? "auto" : "smooth", block: "nearest" });
  }

  /// False once another connection took the place of this one.
  get isShown() {
    return [...this.#rows.values()].every(({ row }) => row.isConnected);
  }

  failed(id, error) {
    const name = nameOf(error);
    const detail = error?.detail ?? error?.description;
    this.set(id, "failed", element("p", {}, meaningOf(name)),
      facts([["Error", element("code", {}, name)], ["Details", detail ? String(detail).slice(0, 300) : null]]));
  }

  set(id, state, ...content) {
    const { row, body, state: spoken, title } = this.#rows.get(id);
    const hadFocus = body.contains(document.activeElement);
    row.dataset.state = state;
    spoken.textContent = { done: ", done", failed: ", failed", active: ", now" }[state] ?? "";
    body.replaceChildren(...content.filter((child) => child !== null));
    if (hadFocus) this.#keepFocus(row);
    if (state !== "active") document.getElementById("status").textContent = `${title}: ${state}`;
  }

  /// A button that vanishes takes the keyboard's place with it; the step's heading takes it over.
  #keepFocus(row) {
    const heading = row.querySelector("h3");
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
}
