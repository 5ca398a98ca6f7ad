// Connects a source from a web page, through a popup or by leaving the page. connect.d.ts describes options and results.

// The broker serves this file, so its address tells the broker's.
const broker = new URL(".", import.meta.url);

const askEvery = 1000;
const askAtLeastEvery = 8000;
const requestTimeout = 10_000;
// An outcome may still be on its way when the flow's time is over.
const graceAfterExpiry = 5000;
// Stands in where the clocks of browser and broker disagree beyond use.
const usualLife = 600_000;
// So long a redirect's key may wait before its page is shown.
const graceForReturn = 3_600_000;
const storagePrefix = "cloakroom.flow.";

/** Why there is no connection. */
export class ConnectError extends Error {
  /**
   * @param {string} code what to test for
   * @param {string} [description] a sentence to read
   * @param {string} [flow] the id of the flow that failed, once there was one
   * @param {unknown} [cause]
   */
  constructor(code, description = "", flow = undefined, cause = undefined) {
    super(description ? `${code}: ${description}` : code, { cause });
    this.name = "ConnectError";
    this.code = code;
    this.description = description;
    this.flow = flow;
  }
}

/**
 * Opens a popup at once, has the person consent in it, and resolves with the credential key.
 * Call it in a click handler. With a `returnUrl` it leaves the page instead; `resume` goes on there.
 *
 * @param {import("./connect.d.ts").ConnectOptions} options
 * @returns {Promise<import("./connect.d.ts").Connection>}
 */
export async function connect(options) {
  const { signal, returnUrl } = options;
  if (signal?.aborted) throw new ConnectError("aborted", "", undefined, signal.reason);
  if (!globalThis.crypto?.subtle) {
    throw new ConnectError("insecure_context", "this page must be served over https or from localhost");
  }
  return returnUrl === undefined || returnUrl === null ? connectInPopup(options) : leave(options);
}

/**
 * Goes on where `connect` left a page for the provider: gives what it would have given, or rejects as it would have, once.
 * Null where the address brings nothing. Call it first of all on the page of `returnUrl`.
 *
 * @returns {Promise<import("./connect.d.ts").Connection | null>}
 */
export async function resume() {
  const brought = new URLSearchParams(location.hash.slice(1));
  const [flow, credentialKey, error] = ["flow", "credentialKey", "error"].map((name) => brought.get(name));
  if (!flow || (!credentialKey && !error)) return null;
  const kept = readKept(storagePrefix + flow);
  // Another broker's flow is for its own connect.js.
  if (kept && kept.broker !== broker.href) return null;
  // At once, so that the key stays in no address bar, history or bookmark.
  history.replaceState(history.state, "", location.pathname + location.search);
  if (!kept) {
    // An answer to a flow that this tab never began may be an attacker's account, sent here to be connected.
    throw new ConnectError("foreign_flow", "what came back belongs to no flow that this tab began", flow);
  }
  sessionStorage.removeItem(storagePrefix + flow);
  if (error) throw new ConnectError(error, "", flow);
  return { credentialKey, exchangeVerifier: kept.exchangeVerifier, sourceType: kept.sourceType, flow };
}

// With a popup.

async function connectInPopup(options) {
  // Before anything is awaited: a later window would count as unasked for, and be blocked.
  const popup = openPopup(options);
  const ended = new AbortController();
  const talk = talkWith(popup, ended.signal);

  let failedInPopup = false;
  try {
    const { flow, exchangeVerifier, outcome } = await Promise.race([
      run(popup, talk, options, ended.signal), abortion(options.signal, ended.signal)]);
    failedInPopup = outcome.error !== undefined;
    if (failedInPopup) throw new ConnectError(outcome.error, outcome.errorDescription, flow);
    const { credentialKey, sourceType = options.sourceType } = outcome;
    return { credentialKey, exchangeVerifier, sourceType, flow };
  } finally {
    ended.abort();
    // A page in the popup says what failed and what to do; it stays, to be read.
    if (!failedInPopup) close(popup, talk.arrived);
  }
}

