// Connects a source from a web page, through a popup or by leaving the page. connect.d.ts describes options and
// results.
//
// It runs as it is: no build step, no dependency, nothing younger than 2021, nothing touched before it is called. The
// broker serves this very file; npm takes the folder that it lies in.

// Undefined in some bundles. In a name of its own, since bundlers take what follows for a file of theirs otherwise.
const ownAddress = import.meta.url;
// Where the broker serves this file, its address tells the broker's.
const server = /^https?:[^?#]*\/connect\.js([?#]|$)/.test(ownAddress) ? new URL(".", ownAddress) : null;

const askEvery = 1000;
const askAtLeastEvery = 8000;
const lookEvery = 250;
const requestTimeout = 10_000;
// An outcome may still be on its way when the flow's time is over.
const graceAfterExpiry = 5000;
// Stands in where no expiry is known, or the clocks of browser and broker disagree beyond use.
const usualLife = 600_000;
// A callback that came twice may be under way still, at the provider, though its second page knows nothing of it.
const graceForStray = 20_000;
// So long a redirect's key may wait before its page is shown.
const graceForReturn = 3_600_000;
const storagePrefix = "cloakroom.flow.";
const otherSourceType = "what came back is of another source type than was asked for";
// The flows that calls of `connect` on this page wait for.
const waitedFor = new Set();

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
  const broker = brokerOf(options);
  if (!globalThis.crypto?.subtle) {
    throw new ConnectError("insecure_context", "this page must be served over https or from localhost");
  }
  return returnUrl === undefined || returnUrl === null ? connectInPopup(broker, options) : leave(broker, options);
}

/**
 * Goes on where `connect` left a page for the provider, or where the page was reloaded during a popup flow: gives what
 * it would have given, or rejects as it would have, once. Null where there is nothing to go on with.
 * Call it first of all on every page that calls `connect` or that a `returnUrl` names.
 *
 * @param {import("./connect.d.ts").ResumeOptions} [options]
 * @returns {Promise<import("./connect.d.ts").Connection | null>}
 */
export async function resume(options = {}) {
  const broker = brokerOf(options);
  const brought = new URLSearchParams(location.hash.slice(1));
  const [flow, credentialKey, error] = ["flow", "credentialKey", "error"].map((name) => brought.get(name));
  if (!flow || (!credentialKey && !error)) return takeUp(broker, options.signal);
  const kept = readKept(storagePrefix + flow);
  // Another broker's flow is for its own connect.js.
  if (kept && kept.broker !== broker.href) return takeUp(broker, options.signal);
  // At once, so that the key stays in no address bar, history or bookmark.
  history.replaceState(history.state, "", location.pathname + location.search);
  if (!kept) {
    // An answer to a flow that this tab never began may be an attacker's account, sent here to be connected.
    throw new ConnectError("foreign_flow", "what came back belongs to no flow that this tab began", flow);
  }
  forget(flow);
  if (error) throw new ConnectError(error, "", flow);
  const sourceType = brought.get("sourceType") ?? kept.sourceType;
  // A key that somebody else obtained, put in the place of this flow's.
  if (sourceType !== kept.sourceType) throw new ConnectError("foreign_flow", otherSourceType, flow);
  return { credentialKey, exchangeVerifier: kept.exchangeVerifier, sourceType, flow };
}

