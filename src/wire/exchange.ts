/** One attempt at one HTTP exchange, as undici reports it: knows whether a byte of the request may have left, caps the answer, ends once. */
import { gunzipSync, inflateSync } from "node:zlib";
import { WireBroken } from "../model/wire.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What undici hands to a handler to steer a request by. */
interface Controller {
  readonly aborted: boolean;
  abort(reason: Error): void;
}

type RawHeaders = Record<string, string | string[] | undefined>;

/**
 * A dispatch handler. undici calls `onRequestStart` after a connection stands and right before it writes the request's first byte:
 * an exchange that ends before that call was certainly not sent. After it nobody can know. That covers the kept-alive connection which the
 * server closed while it lay idle: the write fails here, yet the server may have read the request before its own close went out.
 */
export class Exchange {
  readonly answer: Promise<Answer>;
  private readonly maxBytes: number;
  private readonly settle: { resolve(answer: Answer): void; reject(error: WireBroken): void };
  private controller: Controller | undefined;
  private sent = false;
  private ended = false;
  private status = 0;
  private headers: Readonly<Record<string, string>> = {};
  private readonly chunks: Buffer[] = [];
  private bytes = 0;

  constructor(maxBytes: number) {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.answer = promise;
    this.settle = { resolve, reject };
    this.maxBytes = maxBytes;
  }

  /** Gives up now, whatever state the exchange is in. */
  expire(reason: string): void {
    this.fail(reason);
    this.controller?.abort(new Error(reason));
  }

  /** undici never took the request: bad path or header, or the pool is closed. */
  refuse(cause: unknown): void {
    this.fail("the request could not be sent", cause);
  }

  onRequestStart(controller: Controller): void {
    // Given up while it waited for a connection, or offered a second time: one attempt means one attempt.
    if (this.ended || this.sent) {
      controller.abort(new Error("this exchange is over"));
      return;
    }
    this.controller = controller;
    this.sent = true;
  }

  onResponseStart(_controller: Controller, status: number, headers: RawHeaders): void {
    if (status < 200) return;
    this.status = status;
    this.headers = flatten(headers);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.bytes > this.maxBytes) {
      this.fail(`the answer is longer than ${this.maxBytes} bytes`);
      controller.abort(new Error("answer too long"));
      return;
    }
    this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.ended) return;
    const body = this.chunks.length === 1 && this.chunks[0] !== undefined ? this.chunks[0] : Buffer.concat(this.chunks);
    let plain: Buffer;
    try {
      plain = decoded(body, this.headers["content-encoding"], this.maxBytes);
    } catch (cause) {
      this.fail("the answer's content-encoding could not be undone within the size allowed", cause);
      return;
    }
    this.ended = true;
    this.settle.resolve({ status: this.status, headers: this.headers, body: plain });
  }

  onResponseError(_controller: unknown, cause: Error): void {
    this.fail("the connection failed", cause);
  }

  private fail(what: string, cause?: unknown): void {
    if (this.ended) return;
    this.ended = true;
    const code = codeOf(cause);
    const message = `${what}${code === undefined ? "" : ` (${code})`}; the request was ${this.sent ? "or may have been sent" : "not sent"}`;
    this.settle.reject(new WireBroken(message, this.sent, { cause }));
  }
}

/** Asked for plain, some edges compress all the same. undici inflates nothing, and an unbounded inflate turns 0.4 MB into 400 MB. */
function decoded(body: Buffer, encoding: string | undefined, maxOutputLength: number): Buffer {
  switch (encoding?.trim().toLowerCase()) {
    case undefined:
    case "":
    case "identity":
      return body;
    case "gzip":
    case "x-gzip":
      return body.length === 0 ? body : gunzipSync(body, { maxOutputLength });
    case "deflate":
      return body.length === 0 ? body : inflateSync(body, { maxOutputLength });
    default:
      throw new Error("content-encoding not known");
  }
}

function flatten(headers: RawHeaders): Readonly<Record<string, string>> {
  const flat: Record<string, string> = Object.create(null);
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) flat[name.toLowerCase()] = typeof value === "string" ? value : value.join(", ");
  }
  return flat;
}

/** `ECONNREFUSED`, `UND_ERR_SOCKET`: enough to act on, and never a peer's text. */
function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
  if (code !== undefined && /^[A-Z][A-Z0-9_]{1,60}$/.test(code)) return code;
  return undefined;
}