/** One flow, from the broker's address to its outcome, whoever brings that: the popup's message or the asking. */
async function run(popup, talk, options, ended) {
  const exchangeVerifier = newVerifier();
  const answer = await authorize(options, exchangeVerifier, ended);
  const { flow, authorizationUrl } = answer;
  talk.start({ flow, authorizationUrl, exchangeVerifier });

  const question = { flow, exchangeVerifier };
  const asked = ask(options.tenant, question, verdictOn(popup, talk, answer, options.closedGrace), ended);
  return { flow, exchangeVerifier, outcome: await Promise.race([talk.outcome, asked]) };
}

function openPopup({ width = 520, height = 720 }) {
  const left = Math.round(screenX + (outerWidth - width) / 2);
  const top = Math.round(screenY + (outerHeight - height) / 2);
  // The page there cannot know who opened it, and tells nobody else anything.
  const address = new URL(`oauth/popup#${new URLSearchParams({ origin: location.origin })}`, broker);
  // No name: each call has a window of its own, and the provider finds no name to read.
  const popup = open(
    address, "_blank", `popup,width=${width},height=${height},left=${left},top=${top}`);
  if (!popup || popup.closed) {
    throw new ConnectError("popup_blocked", "the browser opened no window; call connect in a click handler");
  }
  return popup;
}

/** Chromium loses the close of a window that is just arriving at another site, so this waits for the arrival. */
function close(popup, arrived) {
  const closeNow = () => popup.close();
  if (arrived) closeNow();
  else addEventListener("message", ({ source }) => source === popup && closeNow(), { signal: AbortSignal.timeout(2000) });
  setTimeout(closeNow, 2000);
}

/** The messages to and from one popup. Other windows, origins and flows are not heard. */
function talkWith(popup, ended) {
  let started = null;
  let resolve;
  const tell = (type, members) => popup.postMessage({ source: "cloakroom", type, ...members }, broker.origin);
  const sendOff = () => {
    if (!talk.arrived || !started || popup.closed) return;
    talk.sentOff = true;
    tell("start", started);
  };
  const talk = {
    /** The popup shows, or showed, the broker's waiting page. */
    arrived: false,
    /** It was told where to go, and was open then. */
    sentOff: false,
    outcome: new Promise((settle) => (resolve = settle)),
    start(flow) {
      started = flow;
      sendOff();
    },
  };

  const hear = ({ origin, source, data }) => {
    if (origin !== broker.origin || source !== popup || data?.source !== "cloakroom") return;
    if (data.type === "ready") {
      talk.arrived = true;
      sendOff();
    }
    if (!started || data.flow !== started.flow) return;
    if (data.type === "success" && data.credentialKey) {
      tell("received", { flow: data.flow });
      resolve({ credentialKey: data.credentialKey, sourceType: data.sourceType });
    } else if (data.type === "failure") {
      resolve({ error: data.error || "other", errorDescription: data.errorDescription });
    }
  };
  addEventListener("message", hear, { signal: ended });
  return talk;
}

// By leaving the page.

/** Keeps in this tab what `resume` needs, and goes to the provider. Settles only where it does not get that far. */
async function leave(options) {
  const ended = new AbortController();
  try {
    return await Promise.race([goAway(options, ended.signal), abortion(options.signal, ended.signal)]);
  } finally {
    ended.abort();
  }
}

async function goAway(options, ended) {
  const { tenant, sourceType } = options;
  const exchangeVerifier = newVerifier();
  const answer = await authorize(options, exchangeVerifier, ended);
  const until = Date.now() + lifeOf(answer) + graceForReturn;
  keep(answer.flow, { broker: broker.href, tenant, sourceType, exchangeVerifier, until });
  location.assign(answer.authorizationUrl);
  return new Promise(() => {});
}

/** The verifier stays in this tab: whoever else is led to the key cannot redeem it. One entry a flow. */
function keep(flow, entry) {
  try {
    for (const name of Object.keys(sessionStorage).filter((name) => name.startsWith(storagePrefix))) {
      if (!(readKept(name)?.until > Date.now())) sessionStorage.removeItem(name);
    }
    sessionStorage.setItem(storagePrefix + flow, JSON.stringify(entry));
  } catch (cause) {
    const why = "this page may not use sessionStorage, which a redirect needs";
    throw new ConnectError("storage_unavailable", why, flow, cause);
  }
}

