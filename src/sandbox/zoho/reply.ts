/** The answers of the Zoho sandbox, in Zoho's shapes: errors at the top, in `data[]`, in `Emails[]` and in `fields[]`. */

import type { Reply } from "../sandbox.ts";

export type { Reply } from "../sandbox.ts";

const json = { "content-type": "application/json;charset=UTF-8" };

export const ok = (status: number, body: unknown): Reply => ({ status, headers: json, body: JSON.stringify(body) });
/** Nothing found: no body at all. */
export const empty = (): Reply => ({ status: 204, headers: {}, body: "" });

export interface RowError {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly status: "error";
}

export const rowError = (code: string, message: string, details: Readonly<Record<string, unknown>> = {}): RowError => ({
  code,
  message,
  details,
  status: "error",
});

/** A failed call, thrown inside the sandbox and answered at its edge. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly error: RowError;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, error: RowError, headers: Readonly<Record<string, string>> = {}) {
    super(error.message);
    this.status = status;
    this.error = error;
    this.headers = headers;
  }
}

/** One row of a call that takes many, refused; the others go on. */
export class RowRefusal extends Error {
  override readonly name = "RowRefusal";
  readonly error: RowError;
  constructor(error: RowError) {
    super(error.message);
    this.error = error;
  }
}

export const refused = (status: number, code: string, message: string, details = {}): Refusal =>
  new Refusal(status, rowError(code, message, details));

export const errorReply = ({ status, error, headers }: Refusal): Reply => {
  const { status: _status, body, headers: own } = ok(status, error);
  return { status, body, headers: { ...own, ...headers } };
};

export const invalidId = (): Refusal =>
  refused(400, "INVALID_DATA", "the id given seems to be invalid", { resource_path_index: 1 });

export const invalidUrl = (): Refusal =>
  refused(404, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one");

export const missingScope = (): Refusal =>
  refused(401, "OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL");

export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
