/** The shapes in which Tryton answers: results, what went wrong inside (both 200), and the pages of its web server. Measured at 6.0.29. */
import type { Reply } from "../sandbox.ts";

const json = { "content-type": "application/json" } as const;

export const ok = (id: unknown, result: unknown): Reply => ({
  status: 200,
  headers: json,
  body: JSON.stringify({ id, result }),
});

/** What went wrong inside, thrown and answered as 200 with an `error`: nothing of the call is kept. */
export class Failed extends Error {
  override readonly name = "Failed";
  readonly error: readonly unknown[];
  constructor(error: readonly unknown[]) {
    super(String(error[0]));
    this.error = error;
  }
}

export const userError = (message: string): Failed => new Failed(["UserError", [message, "", null]]);
/** A model, a field: Python's own word for what is not there. */
export const keyError = (name: string): Failed => new Failed([`'${name}'`, ""]);
export const typeError = (words: string): Failed => new Failed([words, ""]);

/** A page of its web server's. */
export class Page extends Error {
  override readonly name = "Page";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, headers: Readonly<Record<string, string>> = {}) {
    super(`answered with ${status}`);
    this.status = status;
    this.headers = headers;
  }
}

export const failedReply = (id: unknown, { error }: Failed): Reply => ({
  status: 200,
  headers: json,
  body: JSON.stringify({ id, error }),
});

const titles: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Request Entity Too Large",
  429: "Too Many Requests",
  500: "Internal Server Error",
};

export function pageReply(status: number, headers: Readonly<Record<string, string>> = {}): Reply {
  const title = titles[status] ?? "Error";
  return {
    status,
    headers: { "content-type": "text/html; charset=utf-8", ...headers },
    body: `<!doctype html>\n<html lang=en>\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n`,
  };
}

/** A session that is not known gets an empty answer, and no page. */
export const unknownSession = (): Reply => ({
  status: 401,
  headers: { "content-type": "text/plain; charset=utf-8", "www-authenticate": 'Basic realm="Tryton"' },
  body: "",
});
