// What an error means to the person in front of the page, by its name.

const meanings = {
  popup_blocked: "The browser blocked the popup. Allow popups for this page, then try again.",
  popup_closed: "The window was closed before the provider had answered. You can simply start again.",
  aborted: "You cancelled it.",
  access_denied: "The provider says that access was denied. Nothing was connected.",
  timeout: "It took too long, and the flow has ended. Start again when you are ready.",
  network_error: "The broker could not be reached. Is it still running?",
  insecure_context: "Connecting needs a page served over https or from this machine.",
  unexpected_response: "Something that is not the broker answered in its place.",
  invalid_state: "The broker does not know this flow any more: it has expired, or was used already.",
  invalid_callback: "The provider came back without a code.",
  issuer_mismatch: "The answer did not say that it came from the provider asked, so the broker threw it away.",
  provider_rejected: "The provider refused the code, or answered with something that holds no tokens.",
  provider_unreachable: "The broker could not reach the provider, or the connection broke.",
  provider_timeout: "The provider took too long to answer the broker.",
  server_error: "The provider says that it had an error of its own.",
  unknown_source_type: "The broker does not know this source.",
  source_type_without_oauth: "This source needs no connection.",
  source_type_not_configured: "This source needs a client id before it can be connected.",
  invalid_parameter: "One of the fields is missing or is not in the right form.",
  invalid_request: "The broker did not understand the request.",
  invalid_token: "The demo's own token is not valid any more. Reload the page.",
  insufficient_scope: "The demo's own token may not do this.",
  wrong_tenant: "The demo's own token is for another tenant.",
  rate_limited: "Too many tries at once. Wait a moment.",
  invalid_credential_key: "The credential key is not valid: unknown, used, expired or another tenant's.",
  storage_unavailable: "The browser lets this page keep nothing, which the way through this tab needs.",
  credential_mismatch: "The key was for another source, and is spent now.",
  broker_unreachable: "The asset service could not reach the broker; the key may be spent.",
  broker_timeout: "The broker took too long to answer the asset service; the key may be spent.",
  operation_in_progress: "The source is being read already.",
  foreign_flow: "This answer belongs to a flow that was not started in this tab, so it was not used.",
};

/// The name of an error: `connect`'s, the broker's, or the provider's own.
export function nameOf(error) {
  return typeof error?.code === "string" ? error.code.slice(0, 60) : "unexpected_error";
}

export function meaningOf(name) {
  return Object.hasOwn(meanings, name) ? meanings[name] : "The provider or the broker reported an error that this page does not know.";
}

const warnings = {
  missing_refresh_token: "No refresh token came along: when the access token ends, the person must consent again.",
  scope_reduced: "The provider granted less than was asked for.",
  expiry_unknown: "The provider does not say how long the access token lives.",
};

export function warningText(name) {
  return Object.hasOwn(warnings, name) ? warnings[name] : name;
}

/// A point in time as people say it: “in 59 minutes (14:05)”.
export function moment(milliseconds) {
  const minutes = Math.round((milliseconds - Date.now()) / 60000);
  const clock = new Date(milliseconds).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const [amount, unit] = Math.abs(minutes) < 120 ? [minutes, "minute"] : [Math.round(minutes / 60), "hour"];
  return `${new Intl.RelativeTimeFormat("en").format(amount, unit)} (${clock})`;
}
