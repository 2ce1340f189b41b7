/** What a message may ask of DNS: a cache with single flight for all, and for each message a number of questions and a deadline. */
import { type Answer, type Dns, type RecordType, recordTypes } from "../../model/dns.ts";
import type { Clock } from "../../model/ports.ts";

/** SPF may ask for some 30 names, ten signatures for ten, DMARC for what ten walks of eight find: honest mail needs fewer than 20. */
const maxQuestions = 100;
/** In all, after the last byte of the message: past it every question is a time-out. */
export const deadlineMs = 10_000;
/** node:dns does not tell the TTL of most types. Keys and policies are changed with hours of overlap. */
const keptMs = { records: 300_000, none: 60_000, failed: 5_000 } as const;
const maxEntries = 10_000;
const maxKeptChars = 8 * 1024 * 1024;

export interface Names {
  forMessage(): MessageNames;
}

export interface MessageNames {
  /** As mailauth asks: rejects with a code. */
  readonly resolve: (name: string, type: string) => Promise<unknown[]>;
  /** The whole message is here: from now on it waits for DNS alone. */
  fed(): void;
}

interface Kept {
  readonly answer: Answer;
  readonly until: number;
  readonly chars: number;
}

/** `resumed`: code of this message runs after this. */
export function openNames(dns: Dns, clock: Clock): { forMessage(resumed?: () => void): MessageNames } {
  const kept = new Map<string, Kept>();
  const flying = new Map<string, Promise<Answer>>();
  let keptChars = 0;

  function known(key: string): Answer | undefined {
    const found = kept.get(key);
    if (found === undefined) return undefined;
    if (found.until > clock.now()) return found.answer;
    forget(key, found);
    return undefined;
  }

  function forget(key: string, { chars }: Kept): void {
    kept.delete(key);
    keptChars -= chars;
  }

  function keep(key: string, answer: Answer): void {
    if (answer.kind === "failed" && answer.lasting === true) return;
    const chars = key.length + (answer.kind === "records" ? JSON.stringify(answer.records).length : 0);
    const before = kept.get(key);
    if (before !== undefined) forget(key, before);
    kept.set(key, { answer, until: clock.now() + keptMs[answer.kind], chars });
    keptChars += chars;
    // The oldest first: what is asked for all the time comes back at once.
    for (const [oldest, entry] of kept) {
      if (kept.size <= maxEntries && keptChars <= maxKeptChars) break;
      forget(oldest, entry);
    }
  }

  function fetched(key: string, name: string, type: RecordType): Promise<Answer> {
    const same = flying.get(key);
    if (same !== undefined) return same;
    const asked = dns
      .ask(name, type)
      .catch((): Answer => ({ kind: "failed", code: "EUNKNOWN" }))
      .then((answer) => {
        flying.delete(key);
        keep(key, answer);
        return answer;
      });
    flying.set(key, asked);
    return asked;
  }

  return {
    forMessage(resumed = () => undefined) {
      let questions = 0;
      let until = clock.now() + deadlineMs;
      return {
        fed() {
          until = clock.now() + deadlineMs;
        },
        async resolve(name, type) {
          const plain = name.toLowerCase().replace(/\.$/, "");
          const key = `${type} ${plain}`;
          const before = known(key);
          const recordType = recordTypes.find((each) => each === type);
          // What is kept could be asked for.
          if (recordType === undefined || (before === undefined && !isAskable(plain)))
            throw coded("ENOTFOUND", name, type);
          if (++questions > maxQuestions) throw coded("ETOOMANY", name, type);
          const answer = before ?? (await inTime(fetched(key, plain, recordType), until, clock));
          resumed();
          // A copy: whoever sorts his answer in place sorts nobody else's.
          if (answer.kind === "records") return answer.records.map((one) => (Array.isArray(one) ? [...one] : one));
          throw coded(answer.code, name, type);
        },
      };
    },
  };
}

async function inTime(answer: Promise<Answer>, until: number, clock: Clock): Promise<Answer> {
  const left = until - clock.now();
  if (left <= 0) return { kind: "failed", code: "ETIMEOUT" };
  const timer = new AbortController();
  const late = clock.sleep(left, timer.signal).then((): Answer => ({ kind: "failed", code: "ETIMEOUT" }));
  try {
    return await Promise.race([answer, late]);
  } finally {
    timer.abort();
  }
}

/** Multicast DNS (RFC 6762 §3), this very host (RFC 6761 §6.3), and onion routing (RFC 7686 §2) have no place in DNS. */
const notInDns = new Set(["local", "localhost", "onion"]);

/** A name of two labels at least that DNS can hold (RFC 1035 §2.3.4). Literals and addresses are none. */
export function isAskable(name: string): boolean {
  if (name.length > 253 || !/^[\x21-\x7e]+$/.test(name) || name.startsWith("[")) return false;
  const labels = name.split(".");
  if (labels.length < 2 || labels.some((label) => label === "" || label.length > 63)) return false;
  const top = labels.at(-1) ?? "";
  return !notInDns.has(top) && !/^\d+$/.test(top);
}

/** Without a stack, which takes longer than the rest of an answer: a mail has some ten of them, and nobody reads where a name was not found. */
function coded(code: string, name: string, type: string): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = new Error(`${type} ${name.slice(0, 100)}: ${code}`);
  Error.stackTraceLimit = stackTraceLimit;
  return Object.assign(error, { code });
}
