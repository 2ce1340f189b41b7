/** The preview of a file, made when somebody first asks for it and kept for those who ask again; a file never waits for one. */
import type { Stores } from "../model/blob.ts";
import type { FileRow } from "../model/files.ts";
import type { Ledger } from "../model/ledger.ts";
import type { Clock, Log, Metrics } from "../model/ports.ts";
import {
  isPicture,
  type NoPreview,
  type Preview,
  type Previewer,
  type PreviewOfFile,
  PreviewStopped,
} from "../model/preview.ts";
import type { BytesInUse } from "./bytes-in-use.ts";
import { asError } from "./faults.ts";

export interface PreviewPorts {
  readonly ledger: Pick<Ledger, "preview" | "previewBegun" | "previewLeft" | "previewDone">;
  readonly stores: Pick<Stores, "of">;
  readonly previewer: Pick<Previewer, "make">;
  /** The same as those have who delete: what is being made is not deleted meanwhile. */
  readonly bytes: BytesInUse;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** There are bytes to be deleted. */
  doomed(): void;
}

/** A process that ended in the middle of it says nothing of the picture, the first two times. */
const mostAttempts = 3;
/** Of a picture that was made here: what is larger in the store was put there by somebody else. */
const mostBytes = 1024 * 1024;

export function openPreviews(ports: PreviewPorts): PreviewOfFile {
  /** By content: those who ask while it is made wait for the same one. */
  const making = new Map<string, Promise<Preview | undefined>>();

  return async (file) => {
    if (file.status !== "stored" || file.storeKey === null) return undefined;
    if (!isPicture(file)) return { kind: "none", reason: "not_a_picture" };
    const known = await kept(file, ports);
    if (known !== undefined) return known;
    const key = `${file.tenant}/${file.sha256}`;
    const running = making.get(key);
    if (running !== undefined) return await running;
    const mine = made(file, file.storeKey, ports).finally(() => making.delete(key));
    making.set(key, mine);
    return await mine;
  };
}

async function kept({ tenant, sha256 }: FileRow, { ledger, stores, log }: PreviewPorts): Promise<Preview | undefined> {
  const row = await ledger.preview({ tenant, sha256 });
  if (row?.state === "none") return { kind: "none", reason: row.reason ?? "unreadable" };
  if (row?.state !== "made") return undefined;
  const opened = await stores.of(tenant).open(row.storeKey);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of opened?.plain ?? []) {
    bytes += chunk.length;
    if (bytes > mostBytes) break;
    chunks.push(chunk);
  }
  if (bytes > 0 && bytes <= mostBytes) return { kind: "made", bytes: Buffer.concat(chunks) };
  log.warn({ tenant }, "a preview is not in its store as its row says; it is made again");
  return undefined;
}

async function made(file: FileRow, original: string, ports: PreviewPorts): Promise<Preview | undefined> {
  const { tenant, sha256 } = file;
  const { ledger, stores, clock, metrics } = ports;
  const store = stores.of(tenant);
  const key = `preview/${tenant}/${sha256.slice(0, 2)}/${sha256}`;
  const storeKey = store.refOf(key);
  const held = await ports.bytes.hold(tenant, sha256);
  let isDoomed = false;
  try {
    const attempts = await ledger.previewBegun({ tenant, sha256, storeKey, now: clock.now() });
    if (attempts === undefined) return undefined;
    const started = clock.now();
    const preview = await orLeave(file, ports, async () => {
      const found = attempts > mostAttempts ? none("given_up") : await attempt(file, original, ports);
      if (found?.kind === "made") await store.put(key, once(found.bytes));
      return found;
    });
    if (preview === undefined) return undefined;
    metrics.count("previews_total", { outcome: preview.kind === "made" ? "made" : preview.reason });
    metrics.observe("preview_seconds", (clock.now() - started) / 1000);
    const reason = preview.kind === "made" ? null : preview.reason;
    const isShown = await ledger.previewDone({ tenant, sha256, storeKey, reason, now: clock.now() });
    isDoomed = !isShown || reason !== null;
    return isShown ? preview : undefined;
  } finally {
    held.release();
    if (isDoomed) ports.doomed();
  }
}

/** Where nothing is learnt of the picture (its store is away, the library does not start), it is no attempt at it. */
async function orLeave(
  { tenant, sha256 }: FileRow,
  { ledger, log }: PreviewPorts,
  work: () => Promise<Preview | undefined>,
): Promise<Preview | undefined> {
  let counts = false;
  try {
    const preview = await work();
    counts = preview !== undefined;
    return preview;
  } catch (error) {
    counts = error instanceof PreviewStopped;
    throw error;
  } finally {
    if (!counts)
      await ledger
        .previewLeft({ tenant, sha256 })
        .catch((error: unknown) => log.warn({ tenant, err: asError(error) }, "a preview that failed counts as tried"));
  }
}

async function attempt(file: FileRow, original: string, ports: PreviewPorts): Promise<Preview | undefined> {
  const opened = await ports.stores.of(file.tenant).open(original);
  if (opened === undefined) return undefined;
  try {
    return await ports.previewer.make(opened.plain, file.size);
  } finally {
    // Refused before it was read: its handle, or its socket, would stay open.
    if (!opened.plain.locked) await opened.plain.cancel().catch(() => undefined);
  }
}

const none = (reason: NoPreview): Preview => ({ kind: "none", reason });

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