/** The folder that the broker's addresses are in. */
function brokerOf({ broker }) {
  if (broker === undefined || broker === null) {
    if (server) return server;
    throw new ConnectError("broker_unknown", "this copy was not loaded from the broker: say its address in `broker`");
  }
  const address = addressOf(String(broker));
  if (!address || !/^https?:$/.test(address.protocol)) {
    throw new ConnectError("broker_unknown", "`broker` must be its address, such as https://broker.example.com");
  }
  return new URL(address.pathname.replace(/\/*$/, "/"), address);
}

/** Null for what is no absolute address. */
function addressOf(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

// With a popup.

async function connectInPopup(broker, options) {
  // Before anything is awaited: a later window would count as unasked for, and be blocked.
  const popup = openPopup(broker, options);
  const ended = new AbortController();
  const talk = talkWith(popup, broker, options.sourceType, ended.signal);

  let failedInPopup = false;
  try {
    const { flow, exchangeVerifier, outcome } = await Promise.race([
      run(broker, popup, talk, options, ended.signal), watch(popup, talk, ended.signal),
      abortion(options.signal, ended.signal)]);
    failedInPopup = outcome.error !== undefined;
    if (failedInPopup) throw new ConnectError(outcome.error, outcome.errorDescription, flow);
    return { credentialKey: outcome.credentialKey, exchangeVerifier, sourceType: options.sourceType, flow };
  } finally {
    ended.abort();
    forget(talk.flow);
    waitedFor.delete(talk.flow);
    // A page in the popup says what failed and what to do; it stays, to be read.
    if (!failedInPopup && !talk.stray) close(popup, talk.arrived);
  }
}

/** One flow, from the broker's address to its outcome, whoever brings that: the popup's message or the asking. */
async function run(broker, popup, talk, options, ended) {
  const { tenant, sourceType, closedGrace } = options;
  const exchangeVerifier = newVerifier();
  const answer = await authorize(broker, options, exchangeVerifier, ended);
  // What came too late is nobody's any more.
  if (ended.aborted) throw new ConnectError("aborted");
  const { flow, authorizationUrl } = answer;
  waitedFor.add(flow);
  const until = Date.now() + lifeOf(answer) + graceAfterExpiry;
  try {
    // A reloaded page takes it up from there.
    keep(flow, { broker: broker.href, tenant, sourceType, exchangeVerifier, until, inPopup: true });
  } catch {
    // A popup works without a storage, too.
  }
  talk.start({ flow, authorizationUrl, exchangeVerifier });

  const question = { flow, exchangeVerifier };
  const verdict = verdictOn(popup, talk, answer, closedGrace);
  const asked = ask(assets(broker, tenant, "oauthFlow"), question, verdict, ended);
  return { flow, exchangeVerifier, outcome: await Promise.race([talk.outcome, asked]) };
}

/** Rejects where the popup closes, or the usual time is over, before it leaves for the provider. */
function watch(popup, talk, ended) {
  const until = Date.now() + usualLife;
  return new Promise((_, reject) => {
    let wasClosed = false;
    const look = () => {
      if (talk.hasLeft) return clearInterval(timer);
      // Twice, so that no passing state counts.
      if (popup.closed && wasClosed) reject(closedEarly(talk.flow));
      wasClosed = popup.closed;
      if (Date.now() > until) reject(tooSlow());
    };
    const timer = setInterval(look, lookEvery);
    ended.addEventListener("abort", () => clearInterval(timer));
  });
}

function closedEarly(flow) {
  const why = "the window was closed, or this page's own Cross-Origin-Opener-Policy cuts popups off";
  return new ConnectError("popup_closed", why, flow);
}

function tooSlow() {
  return new ConnectError("timeout", "neither the token nor the broker's answer came");
}

function openPopup(broker, { width = 520, height = 720 }) {
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
  if (arrived) return popup.close();
  const arrival = ({ source }) => source === popup && popup.close();
  addEventListener("message", arrival);
  setTimeout(() => {
    removeEventListener("message", arrival);
    popup.close();
  }, 2000);
}

/** The messages to and from one popup. Other windows, origins and flows are not heard. */
function talkWith(popup, broker, sourceType, ended) {
  let started = null;
  let resolve;
  const sendOff = () => {
    if (!talk.arrived || !started || popup.closed) return;
    popup.postMessage({ source: "cloakroom", type: "start", ...started }, broker.origin);
  };
  const talk = {
    /** The popup shows, or showed, the broker's waiting page. */
    arrived: false,
    /** It went on to the provider, whose pages may cut it off: from then on it may look closed and be open. */
    hasLeft: false,
    /** The error of a page of the broker's that could not tell which flow it was for. */
    stray: null,
    /** Once there is one. */
    flow: undefined,
    outcome: new Promise((settle) => (resolve = settle)),
    start(members) {
      started = members;
      talk.flow = members.flow;
      sendOff();
    },
  };

  listen(broker, ended, ({ source, data }) => {
    if (source !== popup) return;
    if (data.type === "ready") {
      talk.arrived = true;
      sendOff();
    }
    if (!started || data.flow !== started.flow) return;
    if (data.type === "leaving") talk.hasLeft = true;
    if (data.type === "stray") talk.stray = talk.stray ?? { error: data.error || "other", since: Date.now() };
    const outcome = outcomeIn(data, started.flow, sourceType);
    if (!outcome) return;
    if (outcome.credentialKey) acknowledge(source, broker, started.flow);
    resolve(outcome);
  });
  return talk;
}

/** Hears the messages of the broker's pages until `ended`. */
function listen(broker, ended, hear) {
  const heard = (event) => event.origin === broker.origin && event.data?.source === "cloakroom" && hear(event);
  addEventListener("message", heard);
  ended.addEventListener("abort", () => removeEventListener("message", heard));
}

/** What a page of the broker's says of the end of a flow. Undefined for all else. */
function outcomeIn(data, flow, asked) {
  if (data.flow !== flow) return undefined;
  const { type, credentialKey, sourceType = asked, error, errorDescription } = data;
  // A key that somebody else obtained, put in the place of this flow's.
  if (type === "success" && sourceType !== asked) return { error: "foreign_flow", errorDescription: otherSourceType };
  if (type === "success" && credentialKey) return { credentialKey };
  if (type === "failure") return { error: error || "other", errorDescription };
  return undefined;
}

/** Only then does the page there say "connected". */
function acknowledge(page, broker, flow) {
  page?.postMessage({ source: "cloakroom", type: "acknowledged", flow }, broker.origin);
}

// After a reload.

/** The first outcome of the popup flows that this tab began on a page that is gone. Null where none brings one. */
async function takeUp(broker, signal) {
  if (signal?.aborted) throw new ConnectError("aborted", "", undefined, signal.reason);
  const entries = abandoned(broker);
  if (entries.length === 0) return null;
  const ended = new AbortController();
  try {
    return await Promise.race([firstOf(broker, entries, ended.signal), abortion(signal, ended.signal)]);
  } finally {
    ended.abort();
  }
}

/** The running flows that nobody on this page waits for. */
function abandoned(broker) {
  return keptFlows().filter(({ flow, entry }) =>
    entry.inPopup && entry.broker === broker.href && !waitedFor.has(flow));
}

function firstOf(broker, entries, ended) {
  return new Promise((resolve, reject) => {
    let left = entries.length;
    let isSettled = false;
    const giveUp = () => --left === 0 && resolve(null);
    for (const { flow, entry } of entries) {
      const { tenant, sourceType, exchangeVerifier, until } = entry;
      const heard = new Promise((settle) => listen(broker, ended, ({ source, data }) => {
        const outcome = outcomeIn(data, flow, sourceType);
        if (!outcome) return;
        if (outcome.credentialKey) acknowledge(source, broker, flow);
        settle(outcome);
      }));
      const expiry = () => (Date.now() < until ? null : new ConnectError("timeout", "the flow expired", flow));
      const address = assets(broker, tenant, "oauthFlow");
      const asked = ask(address, { flow, exchangeVerifier }, expiry, ended, 0);
      Promise.race([heard, asked]).then(({ credentialKey, error, errorDescription }) => {
        // What comes second stays for the next call, and what another call of `resume` took is gone.
        if (isSettled) return;
        if (!forget(flow)) return giveUp();
        isSettled = true;
        if (error) reject(new ConnectError(error, errorDescription, flow));
        else resolve({ credentialKey, exchangeVerifier, sourceType, flow });
      }, giveUp);
    }
  });
}

// By leaving the page.

/** Keeps in this tab what `resume` needs, and goes to the provider. Settles only where it does not get that far. */
async function leave(broker, options) {
  const ended = new AbortController();
  let timer;
  const slow = new Promise((_, reject) => (timer = setTimeout(() => reject(tooSlow()), usualLife)));
  try {
    return await Promise.race([goAway(broker, options, ended.signal), slow, abortion(options.signal, ended.signal)]);
  } finally {
    ended.abort();
    clearTimeout(timer);
  }
}

async function goAway(broker, options, ended) {
  const { tenant, sourceType } = options;
  const exchangeVerifier = newVerifier();
  const answer = await authorize(broker, options, exchangeVerifier, ended);
  const until = Date.now() + lifeOf(answer) + graceForReturn;
  try {
    keep(answer.flow, { broker: broker.href, tenant, sourceType, exchangeVerifier, until });
  } catch (cause) {
    const why = "this page may not use sessionStorage, which a redirect needs";
    throw new ConnectError("storage_unavailable", why, answer.flow, cause);
  }
  location.assign(answer.authorizationUrl);
  return new Promise(() => {});
}

// What is kept in this tab, one entry a flow. The verifier stays there: who else is led to the key cannot redeem it.

function keep(flow, entry) {
  keptFlows();
  sessionStorage.setItem(storagePrefix + flow, JSON.stringify(entry));
}

/** All whose time is not over; the others are forgotten. */
function keptFlows() {
  const kept = [];
  try {
    for (const name of Object.keys(sessionStorage).filter((name) => name.startsWith(storagePrefix))) {
      const entry = readKept(name);
      if (entry?.until > Date.now()) kept.push({ flow: name.slice(storagePrefix.length), entry });
      else sessionStorage.removeItem(name);
    }
  } catch {
    // Where a page may not use its storage nothing is kept.
  }
  return kept;
}

function readKept(name) {
  try {
    const entry = JSON.parse(sessionStorage.getItem(name));
    return entry && typeof entry.exchangeVerifier === "string" ? entry : null;
  } catch {
    return null;
  }
}

/** Tells whether it was still there. */
function forget(flow) {
  try {
    const name = storagePrefix + flow;
    const wasThere = sessionStorage.getItem(name) !== null;
    sessionStorage.removeItem(name);
    return wasThere;
  } catch {
    return false;
  }
}

// Calls to the broker.

/** Asks the broker where to send the person. */
async function authorize(broker, options, exchangeVerifier, ended) {
  const { tenant, sourceType, token, parameters, scopes, loginHint, prompt, returnUrl } = options;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(exchangeVerifier));
  const exchangeChallenge = base64url(new Uint8Array(digest));
  const bearer = typeof token === "function" ? await token() : token;
  // A token that came too late begins no flow.
  if (ended.aborted) throw new ConnectError("aborted");
  const members = {
    sourceType, parameters, scopes, loginHint, prompt, returnUrl, exchangeChallenge, frontendOrigin: location.origin,
  };
  return post(assets(broker, tenant, "authorize"), members, ended, { Authorization: `Bearer ${bearer}` });
}

/**
 * Asks for the outcome until there is one or `verdict` ends it. A provider's page may have cut the popup off from us
 * (Cross-Origin-Opener-Policy): then no message comes, and this finds the outcome.
 */
async function ask(address, question, verdict, ended, firstWait = askEvery) {
  let wait = firstWait;
  while (!ended.aborted) {
    await pause(wait, ended);
    // Before the asking, so that an outcome which came just in time still counts.
    const over = verdict();
    try {
      const outcome = outcomeOf(await within(requestTimeout, ended, (signal) => post(address, question, signal)));
      if (outcome) return outcome;
      wait = askEvery;
    } catch {
      wait = Math.min(Math.max(wait * 2, askEvery), askAtLeastEvery);
    }
    if (over) throw over;
  }
  return new Promise(() => {});
}

/** What `assets:oauthFlow` says of the end of a flow. Undefined while there is none. */
function outcomeOf({ status, credentialKey, error, errorDescription }) {
  if (status === "failed") return { error: error || "other", errorDescription };
  if (status !== "succeeded") return undefined;
  if (credentialKey) return { credentialKey };
  return { error: "invalid_credential_key", errorDescription: "it was redeemed before this page learned of it" };
}

/** Waits, but no longer than until the page is shown again: browsers slow down the timers of hidden pages. */
function pause(milliseconds, ended) {
  return new Promise((resolve) => {
    const shown = () => document.visibilityState === "visible" && goOn();
    const goOn = () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", shown);
      ended.removeEventListener("abort", goOn);
      resolve();
    };
    const timer = setTimeout(goOn, milliseconds);
    document.addEventListener("visibilitychange", shown);
    ended.addEventListener("abort", goOn);
  });
}

/** Makes a call with a signal that ends it in time, or when `ended` does. */
async function within(milliseconds, ended, call) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, milliseconds);
  ended.addEventListener("abort", abort);
  if (ended.aborted) abort();
  try {
    return await call(controller.signal);
  } finally {
    clearTimeout(timer);
    ended.removeEventListener("abort", abort);
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
    if (talk.stray && now - talk.stray.since >= graceForStray) return new ConnectError(talk.stray.error, "", flow);
    if (closedSince === null) return now < end ? null : new ConnectError("timeout", "the flow expired", flow);
    if (!talk.hasLeft) return closedEarly(flow);
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
    signal?.addEventListener("abort", abort);
    ended.addEventListener("abort", () => signal?.removeEventListener("abort", abort));
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

function assets(broker, tenant, action) {
  return new URL(`v1/tenants/${encodeURIComponent(tenant)}/assets:${action}`, broker).href;
}

/** RFC 7636 § 4.1: 32 random bytes give 43 characters. */
function newVerifier() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
