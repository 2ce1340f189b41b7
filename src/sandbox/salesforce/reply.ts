/** The shapes in which Salesforce answers: successes, and errors as a list of codes and sentences. */

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
/** The connection dies without a (whole) answer. */
export interface Dropped {
  readonly drop: true;
}

const json = { "content-type": "application/json;charset=UTF-8" } as const;

export const ok = (status: number, body: unknown): Reply => ({ status, headers: json, body: JSON.stringify(body) });
export const empty = (status: number): Reply => ({ status, headers: {}, body: "" });
/** What an edge in front of Salesforce answers: a page, not JSON. */
export const edgePage = (status: number): Reply => ({
  status,
  headers: { "content-type": "text/html" },
  body: `<html><head><title>${status}</title></head><body>We are down for maintenance (${status}).</body></html>`,
});

export interface Trouble {
  readonly message: string;
  readonly errorCode: string;
  readonly fields?: readonly string[];
  readonly [more: string]: unknown;
}

/** A failed call, thrown inside the sandbox and answered at its edge. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly troubles: readonly Trouble[];
  constructor(status: number, ...troubles: readonly Trouble[]) {
    super(troubles[0]?.message ?? String(status));
    this.status = status;
    this.troubles = troubles;
  }
}

export const refusalReply = ({ status, troubles }: Refusal): Reply => ok(status, troubles);

/** A 400 of the code given. */
export const bad = (errorCode: string, message: string, fields: readonly string[] = []): Refusal =>
  new Refusal(400, { message, errorCode, fields });

export const notFound = (message = "The requested resource does not exist"): Refusal =>
  new Refusal(404, { message, errorCode: "NOT_FOUND" });

export const noSuchColumn = (field: string, object: string): Refusal =>
  bad("INVALID_FIELD", `No such column '${field}' on sobject of type ${object}`);
