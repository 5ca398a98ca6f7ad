// One credential key, step by step: asked for, received, redeemed, used, refused.

import { providerAccount, redeem } from "./broker.js";
import { button, element, facts, secret } from "./elements.js";
import { meaningOf, moment, nameOf, warningText } from "./words.js";

const steps = [
  ["ask", "Ask the provider"],
  ["key", "Receive the credential key"],
  ["redeem", "Redeem it"],
  ["use", "Use the access token"],
  ["again", "Try the key again"],
];

export class Journey {
  #rows = new Map();
  #source;

  constructor(source) {
    this.#source = source;
    const list = element("ol", { class: "steps" }, steps.map(([id, title]) => {
      const body = element("div", { class: "step-body" });
      const state = element("span", { class: "visually-hidden" });
      const row = element("li", { class: "step", "data-state": "waiting" },
        element("h3", {}, title, state), body);
      this.#rows.set(id, { row, body, state, title });
      return row;
    }));
    const name = source?.displayName ?? "Unknown source";
    document.getElementById("journey-body").replaceChildren(element("p", { class: "for" }, name), list);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    document.getElementById("journey").scrollIntoView({ behavior: still ? "auto" : "smooth", block: "nearest" });
  }

  asking(fullPage, cancel) {
    this.#set("ask", "active", element("p", {}, fullPage
      ? "Leaving for the provider …"
      : "A popup is open. Sign in there, choose how the provider should behave, and decide."),
    fullPage ? null : button("Cancel", cancel, "secondary"));
  }

  failed(error, step = "ask") {
    const name = nameOf(error);
    const detail = error?.detail ?? error?.description;
    this.#set(step, "failed", element("p", {}, meaningOf(name)),
      facts([["Error", element("code", {}, name)], ["Details", detail ? String(detail).slice(0, 300) : null]]));
  }

  received(connection) {
    this.#set("ask", "done", element("p", {}, "The provider agreed, and the broker keeps the credentials."));
    this.#set("key", "done",
      facts([["Credential key", secret("credential key", connection.credentialKey)]]),
      element("p", { class: "hint" }, "Good for one use, and only with the verifier that this page holds."));
    const go = button("Redeem", () => this.#redeem(connection, go));
    this.#set("redeem", "active", element("p", {}, "Exchange the key for the tokens."), go);
  }

  async #redeem(connection, go) {
    go.disabled = true;
    let credentials;
    try {
      credentials = await redeem(connection);
    } catch (error) {
      this.failed(error, "redeem");
      return;
    }
    this.#set("redeem", "done", this.#credentials(credentials));
    this.#offerUse(credentials);
    const retry = button("Redeem again", () => this.#redeemAgain(connection, retry), "secondary");
    this.#set("again", "active", element("p", {}, "A second use must fail, whoever tries it."), retry);
  }

  #credentials(credentials) {
    const { accessToken, refreshToken, tokenType, scope, expiresAt, warnings, extras } = credentials;
    const more = Object.keys(extras ?? {}).length > 0 ? element("code", {}, JSON.stringify(extras)) : null;
    return element("div", {},
      facts([
        ["Access token", secret("access token", accessToken)],
        ["Refresh token", refreshToken ? secret("refresh token", refreshToken) : "none"],
        ["Type", tokenType],
        ["Scope", scope ? element("code", {}, scope) : "not told"],
        ["Expires", expiresAt ? moment(expiresAt) : "not told"],
        ["Extras", more],
      ]),
      (warnings ?? []).map((name) => element("p", { class: "notice warning" },
        element("strong", {}, name), ` ${warningText(name)}`)));
  }

  #offerUse(credentials) {
    if (this.#source?.category !== "sandbox") {
      this.#set("use", "done", element("p", {}, "This token is for a provider that the demo knows nothing about."));
      return;
    }
    const go = button("Use it", async () => {
      go.disabled = true;
      try {
        this.#set("use", "done", this.#account(await providerAccount(credentials.accessToken)));
      } catch (error) {
        this.failed(error, "use");
      }
    });
    this.#set("use", "active", element("p", {}, "Ask the provider whose token this is."), go);
  }

  #account({ id, name, email, files }) {
    const list = files ? element("ul", { class: "files" }, files.map((file) => element("li", {}, file))) : "not allowed";
    return facts([["Account", name ?? id], ["E-mail", email ?? "not allowed"], ["Files", list]]);
  }

  async #redeemAgain(connection, retry) {
    retry.disabled = true;
    try {
      await redeem(connection);
      this.#set("again", "failed", element("p", {}, "It worked a second time. That must never happen."));
    } catch (error) {
      if (error.code !== "invalid_credential_key") return this.failed(error, "again");
      this.#set("again", "done", element("p", {}, "Refused, as it should be."),
        facts([["Status", String(error.status)], ["Code", element("code", {}, error.code)], ["Details", error.detail]]));
    }
  }

  #set(id, state, ...content) {
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
