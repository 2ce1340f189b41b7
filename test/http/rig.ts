/** A door with files behind it: rows and stores in memory, as src/model promises them, and a client that keeps cookies. */
import { createHash } from "node:crypto";
import { onTestFinished } from "vitest";
import { openSessions, startHttp } from "../../src/http/index.ts";
import type { isPassword } from "../../src/http/password.ts";
import type { FileLimits } from "../../src/http/routes/files.ts";
import { openLinks } from "../../src/mapping/links.ts";
import type { Store } from "../../src/model/blob.ts";
import type { AuditEntry, FileRow } from "../../src/model/files.ts";
import type { Clock, Log, LogFields } from "../../src/model/ports.ts";
import type { PreviewOfFile } from "../../src/model/preview.ts";
import { manualClock } from "../destinations/fixtures.ts";

export const dayMs = 86_400_000;
export const operator = {
  name: "Ada",
  password: "correct horse battery staple",
  // Of that password; computed once, since each costs 100 ms.
  passwordHash: "scrypt$15$8$3$AAECAwQFBgcICQoLDA0ODw$ZwXboEbK-6uo3pibyojgA4zgNULQwM2WqPlWpy-G7mc",
};
export const fileId = "0123456789abcdef0123456789abcdef";
export const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 7 + (at >> 8)) & 255));
const sha256 = createHash("sha256").update(bytes).digest("hex");

export const rowWith = (changes: Partial<FileRow> = {}): FileRow => ({
  id: fileId,
  partId: "2",
  filename: "offer.pdf",
  contentType: "application/pdf",
  detectedType: "application/pdf",
  size: bytes.length,
  sha256,
  inline: false,
  eventId: "event-1",
  tenant: "acme",
  receivedAt: Date.UTC(2026, 10, 1),
  status: "stored",
  reason: null,
  storeKey: "here/offer",
  storedAt: null,
  decision: null,
  inspection: null,
  scan: { status: "clean", engine: null, signatures: null, at: null, detail: null },
  by: "mailwright",
  at: Date.UTC(2026, 10, 2),
  note: null,
  ...changes,
});

const quick: typeof isPassword = async (password, hash) => hash !== undefined && password === operator.password;

interface Given {
  readonly rows?: readonly FileRow[];
  /** As they are when an opening is put on record. */
  readonly rowsLater?: readonly FileRow[];
  /** What the ledger waits for before it gives a row. */
  readonly ledger?: () => Promise<unknown>;
  readonly store?: Partial<Store>;
  readonly refreshDays?: number;
  readonly previewOf?: PreviewOfFile;
  readonly operators?: readonly { name: string; passwordHash: string }[];
  readonly publicUrl?: string;
  readonly trustedProxies?: readonly string[];
  readonly limits?: Partial<FileLimits>;
  readonly clock?: Clock;
  /** Default: compares without scrypt, which takes 100 ms and more of a core. */
  readonly isPassword?: typeof isPassword;
  readonly audit?: (entry: AuditEntry) => Promise<void>;
}

/** In pieces of 10,000 bytes; `cancelled` counts readers that went away. */
export function memoryStore(
  content: Uint8Array = bytes,
): Store & { opened: string[]; cancelled: number; pulled: number } {
  const store = {
    opened: [] as string[],
    cancelled: 0,
    pulled: 0,
    refOf: (key: string) => key,
    put: () => Promise.reject(new Error("the door puts nothing")),
    delete: () => Promise.reject(new Error("the door deletes nothing")),
    list: () => {
      throw new Error("the door lists nothing");
    },
    async open(ref: string, range?: { start: number; end: number }) {
      store.opened.push(range === undefined ? ref : `${ref} ${range.start}-${range.end}`);
      const wanted = range === undefined ? content : content.subarray(range.start, range.end + 1);
      let at = 0;
      const plain = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            store.pulled++;
            if (at >= wanted.length) return controller.close();
            controller.enqueue(wanted.subarray(at, at + 10_000));
            at += 10_000;
          },
          cancel() {
            store.cancelled++;
          },
        },
        { highWaterMark: 0 },
      );
      return { plain, size: content.length };
    },
  };
  return store;
}

