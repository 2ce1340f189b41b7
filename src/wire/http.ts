/** The one HTTP client: one attempt per call, a whole-call deadline, a capped answer, no redirects, and an honest word on what was sent. */
import { Pool } from "undici";
import type { Clock, Metrics } from "../model/ports.ts";
import { type Wire, WireBroken, type WireRequest, type WireResponse } from "../model/wire.ts";
import { openDeadlines } from "./deadlines.ts";
import { type Answer, Exchange } from "./exchange.ts";

type Headers = Readonly<Record<string, string>>;

export interface WireOptions {
  /** The `vendor` label of the metrics. */
  readonly vendor: string;
  /**
   * http: or https:, without credentials or query; a path is kept as a prefix. It comes from the operator's configuration and is never taken
   * from mail, so that loopback and private addresses are allowed here (self-hosted CRMs, the sandbox).
   */
  readonly baseUrl: string;
  /** Headers of every call, the credentials among them; a function is asked before each call. */
  readonly headers: Headers | (() => Promise<Headers>);
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** A call is over after this, connecting and reading included. Default 30,000. */
  readonly deadlineMs?: number;
  /** Cap on an answer's body, on the wire and after unpacking. Default 1 MiB. */
  readonly maxResponseBytes?: number;
  /** Waits for the budget's turn before a call; what it throws is thrown on, and nothing was sent. The deadline starts after it. */
  readonly beforeCall?: (budget: string, cost: number) => Promise<void>;
  /** After each call that `beforeCall` let through, with its answer where one came. */
  readonly afterCall?: (budget: string, answer: WireResponse | undefined) => void;
  /** Connections kept to the vendor at most. Default 32. */
  readonly connections?: number;
  /** An idle connection is dropped after this, unless the server names a shorter time. Default 4,000. */
  readonly keepAliveMs?: number;
}

export interface OpenWire extends Wire {
  /** Ends what is in flight as it stands (sent stays sent) and closes every connection. */
  close(): Promise<void>;
}

const defaultDeadlineMs = 30_000;
const connectTimeoutMs = 10_000;
const defaultMaxResponseBytes = 1024 * 1024;

/** Throws TypeError when the base URL cannot be used. */
export function openWire(options: WireOptions): OpenWire {
  const base = baseOf(options.baseUrl);
  const deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
  const maxBytes = options.maxResponseBytes ?? defaultMaxResponseBytes;
  const { clock, metrics, vendor } = options;
  const deadlines = openDeadlines(deadlineMs, clock);
  const pool = new Pool(base.origin, {
    connections: options.connections ?? 32,
    keepAliveTimeout: options.keepAliveMs ?? 4_000,
    connectTimeout: Math.min(connectTimeoutMs, deadlineMs),
    // The deadline below ends a call; undici's own timers count from the last byte and would let a dripped answer live.
    headersTimeout: 0,
    bodyTimeout: 0,
    // Over HTTP/2 undici may offer a request again after GOAWAY; over HTTP/1.1 without pipelining a request is written once.
    allowH2: false,
    pipelining: 1,
  });

  async function request(request: WireRequest): Promise<WireResponse> {
    const budget = request.budget ?? "default";
    await options.beforeCall?.(budget, request.cost ?? 1);
    let heard: WireResponse | undefined;
    try {
      heard = await exchanged(request);
      return heard;
    } finally {
      options.afterCall?.(budget, heard);
    }
  }

  async function exchanged(request: WireRequest): Promise<WireResponse> {
    const fixed = typeof options.headers === "function" ? await options.headers() : options.headers;
    const started = clock.now();
    const exchange = new Exchange(maxBytes);
    const inTime = deadlines.begin(() => exchange.expire(`no whole answer within ${deadlineMs} ms`));
    let outcome = "not_sent";
    try {
      dispatch(exchange, request, fixed);
      const answer = await exchange.answer;
      outcome = outcomeOf(answer.status);
      return responseOf(answer);
    } catch (error) {
      if (error instanceof WireBroken && error.sent) outcome = "no_answer";
      throw error;
    } finally {
      inTime();
      metrics.count("crm_calls_total", { vendor, object: request.object, outcome });
      metrics.observe("crm_call_seconds", Math.max(0, clock.now() - started) / 1000, {
        vendor,
        object: request.object,
      });
      if (request.cost !== undefined) metrics.count("crm_cost_total", { vendor, object: request.object }, request.cost);
    }
  }

  function dispatch(exchange: Exchange, request: WireRequest, fixed: Headers): void {
    try {
      if (!/^\/[!-~]*$/.test(request.path))
        throw new TypeError("the path must begin with a slash and be percent-encoded");
      const body =
        request.body === undefined
          ? null
          : typeof request.body === "string"
            ? request.body
            : JSON.stringify(request.body);
      const headers: Record<string, string> = { accept: "application/json", "accept-encoding": "identity" };
      if (body !== null) headers["content-type"] = "application/json";
      copyHeaders(fixed, headers);
      copyHeaders(request.headers, headers);
      pool.dispatch({ method: request.method, path: base.prefix + request.path, headers, body }, exchange);
    } catch (error) {
      exchange.refuse(error);
    }
  }

  return {
    request,
    async close() {
      await pool.destroy();
    },
  };
}

function baseOf(text: string): { origin: string; prefix: string } {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new TypeError("base_url must be an http: or https: URL");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new TypeError("base_url must not carry a user, a password, a query or a fragment");
  }
  return { origin: url.origin, prefix: url.pathname.replace(/\/+$/, "") };
}

/**
 * undici throws on a control or a character above U+00FF in a header value. A correlation id made from hostile mail must neither break
 * the call nor smuggle a line in (RFC 9110 §5.5), so those characters go out percent-encoded as UTF-8.
 */
function copyHeaders(from: Headers | undefined, into: Record<string, string>): void {
  for (const name in from) {
    const value = from[name];
    if (value !== undefined) into[name.toLowerCase()] = safeHeaderValue(value);
  }
}

/** Printable ASCII stays; everything else is percent-encoded, so that the value can still be read back. */
export function safeHeaderValue(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value.trim();
  return value
    .toWellFormed()
    .replace(/[^\x20-\x7e]/gu, (character) => encodeURIComponent(character))
    .trim();
}

function outcomeOf(status: number): string {
  return status === 429 ? "429" : `${Math.floor(status / 100)}xx`;
}

function responseOf({ status, headers, body }: Answer): WireResponse {
  const text = body.toString("utf8");
  return { status, headers, text, json: parsed(text) };
}

function parsed(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
