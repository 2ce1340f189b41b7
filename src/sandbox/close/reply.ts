/** The shapes in which Close answers: successes, and what others have seen of its errors. */
import type { Reply } from "../sandbox.ts";

const json = { "content-type": "application/json" } as const;

export const ok = (body: unknown): Reply => ({ status: 200, headers: json, body: JSON.stringify(body) });

/** A failed call, thrown inside the sandbox and answered at its edge. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    super(`refused with ${status}`);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export const errorReply = ({ status, body, headers }: Refusal): Reply =>
  body === undefined
    ? { status, headers, body: "" }
    : { status, headers: { ...json, ...headers }, body: JSON.stringify(body) };

export const invalid = (fieldErrors: Readonly<Record<string, string>>): Refusal =>
  new Refusal(400, { errors: [], "field-errors": fieldErrors });
export const badRequest = (error: string): Refusal => new Refusal(400, { error });
export const notFound = (): Refusal => new Refusal(404, { error: "The requested resource was not found." });
