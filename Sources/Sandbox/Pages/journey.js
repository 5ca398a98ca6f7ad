// One credential key, step by step: asked for, received, and redeemed, used and refused here, or given to the asset
// service.

import { isOwnServer, providerAccount, redeem, serverTools } from "./broker.js";
import { button, element, facts, secret } from "./elements.js";
import { ingest, ingestionSteps } from "./ingestion.js";
import { Steps } from "./steps.js";
import { moment, warningText } from "./words.js";

const common = [["ask", "Ask the provider"], ["key", "Receive the credential key"]];
const here = [["redeem", "Redeem it"], ["use", "Use the access token"], ["again", "Try the key again"]];

export class Journey {
  #steps;
  #source;

  /// - source: an item of the broker's list; `isIngested` where the asset service reads it.
  constructor(source) {
    this.#source = source;
    this.#steps = new Steps(source, [...common, ...(source?.isIngested ? ingestionSteps : here)]);
  }

  asking(fullPage, cancel) {
    this.#steps.set("ask", "active", element("p", {}, fullPage
      ? "Leaving for the provider …"
      : "A popup is open. Sign in there, choose how the provider should behave, and decide."),
    fullPage ? null : button("Cancel", cancel, "secondary"));
  }

  failed(error, step = "ask") {
    this.#steps.failed(step, error);
  }

  received(connection) {
    this.#steps.set("ask", "done", element("p", {}, "The provider agreed, and the broker keeps the credentials."));
    this.#steps.set("key", "done",
      facts([["Credential key", secret("credential key", connection.credentialKey)]]),
      element("p", { class: "hint" }, "Good for one use, and only with the verifier that this page holds."));
    if (this.#source?.isIngested) {
      ingest(this.#steps, this.#source, connection);
      return;
    }
    const go = button("Redeem", () => this.#redeem(connection, go));
    this.#steps.set("redeem", "active", element("p", {}, "Exchange the key for the tokens."), go);
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
    this.#steps.set("redeem", "done", this.#credentials(credentials));
    this.#offerUse(credentials);
    const retry = button("Redeem again", () => this.#redeemAgain(connection, retry), "secondary");
    this.#steps.set("again", "active", element("p", {}, "A second use must fail, whoever tries it."), retry);
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
    const server = credentials.extras?.resource;
    if (this.#source?.category === "mcp" && isOwnServer(server)) {
      this.#offer("Ask the server for its tools.", async () => {
        const { name, tools } = await serverTools(server, credentials.accessToken);
        return facts([["Server", name], ["Tools", element("code", {}, tools.join(", "))]]);
      });
      return;
    }
    if (this.#source?.category !== "sandbox") {
      this.#steps.set("use", "done", element("p", {}, "This token is for a provider that the demo knows nothing about."));
      return;
    }
    this.#offer("Ask the provider whose token this is.", async () =>
      this.#account(await providerAccount(credentials.accessToken)));
  }

  /// - use: gives what the step shows then.
  #offer(words, use) {
    const go = button("Use it", async () => {
      go.disabled = true;
      try {
        this.#steps.set("use", "done", await use());
      } catch (error) {
        this.failed(error, "use");
      }
    });
    this.#steps.set("use", "active", element("p", {}, words), go);
  }

  #account({ id, name, email, files }) {
    const list = files ? element("ul", { class: "files" }, files.map((file) => element("li", {}, file))) : "not allowed";
    return facts([["Account", name ?? id], ["E-mail", email ?? "not allowed"], ["Files", list]]);
  }

  async #redeemAgain(connection, retry) {
    retry.disabled = true;
    try {
      await redeem(connection);
      this.#steps.set("again", "failed", element("p", {}, "It worked a second time. That must never happen."));
    } catch (error) {
      if (error.code !== "invalid_credential_key") return this.failed(error, "again");
      this.#steps.set("again", "done", element("p", {}, "Refused, as it should be."),
        facts([["Status", String(error.status)], ["Code", element("code", {}, error.code)], ["Details", error.detail]]));
    }
  }
}
