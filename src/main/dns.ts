/** DNS over node:dns: one question at a time with a deadline, answers of bounded size, and a breaker for servers that do not answer at all. */
import { Resolver } from "node:dns/promises";
import type { Answer, Dns, RecordType } from "../model/dns.ts";
import type { Clock } from "../model/ports.ts";

export interface DnsOptions {
  /** `address` or `address:port`; none: those of the system. */
  readonly servers: readonly string[];
  /** For one question, repeats included. */
  readonly timeoutMs: number;
}

/** Time-outs in a row, without any answer in between, after which the servers themselves are looked at. */
const mostTimeouts = 3;
/** While they are down, one question in so many milliseconds finds out whether they are back; all others are answered at once. */
const probeEveryMs = 5_000;
/** RFC 1035 §4.2.2: a message over TCP is no longer. What is larger came from elsewhere. */
const maxAnswerChars = 64 * 1024;
const maxRecords = 500;

/** Codes that mean that no server said anything. SERVFAIL and REFUSED are answers: the server is there. */
const silence = new Set(["ETIMEOUT", "ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "ENONAME", "ELOADIPHLPAPI"]);

export function openDns({ servers, timeoutMs }: DnsOptions, clock: Clock): Dns {
  // The second try waits twice as long as the first: together the whole time.
  const resolver = new Resolver({ timeout: Math.max(1, Math.floor(timeoutMs / 3)), tries: 2 });
  if (servers.length > 0) resolver.setServers([...servers]);
  const breaker = openBreaker(() => within(resolver.resolve(".", "NS")), clock);

  /** The resolver's own time-out counts per server; this one counts for the person who waits. */
  async function within(question: Promise<unknown>): Promise<Answer> {
    const timer = new AbortController();
    const late = clock.sleep(timeoutMs, timer.signal).then((): Answer => ({ kind: "failed", code: "ETIMEOUT" }));
    try {
      return await Promise.race([question.then(bounded, failure), late]);
    } finally {
      timer.abort();
    }
  }

  return {
    async ask(name: string, type: RecordType) {
      if (breaker.open()) return { kind: "failed", code: "ETIMEOUT", lasting: true };
      const answer = await within(resolver.resolve(name, type));
      breaker.heard(answer);
      return answer;
    },
  };
}

/**
 * Slow names must not make all names fail: a sender can own as many of those as he likes. So time-outs only raise the suspicion, and a
 * question that every resolver can answer by itself, for the servers of the root, decides.
 */
function openBreaker(probe: () => Promise<Answer>, clock: Clock) {
  let timeouts = 0;
  let isOpen = false;
  let probing = false;
  let lookAgainAt = 0;

  async function look(): Promise<void> {
    probing = true;
    const answer = await probe();
    probing = false;
    isOpen = isSilent(answer);
    timeouts = 0;
    lookAgainAt = clock.now() + probeEveryMs;
  }

  return {
    open(): boolean {
      if (isOpen && !probing && clock.now() >= lookAgainAt) void look();
      return isOpen;
    },
    heard(answer: Answer): void {
      timeouts = isSilent(answer) ? timeouts + 1 : 0;
      if (!isSilent(answer)) isOpen = false;
      if (timeouts >= mostTimeouts && !probing && !isOpen) void look();
    },
  };
}

const isSilent = (answer: Answer): boolean => answer.kind === "failed" && silence.has(answer.code);

function bounded(records: unknown): Answer {
  if (!Array.isArray(records) || records.length > maxRecords || JSON.stringify(records).length > maxAnswerChars)
    return { kind: "failed", code: "EBADRESP" };
  return { kind: "records", records };
}

function failure(error: unknown): Answer {
  const code = String((error as { code?: unknown } | null)?.code ?? "EUNKNOWN");
  if (code === "ENOTFOUND" || code === "ENODATA") return { kind: "none", code };
  // A name that cannot be written in a question is in no zone.
  if (code === "EBADNAME") return { kind: "none", code: "ENOTFOUND" };
  return { kind: "failed", code };
}
