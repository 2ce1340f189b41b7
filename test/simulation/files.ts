/** The files of a world's mails: what is attached, the store that keeps it, who takes it out and who scans it; and what has to have become of it. */
import { createHash } from "node:crypto";
import type { Store } from "../../src/model/blob.ts";
import { ExtractFailed, type FileExtractor, type Scanner } from "../../src/model/checking.ts";
import type { FileRow, FileStatus } from "../../src/model/files.ts";
import type { EventRow } from "../../src/model/ledger.ts";
import type { Clock } from "../../src/model/ports.ts";
import type { Chance } from "./chance.ts";
import type { World } from "./world.ts";

export interface AttachedFile {
  readonly filename: string;
  readonly content: string;
}

const boundary = "=_files";
/** Few, so that the same ones come with many mails. */
const pool: readonly AttachedFile[] = [
  { filename: "offer.pdf", content: "an offer\n".repeat(400) },
  { filename: "logo.png", content: "a logo" },
  { filename: "other name.png", content: "a logo" },
  { filename: "empty.txt", content: "" },
  { filename: "invoice.pdf", content: "a virus in an invoice" },
  { filename: "setup.exe", content: "MZ a program" },
  { filename: "renamed.pdf", content: "MZ a program" },
];

export function attach(chance: Chance): readonly AttachedFile[] {
  if (!chance.flip(0.45)) return [];
  return Array.from({ length: chance.between(1, 3) }, () => chance.pick(pool));
}

/** Header lines and body of a mail that carries them. */
export function withAttached(body: string, files: readonly AttachedFile[]): { head: string[]; body: string[] } {
  if (files.length === 0) return { head: [], body: [body] };
  const parts = files.flatMap(({ filename, content }) => [
    `--${boundary}`,
    `Content-Type: application/octet-stream; name="${filename}"`,
    "Content-Transfer-Encoding: base64",
    `Content-Disposition: attachment; filename="${filename}"`,
    "",
    Buffer.from(content).toString("base64"),
  ]);
  return {
    head: ["MIME-Version: 1.0", `Content-Type: multipart/mixed; boundary="${boundary}"`],
    body: [`--${boundary}`, "Content-Type: text/plain", "", body, ...parts, `--${boundary}--`],
  };
}

/** By reference, as they are after a crash: what was put and acknowledged is there. */
export interface FileStore {
  readonly store: Store;
  readonly kept: Map<string, Buffer>;
  failing(share: number): void;
}

export function openFileStore(chance: Chance): FileStore {
  const kept = new Map<string, Buffer>();
  let share = 0;
  async function call<T>(work: () => T): Promise<T> {
    if (chance.flip(share / 2)) throw new Error("503: the store did nothing");
    const value = work();
    if (chance.flip(share / 2)) throw new Error("the answer of the store was lost");
    return value;
  }
  const store: Store = {
    refOf: (key) => `sim:${key}`,
    async put(key, plain) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of plain) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      return await call(() => {
        kept.set(`mem:${key}`, bytes);
        return { ref: `mem:${key}`, bytes: bytes.length };
      });
    },
    open: (ref) =>
      call(() => {
        const bytes = kept.get(ref);
        return bytes === undefined
          ? undefined
          : { plain: new Blob([new Uint8Array(bytes)]).stream(), size: bytes.length };
      }),
    delete: (ref) => call(() => kept.delete(ref)),
    async *list() {},
  };
  return {
    store,
    kept,
    failing(given) {
      share = given;
    },
  };
}

