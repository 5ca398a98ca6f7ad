// Calls to the broker, as any frontend would make them, and one to the provider to prove that a token works.

const { base, broker, provider, tenant } = document.body.dataset;
const api = `${broker}/v1/tenants/${encodeURIComponent(tenant)}`;

export class CallFailed extends Error {
  constructor(status, code, detail) {
    super(code);
    Object.assign(this, { status, code, detail });
  }
}

export async function call(address, options = {}) {
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

export function post(address, members, headers = {}) {
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

/// The broker's helper: `connect` and `resume`.
export async function loadConnect() {
  try {
    return await import(`${broker}/connect.js`);
  } catch {
    throw new CallFailed(0, "network_error", null);
  }
}

/// Not async up to the call: the popup must open while the click still counts. The token is fetched after that.
export function connectHere({ connect }, source, choice, signal) {
  return connect({ tenant, sourceType: source.type, token: sessionToken, ...choice, signal });
}

/// Goes to the provider in this tab, and never comes back; the page that opens after it asks `returned`.
export function leaveForProvider({ connect }, source, choice, signal) {
  const returnUrl = `${base}/connected?${new URLSearchParams({ source: source.type })}`;
  return connect({ tenant, sourceType: source.type, token: sessionToken, ...choice, signal, returnUrl });
}

/// What a flow of a page that is gone came to, a `connection` or an `error`, or null; the address is clean then. Waits
/// for a popup that is still open.
export async function returned({ resume }) {
  const sourceType = new URLSearchParams(location.search).get("source");
  try {
    const connection = await resume();
    return connection && { connection, sourceType: connection.sourceType };
  } catch (error) {
    return { error, sourceType };
  } finally {
    if (location.pathname === "/connected") history.replaceState(null, "", "/");
  }
}

export function redeem({ credentialKey, exchangeVerifier }) {
  return post(`${api}/assets:oauthCredentials`, { credentialKey, exchangeVerifier });
}

export function providerAccount(accessToken) {
  return call(`${provider}/api/me`, { headers: { Authorization: `Bearer ${accessToken}` } });
}

/// What a server of the Model Context Protocol can do for whoever holds the token.
export async function serverTools(url, accessToken) {
  const headers = { Authorization: `Bearer ${accessToken}`, Accept: "application/json, text/event-stream" };
  const ask = async (id, method, params) => {
    const { result } = await post(url, { jsonrpc: "2.0", id, method, params }, headers);
    return result;
  };
  const { serverInfo } = await ask(1, "initialize",
    { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "fieldnotes", version: "1" } });
  const { tools } = await ask(2, "tools/list", {});
  return { name: serverInfo.name, tools: tools.map((tool) => tool.name) };
}

/// True for the one server that this page's policy lets it ask.
export function isOwnServer(url) {
  return typeof url === "string" && new URL(url).origin === new URL(provider).origin;
}
