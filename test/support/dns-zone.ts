/** What a name server of the tests knows: records, and names that fail in a chosen way. Read over the wire (dns-server.ts) or in process. */

export interface Mx {
  readonly exchange: string;
  readonly priority: number;
}
/** As node:dns hands them out: TXT records as lists of strings of 255 bytes at most. */
export interface RecordsOf {
  A: string;
  AAAA: string;
  MX: Mx;
  TXT: string | readonly string[];
  PTR: string;
  CNAME: string;
}
export type ZoneType = keyof RecordsOf;

/**
 * servfail, refused: the server says so. silent: no answer at all. garbage: bytes that are no answer. other_id, other_name: an answer, but
 * to a question that nobody asked.
 */
export type Failure = "servfail" | "refused" | "silent" | "garbage" | "other_id" | "other_name";

export interface Zone {
  /** Adds to what is there. A TXT record longer than 255 bytes is cut into strings, as name servers do. */
  add<T extends ZoneType>(name: string, type: T, ...records: RecordsOf[T][]): void;
  /** Takes back everything that a name has. */
  remove(name: string): void;
  /** Every question about the name fails so; null: no longer. */
  fail(name: string, failure: Failure | null): void;
  /** Whatever is asked. */
  failAll(failure: Failure | null): void;
  /** Answers about this name come so much later. */
  delay(name: string, ms: number): void;
  delayAll(ms: number): void;
  /** Over UDP the answer about the name is cut short, so that it has to be asked for by TCP. */
  truncate(name: string): void;
  look(name: string, type: string): Found;
  /** Every question so far, `TYPE name`, in order. */
  readonly asked: string[];
  /** The zone as a resolver of mailauth's shape, without a socket; delays are real. */
  readonly resolve: (name: string, type: string) => Promise<unknown[]>;
}

export interface Found {
  readonly failure: Failure | null;
  readonly delayMs: number;
  readonly truncated: boolean;
  /** The name is known, whatever its types: NODATA and not NXDOMAIN. */
  readonly exists: boolean;
  /** The chain of aliases that was followed, and what stands at its end. */
  readonly aliases: readonly { readonly from: string; readonly to: string }[];
  readonly name: string;
  readonly records: readonly RecordsOf[ZoneType][];
}

const longestChain = 16;
const keyOf = (name: string): string => name.toLowerCase().replace(/\.$/, "");

export function dnsZone(): Zone {
  const names = new Map<string, Map<string, RecordsOf[ZoneType][]>>();
  const failures = new Map<string, Failure>();
  const delays = new Map<string, number>();
  const cut = new Set<string>();
  const asked: string[] = [];
  let everywhere: Failure | null = null;
  let everywhereMs = 0;

  /** An empty non-terminal exists too (RFC 8020 §2). */
  const exists = (name: string): boolean =>
    names.has(name) || [...names.keys()].some((known) => known.endsWith(`.${name}`));

  function look(name: string, type: string): Found {
    asked.push(`${type} ${keyOf(name)}`);
    let at = keyOf(name);
    const aliases: { from: string; to: string }[] = [];
    while (type !== "CNAME" && aliases.length < longestChain) {
      const [alias] = names.get(at)?.get("CNAME") ?? [];
      if (alias === undefined) break;
      aliases.push({ from: at, to: keyOf(String(alias)) });
      at = keyOf(String(alias));
    }
    return {
      failure: failures.get(keyOf(name)) ?? everywhere,
      delayMs: delays.get(keyOf(name)) ?? everywhereMs,
      truncated: cut.has(keyOf(name)),
      exists: exists(at),
      aliases,
      name: at,
      records: names.get(at)?.get(type) ?? [],
    };
  }

  return {
    asked,
    look,
    add(name, type, ...records) {
      const types = names.get(keyOf(name)) ?? new Map<string, RecordsOf[ZoneType][]>();
      names.set(keyOf(name), types);
      types.set(type, [...(types.get(type) ?? []), ...records]);
    },
    remove: (name) => void names.delete(keyOf(name)),
    fail: (name, failure) =>
      void (failure === null ? failures.delete(keyOf(name)) : failures.set(keyOf(name), failure)),
    failAll(failure) {
      everywhere = failure;
    },
    delay: (name, ms) => void delays.set(keyOf(name), ms),
    delayAll(ms) {
      everywhereMs = ms;
    },
    truncate: (name) => void cut.add(keyOf(name)),
    async resolve(name, type) {
      const found = look(name, type);
      if (found.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, found.delayMs));
      return answerOf(found, name, type);
    },
  };
}

const codes: Readonly<Record<Failure, string>> = {
  servfail: "ESERVFAIL",
  refused: "EREFUSED",
  silent: "ETIMEOUT",
  garbage: "EBADRESP",
  other_id: "ETIMEOUT",
  other_name: "ETIMEOUT",
};

/** In process, a silent server has timed out already: no test waits for it. */
function answerOf(found: Found, name: string, type: string): unknown[] {
  const failed = (code: string): Error => Object.assign(new Error(`query${type} ${code} ${name}`), { code });
  if (found.failure !== null) throw failed(codes[found.failure]);
  if (found.records.length === 0) throw failed(found.exists ? "ENODATA" : "ENOTFOUND");
  return found.records.map((record) => (type === "TXT" ? strings(record as RecordsOf["TXT"]) : record));
}

/** A character-string holds 255 bytes (RFC 1035 §3.3). */
export function strings(record: string | readonly string[]): string[] {
  if (typeof record !== "string") return [...record];
  const bytes = Buffer.from(record, "latin1");
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 255) parts.push(bytes.subarray(at, at + 255).toString("latin1"));
  return parts.length === 0 ? [""] : parts;
}