export async function openDoor(given: Given = {}) {
  const clock = given.clock ?? manualClock(Date.UTC(2026, 10, 28, 12));
  const audited: AuditEntry[] = [];
  const lines: { level: string; fields: LogFields; message: string }[] = [];
  const at = (level: string) => (fields: LogFields, message: string) => void lines.push({ level, fields, message });
  const log: Log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), with: () => log };
  const counted: string[] = [];
  const metrics = {
    count: (name: string, labels?: object) => void counted.push(`${name} ${JSON.stringify(labels)}`),
    observe: () => undefined,
    gauge: () => undefined,
  };
  const rows = given.rows ?? [rowWith()];
  const files = {
    async files({ id }: { id?: string }) {
      await given.ledger?.();
      return rows.filter((row) => row.id === id);
    },
    async audit(entry: AuditEntry) {
      await given.audit?.(entry);
      audited.push(entry);
    },
    // As the store does it, whose contract tests say so.
    async auditOpening(entry: AuditEntry) {
      await given.audit?.(entry);
      const row = (given.rowsLater ?? rows).find(({ id }) => id === entry.about);
      if (row !== undefined) audited.push(row.status === "stored" ? entry : { ...entry, outcome: row.status });
      return row;
    },
  };
  // Not a copy where a whole store is given: its counters are looked at.
  const store = (
    given.store?.list === undefined ? Object.assign(memoryStore(), given.store) : given.store
  ) as ReturnType<typeof memoryStore>;
  const publicUrl = given.publicUrl ?? "http://mail.example.com";
  const links = openLinks({ publicUrl, ttlMs: 365 * dayMs, keyId: "1", keys: new Map([["1", Buffer.alloc(32, 1)]]) });
  const url = new URL(publicUrl);
  const base = url.pathname.replace(/\/$/, "");
  const secure = url.protocol === "https:";
  const operators = given.operators ?? [];
  const sessions =
    operators.length === 0
      ? undefined
      : openSessions({ key: Buffer.alloc(32, 9), operators, secure, path: base === "" ? "/" : base }, clock);
  const shared = { files, base, clock, log };
  const server = await startHttp({
    host: "127.0.0.1",
    port: 0,
    metrics: { contentType: "text/plain", text: async () => "" },
    live: () => true,
    ready: async () => ({ ready: true, reasons: [] }),
    log,
    ...(given.trustedProxies === undefined ? {} : { trustedProxies: given.trustedProxies }),
    files: {
      ...shared,
      links,
      stores: { of: () => store },
      metrics,
      sessions,
      previewOf: given.previewOf,
      refreshMs: (given.refreshDays ?? 0) * dayMs,
      freshMs: 30 * dayMs,
      ...(given.limits === undefined ? {} : { limits: given.limits }),
    },
    operators:
      sessions === undefined ? undefined : { ...shared, sessions, operators, isPassword: given.isPassword ?? quick },
  });
  onTestFinished(() => server.stop(0));
  const { port } = server.address;
  /** Path and query of a link, as a client asks for it here. */
  const local = (link: string): string => {
    const { pathname, search } = new URL(link);
    return pathname.slice(base.length) + search;
  };
  const jar = new Map<string, string>();
  async function get(path: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...(cookie === "" ? {} : { cookie }), ...(init.headers as Record<string, string>) };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual", ...init, headers });
    for (const set of answer.headers.getSetCookie()) {
      const [pair = "", ...rest] = set.split("; ");
      const [name = "", value = ""] = pair.split("=");
      if (rest.includes("Max-Age=0")) jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  }
  const link = local(links.of(fileId, rowWith().receivedAt));
  const expired = local(links.until(fileId, clock.now() - 1_000));
  return { server, port, clock, links, local, link, expired, get, jar, audited, lines, counted, store, rows };
}
