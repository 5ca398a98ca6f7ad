// Calls to the broker, as any frontend would make them, and one to the provider to prove that a token works.

const { base, broker, provider, tenant } = document.body.dataset;
const api = `${broker}/v1/tenants/${encodeURIComponent(tenant)}`;

export class CallFailed extends Error {
  constructor(status, code, detail) {
    super(code);
    Object.assign(this, { status, code, detail });
  }
}

async function call(address, options = {}) {
  let response;
  try {
    response = await fetch(address, { referrerPolicy: "no-referrer", cache: "no-store", ...options });
  } catch {
    throw new CallFailed(0, "network_error", null);
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) {
    throw new CallFailed(response.status, body?.code ?? body?.error ?? `status_${response.status}`, body?.detail ?? null);
  }
  return body;
}

function post(address, members, headers = {}) {
  const body = JSON.stringify(members);
  return call(address, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body });
}

let session = null;

/// The page's own JWT, which its own server mints.
export async function sessionToken() {
  if (session === null || session.expiry < Date.now() + 60_000) {
    const { token } = await call(`${base}/session`);
    session = { token, expiry: expiry(token) };
  }
  return session.token;
}

function expiry(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(payload)).exp * 1000 || 0;
  } catch {
    return 0;
  }
}

export async function sourceTypes() {
  return call(`${api}/assets:sourceTypes`, { headers: { Authorization: `Bearer ${await sessionToken()}` } });
}

export async function loadConnect() {
  try {
    return (await import(`${broker}/connect.js`)).connect;
  } catch {
    throw new CallFailed(0, "network_error", null);
  }
}

/// Not async up to the call: the popup must open while the click still counts. The token is fetched after that.
export function connectHere(connect, source, choice, signal) {
  return connect({ tenant, sourceType: source.type, token: sessionToken, ...choice, signal });
}

// The full-page way, by hand: what connect.js does for popups, a page must do for itself when it goes away.

const pendingKey = "fieldnotes.flow";

export async function leaveForProvider(source, choice) {
  const exchangeVerifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(exchangeVerifier));
  const { authorizationUrl, flow } = await post(`${api}/assets:authorize`, {
    sourceType: source.type,
    ...choice,
    returnUrl: `${base}/connected`,
    exchangeChallenge: base64url(new Uint8Array(digest)),
  }, { Authorization: `Bearer ${await sessionToken()}` });
  sessionStorage.setItem(pendingKey, JSON.stringify({ flow, exchangeVerifier, sourceType: source.type }));
  location.assign(authorizationUrl);
}

/// What a full-page flow brought back in the address, or null. The address is cleaned at once.
export function returned() {
  if (location.pathname !== "/connected") return null;
  const brought = new URLSearchParams(location.hash.slice(1));
  history.replaceState(null, "", "/");
  const pending = JSON.parse(sessionStorage.getItem(pendingKey) ?? "null");
  sessionStorage.removeItem(pendingKey);
  if (!brought.has("flow")) return null;
  // An answer to a flow that this tab never began may be an attacker's account, sent here to be connected.
  if (pending?.flow !== brought.get("flow")) return { error: "foreign_flow", sourceType: null };
  if (brought.has("error")) return { error: brought.get("error"), sourceType: pending.sourceType };
  return {
    credentialKey: brought.get("credentialKey"),
    exchangeVerifier: pending.exchangeVerifier,
    sourceType: pending.sourceType,
  };
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function redeem({ credentialKey, exchangeVerifier }) {
  return post(`${api}/assets:oauthCredentials`, { credentialKey, exchangeVerifier });
}

export function providerAccount(accessToken) {
  return call(`${provider}/api/me`, { headers: { Authorization: `Bearer ${accessToken}` } });
}
