/** The shapes in which HubSpot answers: successes, and errors in all their dialects. */

import type { Reply } from "../sandbox.ts";

export type { Reply } from "../sandbox.ts";

const json = { "content-type": "application/json;charset=utf-8" } as const;

export const ok = (status: number, body: unknown): Reply => ({ status, headers: json, body: JSON.stringify(body) });
export const empty = (status: number): Reply => ({ status, headers: {}, body: "" });
export interface ErrorParts {
  readonly message: string;
  readonly category?: string;
  readonly subCategory?: string;
  readonly context?: Readonly<Record<string, readonly string[]>>;
  readonly errors?: readonly {
    message: string;
    code?: string;
    context?: Readonly<Record<string, readonly string[]>>;
  }[];
  readonly [other: string]: unknown;
}

/** A failed call, thrown inside the sandbox and answered at its edge. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly parts: ErrorParts;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, parts: ErrorParts, headers: Readonly<Record<string, string>> = {}) {
    super(parts.message);
    this.status = status;
    this.parts = parts;
    this.headers = headers;
  }
}

export function errorReply({ status, parts, headers }: Refusal, correlationId: string): Reply {
  return {
    status,
    headers: { ...json, ...headers },
    body: JSON.stringify({ status: "error", ...parts, correlationId }),
  };
}

export const validation = (message: string, more: Omit<ErrorParts, "message"> = {}): Refusal =>
  new Refusal(400, { message, category: "VALIDATION_ERROR", ...more });

export const notFound = (message = "resource not found"): Refusal =>
  new Refusal(404, { message, category: "OBJECT_NOT_FOUND" });

export interface InvalidValue {
  readonly name: string;
  readonly error: string;
  readonly message: string;
}

/** Faults of property values come as a JSON array inside the sentence. */
export function invalidValues(values: readonly InvalidValue[]): Refusal {
  const list = values.map(({ name, error, message }) => ({ isValid: false, message, error, name, portalId: 0 }));
  return validation(`Property values were not valid: ${JSON.stringify(list)}`);
}

export function missingScopes(scopes: readonly string[]): Refusal {
  const message = "This app hasn't been granted all required scopes to make this call.";
  const errors = [
    { message: "One or more of the following scopes are required.", context: { requiredScopes: scopes } },
  ];
  return new Refusal(403, { message, category: "MISSING_SCOPES", errors });
}
