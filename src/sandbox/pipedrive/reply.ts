/** The shapes in which Pipedrive answers: successes with their paging, and errors in the dialects of both versions. */

import type { Reply } from "../sandbox.ts";

const json = { "content-type": "application/json; charset=utf-8" } as const;

export const answer = (status: number, body: object): Reply => ({ status, headers: json, body: JSON.stringify(body) });
export const ok = (data: unknown, additional?: object): Reply =>
  answer(200, { success: true, data, ...(additional === undefined ? {} : { additional_data: additional }) });

export interface ErrorParts {
  readonly error: string;
  readonly code?: string;
  readonly errorCode?: number;
}

/** A failed call, thrown inside the sandbox and answered at its edge. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly parts: ErrorParts;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, parts: ErrorParts, headers: Readonly<Record<string, string>> = {}) {
    super(parts.error);
    this.status = status;
    this.parts = parts;
    this.headers = headers;
  }
}

/** The proxy's own refusal, without JSON. */
export class EdgeRefusal extends Error {
  override readonly name = "EdgeRefusal";
  readonly status: number;
  constructor(status: number) {
    super(`an edge answers ${status}`);
    this.status = status;
  }
}

const info = "Please check developers.pipedrive.com for more information about Pipedrive API.";

export function errorReply({ status, parts, headers }: Refusal): Reply {
  const body = { success: false, error_info: info, data: null, additional_data: null, ...parts };
  return { ...answer(status, body), headers: { ...json, ...headers } };
}

export const invalid = (error: string): Refusal => new Refusal(400, { error, code: "ERR_INVALID_INPUT" });
export const notFound = (error: string): Refusal => new Refusal(404, { error, code: "ERR_NOT_FOUND" });
/** What a body that Pipedrive did not think of ends as. */
export const unknownError = (): Refusal => new Refusal(500, { error: "Internal server error", code: "ERR_UNKNOWN" });