/** Reads what `withAttached` wrote. `breaks` says whether the reader is killed this time. */
export function openExtractor(breaks: () => boolean): FileExtractor {
  return {
    async extract(raw, parts, each) {
      const chunks: Uint8Array[] = [];
      try {
        for await (const chunk of await raw()) chunks.push(chunk);
      } catch (error) {
        throw new ExtractFailed("raw", "the raw bytes could not be read", error);
      }
      const pieces = Buffer.concat(chunks).toString("latin1").split(`--${boundary}`).slice(1, -1);
      const found = [];
      for (const [index, piece] of pieces.entries()) {
        const partId = String(index + 1);
        if (!parts.includes(partId)) continue;
        if (breaks()) throw new ExtractFailed("closed", "the reader was stopped");
        const bytes = Buffer.from(piece.slice(piece.indexOf("\r\n\r\n")).trim(), "base64");
        await each({ partId, bytes: once(bytes) });
        const findings = bytes.subarray(0, 2).toString() === "MZ" ? [{ code: "executable", detail: null }] : [];
        const sha256 = createHash("sha256").update(bytes).digest("hex");
        found.push({ partId, sha256, size: bytes.length, inspection: { detectedType: null, findings } });
      }
      return found;
    },
    close: async () => undefined,
  };
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

export function openFileScanner(clock: Clock, answers: () => boolean, version: () => string): Scanner {
  return {
    async scan(bytes) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytes) chunks.push(chunk);
      const at = clock.now();
      if (!answers())
        return { status: "unscanned", engine: null, signatures: null, at, detail: "the scanner did not answer" };
      const isVirus = Buffer.concat(chunks).toString().includes("virus");
      const detail = isVirus ? "Test.Virus" : null;
      return { status: isVirus ? "infected" : "clean", engine: "test", signatures: version(), at, detail };
    },
    signatures: async () => version(),
    close: async () => undefined,
  };
}

const wantedOf = ({ filename, content }: AttachedFile): FileStatus => {
  if (filename.endsWith(".exe") || content.startsWith("MZ")) return "stripped";
  return content.includes("virus") ? "quarantined" : "stored";
};

type Say = (what: string) => void;

/** No file without a row, no row `stored` without its file, nothing served that was not scanned, and the CRM says of each what its row says. */
export async function filesVerdict(
  { ledger, files, records, witness }: World,
  rows: readonly EventRow[],
  attachedOf: (row: EventRow) => readonly AttachedFile[] | undefined,
  say: Say,
): Promise<void> {
  const needed = new Set<string>();
  for (const event of rows) {
    const attached = attachedOf(event) ?? [];
    const found = await ledger.files({ event: event.eventId, limit: 100 });
    const parsed = event.parseStatus === "ok";
    if (parsed && found.length !== attached.length)
      say(`FILES: ${event.eventId} has ${found.length} rows for ${attached.length} files`);
    for (const [index, row] of found.entries()) {
      const file = attached[index];
      if (file === undefined) continue;
      witness.saw(`file ${row.status}`);
      rowIsRight(row, file, files.kept, say);
      if (row.storeKey !== null) needed.add(row.storeKey);
    }
    if (parsed) crmSays(event, found, records.list("activity", { tenant: event.tenant, limit: 10_000 }), say);
  }
  for (const ref of files.kept.keys()) if (!needed.has(ref)) say(`FILES: the store keeps ${ref}, which nobody needs`);
  const doomed = await ledger.filesToDelete({ limit: 5 });
  if (doomed.length > 0) say(`FILES: ${doomed.length} contents wait to be deleted`);
}

function rowIsRight(row: FileRow, file: AttachedFile, kept: ReadonlyMap<string, Buffer>, say: Say): void {
  const where = `FILES: ${file.filename} of ${row.eventId}`;
  if (row.status !== wantedOf(file)) say(`${where} is ${row.status} (${row.reason}), scan ${row.scan.status}`);
  if (row.status === "stored" && row.scan.status !== "clean") say(`${where} is served, scan ${row.scan.status}`);
  if (row.storeKey === null) return;
  const bytes = kept.get(row.storeKey);
  if (bytes === undefined) say(`${where}: its bytes are not in the store`);
  else if (bytes.toString() !== file.content) say(`${where}: its bytes are others`);
}

/** In the CRM that we can read: the list of the activity is that of the rows. */
function crmSays(
  event: EventRow,
  rows: readonly FileRow[],
  activities: readonly { readonly fields: Readonly<Record<string, unknown>> }[],
  say: Say,
): void {
  const delivery = event.deliveries.find(({ lane }) => lane.endsWith("/crm"));
  const activity = activities.find(({ fields }) => fields.event_id === event.eventId);
  if (delivery?.state !== "processed" || activity === undefined) return;
  const listed = activity.fields.attachments as readonly { id?: string; status?: string }[];
  const told = JSON.stringify(listed.map(({ id, status }) => [id, status]));
  const known = JSON.stringify(rows.map(({ id, status }) => [id, status]));
  if (told !== known) say(`FILES: ${delivery.lane} lists ${told} for ${event.eventId}, whose rows are ${known}`);
}
