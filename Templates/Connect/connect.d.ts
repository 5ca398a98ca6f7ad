/** What `connect` needs to know. */
export interface ConnectOptions {
  /**
   * The broker's address, such as `https://broker.example.com`. Needed unless this module was loaded from the broker
   * itself, as `https://broker.example.com/connect.js`.
   */
  broker?: string | URL;
  /** The tenant the source belongs to. */
  tenant: string;
  /** The source type to connect, as `assets:sourceTypes` lists it. */
  sourceType: string;
  /**
   * The tenant's JWT with the scope `assets:write`, or a function that gets one. It is called once, after the popup
   * is open, if there is one; what it throws, `connect` rejects with.
   */
  token: string | (() => string | Promise<string>);
  /** Values of the source type's URL parameters. */
  parameters?: Record<string, string>;
  /** Replaces the source type's own scopes. */
  scopes?: string[];
  /** Who is expected to sign in at the provider, such as an e-mail address; for source types that take it. */
  loginHint?: string;
  /** What the provider should ask, such as `select_account`; for source types that take it. */
  prompt?: string;
  /** Ends the flow at once and closes the popup. */
  signal?: AbortSignal;
  /**
   * How long to go on asking after the popup looks closed, in **seconds**; 30 unless given. A provider's page can make
   * an open popup look closed (`Cross-Origin-Opener-Policy`). Where the broker knows that a source type's provider
   * does so, the flow's whole life is waited.
   */
  closedGrace?: number;
  /** The popup's width in CSS pixels; 520 unless given. */
  width?: number;
  /** The popup's height in CSS pixels; 720 unless given. */
  height?: number;
}

/** Leaves the page in place of opening a popup. */
export interface RedirectOptions extends ConnectOptions {
  /**
   * The absolute address that the person comes back to, on this page's origin: there `resume` goes on. It must be one
   * that the broker allows, and have no fragment.
   */
  returnUrl: string | URL;
}

/** What `resume` may be told. */
export interface ResumeOptions {
  /** As for `connect`. */
  broker?: string | URL;
  /** Stops the waiting. The flow goes on, and another call of `resume` may wait for it. */
  signal?: AbortSignal;
}

/** What is needed to redeem the credentials, once, at `assets:oauthCredentials`. */
export interface Connection {
  /** The credential key: whoever redeems it first, with the verifier, gets the tokens. */
  credentialKey: string;
  /** Goes with the key: the broker gives the tokens only to a caller who has both. */
  exchangeVerifier: string;
  sourceType: string;
  /** The flow's id, as the broker's audit trail has it. It is no secret. */
  flow: string;
}

/**
 * Why there is no connection.
 *
 * `code` is one of
 * - `popup_blocked`: the browser opened no window; call `connect` in a click handler
 * - `popup_closed`: the window was closed before the flow ended
 * - `timeout`: the flow expired
 * - `aborted`: the `signal` ended it; `cause` is the signal's reason
 * - `invalid_state`: the flow's answer had been opened before, by a link scanner or twice, or came too late
 * - `invalid_credential_key`: what came was redeemed before, through another tab
 * - `broker_unknown`: this module was not loaded from the broker, and no `broker` was given
 * - `insecure_context`: the page is served neither over https nor from localhost
 * - `storage_unavailable`: with a `returnUrl`, the page may not use `sessionStorage`
 * - `foreign_flow`: what came back belongs to no flow that this tab began, or to another source type; nothing may be
 *   done with it
 * - `network_error`: the broker could not be reached, or does not list this page's origin
 * - `unexpected_response`: something between here and the broker answered in its place
 * - `access_denied`, or another error of the provider's
 * - a `code` of the broker's API, such as `invalid_token` or `source_type_not_configured`
 */
export class ConnectError extends Error {
  constructor(code: string, description?: string, flow?: string, cause?: unknown);
  readonly name: "ConnectError";
  /** What to test for. */
  readonly code: string;
  /** A sentence to read; may be empty, and may be the provider's own: treat it as text. */
  readonly description: string;
  /** The id of the flow that failed, once there was one. */
  readonly flow: string | undefined;
}

/**
 * Keeps the exchange verifier in this tab's `sessionStorage` and leaves the page for the provider. The promise never
 * fulfils; it rejects with a `ConnectError` where the page is not left.
 */
export function connect(options: RedirectOptions): Promise<never>;

/**
 * Opens a popup at once, has the person consent in it, and resolves with the credential key.
 *
 * Call it in a click handler, before anything is awaited there; else browsers block the popup. It rejects with a
 * `ConnectError`. Any number of calls may run side by side.
 *
 * ```js
 * import { connect } from "https://broker.example.com/connect.js";
 * const { credentialKey, exchangeVerifier } = await connect({ tenant, sourceType, token });
 * ```
 */
export function connect(options: ConnectOptions): Promise<Connection>;

/**
 * Goes on with what `connect` began on a page that is gone: one that was left for a `returnUrl`, or one that was
 * reloaded while a popup was open. Resolves with the connection or rejects with a `ConnectError`, once for each flow, and
 * drops key and error from the address. Resolves with `null` where nothing is to go on with, or nothing came in time.
 *
 * With a popup still open it waits as long as the flow lives, so keep nothing of the page waiting for it. Where several
 * popups were open each call gives one outcome; call it again until it gives `null`. Flows that `connect` waits for on
 * this page are not meant.
 *
 * Call it once on every page that calls `connect`, and before other scripts read the address.
 *
 * ```js
 * import { resume } from "https://broker.example.com/connect.js";
 * resume().then((connection) => connection && save(connection), show);
 * ```
 */
export function resume(options?: ResumeOptions): Promise<Connection | null>;
