/** LIMITS: who may connect, counted in all, per client and per minute, and how the others are turned away. */
import { isIPv6, type Socket } from "node:net";
import type { Clock } from "../../model/ports.ts";
import { type Reply, replies, replyText } from "./reply.ts";
import type { SmtpLimits } from "./settings.ts";

interface Client {
  open: number;
  /** Connections this client may still make at once; refills at the configured rate. */
  tokens: number;
  refilledAt: number;
}

/** Clients remembered at most; a flood from more networks than this forgets the oldest idle ones first. */
const maxClients = 65_536;

/** How long a refused connection may take to hear it and to close its side. */
const lingerMs = 1000;

export type Admitted = { readonly ok: true; release(): void } | { readonly ok: false; readonly reply: Reply };

export class Admission {
  readonly #limits: SmtpLimits;
  readonly #clock: Clock;
  readonly #clients = new Map<string, Client>();
  #open = 0;
  #turningAway = 0;

  constructor(limits: SmtpLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get open(): number {
    return this.#open;
  }

  /** Over 80 % of the places are taken: idle connections are let go sooner. */
  get crowded(): boolean {
    return this.#open > this.#limits.connections * 0.8;
  }

  /** Takes a place for a connection from `ip`, or says why there is none. `release` may be called more than once. */
  admit(ip: string): Admitted {
    const key = clientKey(ip);
    const client = this.#client(key);
    const rate = this.#limits.connection_rate_per_minute;
    if (rate > 0 && client.tokens < 1) return { ok: false, reply: replies.connectingTooOften };
    client.tokens -= 1;
    const perClient = this.#limits.connections_per_ip;
    if (perClient > 0 && client.open >= perClient) return { ok: false, reply: replies.tooManyFromClient };
    if (this.#open >= this.#limits.connections) return { ok: false, reply: replies.tooManyConnections };
    client.open += 1;
    this.#open += 1;
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      client.open -= 1;
      this.#open -= 1;
    };
    return { ok: true, release };
  }

  /** Says why, and closes. Where too many are being told already, there is no room even for that. */
  turnAway(tcp: Socket, reply: Reply): void {
    tcp.on("error", () => {});
    if (this.#turningAway >= this.#limits.connections) {
      tcp.destroy();
      return;
    }
    this.#turningAway += 1;
    const heard = new AbortController();
    tcp.once("close", () => {
      this.#turningAway -= 1;
      heard.abort();
    });
    tcp.resume();
    tcp.end(`${reply.code} ${replyText(reply)}\r\n`);
    void this.#clock.sleep(lingerMs, heard.signal).then(() => tcp.destroy());
  }

  #client(key: string): Client {
    const now = this.#clock.now();
    const rate = this.#limits.connection_rate_per_minute;
    const known = this.#clients.get(key);
    const client = known ?? { open: 0, tokens: rate, refilledAt: now };
    // A clock set back refills nothing.
    const refill = (Math.max(0, now - client.refilledAt) * rate) / 60_000;
    client.tokens = Math.min(rate, client.tokens + refill);
    client.refilledAt = now;
    // Moved to the end: the map's order is then "least lately seen first".
    if (known) this.#clients.delete(key);
    this.#clients.set(key, client);
    if (this.#clients.size > maxClients) this.#forgetOldest();
    return client;
  }

  #forgetOldest(): void {
    for (const [key, client] of this.#clients) {
      if (client.open > 0) continue;
      this.#clients.delete(key);
      return;
    }
  }
}

/** Whom an address stands for: itself, or in IPv6 its /64, which is what one customer usually gets (RFC 6177). */
export function clientKey(ip: string): string {
  const bare = ip.replace(/^::ffff:(?=\d+\.)/i, "").split("%")[0] ?? "";
  if (!isIPv6(bare)) return bare;
  const [head = "", tail] = bare.split("::");
  const left = head.split(":").filter(Boolean);
  const right = (tail ?? "").split(":").filter(Boolean);
  const gap = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length - (bare.includes(".") ? 1 : 0));
  const groups = [...left, ...Array.from({ length: gap }, () => "0"), ...right];
  const prefix = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${prefix.join(":")}::/64`;
}