function readKept(name) {
  try {
    const entry = JSON.parse(sessionStorage.getItem(name));
    return entry && typeof entry.exchangeVerifier === "string" ? entry : null;
  } catch {
    return null;
  }
}

// Calls to the broker.

/** Asks the broker where to send the person. */
async function authorize(options, exchangeVerifier, signal) {
  const { tenant, sourceType, token, parameters, scopes, returnUrl } = options;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(exchangeVerifier));
  const exchangeChallenge = base64url(new Uint8Array(digest));
  const bearer = typeof token === "function" ? await token() : token;
  const members = { sourceType, parameters, scopes, returnUrl, exchangeChallenge, frontendOrigin: location.origin };
  return post(assets(tenant, "authorize"), members, signal, { Authorization: `Bearer ${bearer}` });
}

/**
 * Asks for the outcome until there is one or `verdict` ends it. A provider's page may have cut the popup off from us
 * (Cross-Origin-Opener-Policy): then no message comes, and this finds the outcome.
 */
async function ask(tenant, question, verdict, ended) {
  let wait = askEvery;
  let timer;
  ended.addEventListener("abort", () => clearTimeout(timer));
  while (!ended.aborted) {
    await new Promise((resolve) => (timer = setTimeout(resolve, wait)));
    // Before the asking, so that an outcome which came just in time still counts.
    const over = verdict();
    try {
      const signal = AbortSignal.any([ended, AbortSignal.timeout(requestTimeout)]);
      const { status, credentialKey, error, errorDescription } = await post(assets(tenant, "oauthFlow"), question, signal);
      if (status === "succeeded" && credentialKey) return { credentialKey };
      if (status === "failed") return { error: error || "other", errorDescription };
      wait = askEvery;
    } catch {
      wait = Math.min(wait * 2, askAtLeastEvery);
    }
    if (over) throw over;
  }
}

/** A function that tells whether the flow is over without an outcome, and why. */
function verdictOn(popup, talk, { flow, expiresAt, cutsOpener }, closedGrace = 30) {
  const end = Date.now() + lifeOf({ expiresAt }) + graceAfterExpiry;
  const grace = cutsOpener ? Infinity : closedGrace * 1000;
  let closedSince = null;

  return () => {
    const now = Date.now();
    closedSince = popup.closed ? (closedSince ?? now) : null;
    if (closedSince === null) return now < end ? null : new ConnectError("timeout", "the flow expired", flow);
    if (!talk.sentOff) {
      const why = "the window was closed, or this page's own Cross-Origin-Opener-Policy cuts popups off";
      return new ConnectError("popup_closed", why, flow);
    }
    // A popup on its way to the provider may look closed and only be cut off.
    const over = now - closedSince >= grace || now >= end;
    return over ? new ConnectError("popup_closed", "the window was closed before the flow ended", flow) : null;
  };
}

/** In milliseconds from now. */
function lifeOf({ expiresAt }) {
  const life = expiresAt - Date.now();
  return life > 0 && life < 86_400_000 ? life : usualLife;
}

/** Rejects when the caller's signal aborts. */
function abortion(signal, ended) {
  return new Promise((_, reject) => {
    const abort = () => reject(new ConnectError("aborted", "", undefined, signal.reason));
    signal?.addEventListener("abort", abort, { signal: ended });
  });
}

/** All members go in the body: addresses end up in logs. */
async function post(address, members, signal, headers = {}) {
  let response;
  let body;
  try {
    response = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(members),
      credentials: "omit",
      cache: "no-store",
      signal,
    });
    body = await response.json().catch(() => null);
  } catch (cause) {
    const why = "no answer from the broker; is it up, and does it list this page's origin for this tenant?";
    throw new ConnectError("network_error", why, undefined, cause);
  }
  if (response.ok && body) return body;
  throw new ConnectError(body?.code ?? "unexpected_response", body?.detail ?? `the broker answered ${response.status}`);
}

function assets(tenant, action) {
  return new URL(`v1/tenants/${encodeURIComponent(tenant)}/assets:${action}`, broker).href;
}

/** RFC 7636 § 4.1: 32 random bytes give 43 characters. */
function newVerifier() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
