/** One HTTP exchange with a vendor: what is asked, what came back, and how it can go wrong. */

export interface WireRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query below the wire's base URL, already encoded: `/crm/objects/2026-03/contacts`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is already a string. */
  readonly body?: unknown;
  /** What the call is counted under: object of the vendor ("contact", "email"). */
  readonly object: string;
  /** Which budget it draws on, where the vendor has several ("search"); `token` is no call to the CRM itself. */
  readonly budget?: string;
  /** What it takes of the day's budget, in the vendor's unit. Default 1. */
  readonly cost?: number;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The whole answer as text, capped. */
  readonly text: string;
  /** The answer as JSON; undefined where it is not JSON. */
  readonly json: unknown;
}

/** The exchange did not come to an answer. `sent` false: certainly no byte of the request left, so nothing happened there. */
export class WireBroken extends Error {
  override readonly name = "WireBroken";
  readonly sent: boolean;
  constructor(message: string, sent: boolean, options?: ErrorOptions) {
    super(message, options);
    this.sent = sent;
  }
}

/** One attempt, never repeated; no redirect followed; the whole call ends within 30 s; the answer is capped. */
export interface Wire {
  /** Rejects with WireBroken when there is no whole answer. Every status is an answer, not an error. */
  request(request: WireRequest): Promise<WireResponse>;
}
