/** Examines where mails and files are kept: puts something there, gets it back whole and in part, signs a link where links are signed, deletes it. */
import { randomBytes, randomUUID } from "node:crypto";
import { type Ground, lifecycleRules } from "../../main.ts";
import type { Store } from "../../model/blob.ts";
import { Refused } from "../../model/outcome.ts";
import { sentenceOf } from "../exit.ts";
import { type Found, ok, problem, warning } from "./finding.ts";

/** More than two chunks of the sealed format, so that a part of it is a part there too. */
const probeBytes = 150_000;
/** More than a bucket is given at once: the rest of it goes by other calls, which a service may know, and a policy allow, or not. */
const largeBytes = 9 * 1024 * 1024;
const signedSeconds = 60;

export async function examineStores(ground: Ground): Promise<Found[]> {
  const used = ground.stores.used();
  const inBuckets = new Set(used.flatMap(({ tenants }) => tenants));
  const locals = ground.settings.tenants.filter(({ id }) => !inBuckets.has(id));
  const [first] = locals;
  const local = first === undefined ? [] : await tried("the local files", ground.stores.of(first.id), first.id);
  const remote: Found[] = [];
  for (const { bucket, storage, tenants } of used) {
    const [tenant = ""] = tenants;
    const found = await tried(bucket.title, ground.stores.of(tenant), tenant, probeLarge);
    remote.push(...found);
    if (found.some(({ level }) => level === "problem")) continue;
    for (const remark of await bucket.remarks())
      remote.push(
        warning("storage", `${bucket.title}: ${remark}`, "look at the bucket's settings, where that is not wanted"),
      );
    remote.push(...(await rulesOf(ground, bucket, storage.prefix)));
  }
  return [...local, ...remote];
}

async function tried(title: string, store: Store, tenant: string, more?: typeof probeLarge): Promise<Found[]> {
  try {
    const done = await probe(store, tenant);
    await more?.(store, tenant);
    return [ok("storage", `${title}: ${done}${more === undefined ? "" : "; the same with one of 9 MiB"}`)];
  } catch (error) {
    return [troubleOf(title, error)];
  }
}

/** What a person has to do stands in the sentence of a Refused already, behind its last colon. */
function troubleOf(title: string, error: unknown): Found {
  if (!(error instanceof Refused)) {
    return problem(
      "storage",
      `${title}: ${sentenceOf(error)}`,
      "look at the disk, and at the owner of the data folder",
    );
  }
  const { kind, reason } = error.failure;
  const mend =
    kind === "blocked"
      ? "mend `storage` in the configuration, or the bucket, as it says; until then mail stays in the ledger"
      : "look at `endpoint`, the network and the service's status page; until then mail stays in the ledger";
  return problem("storage", reason, mend);
}

/** Rejects with what is wrong; what it put is deleted in any case. */
async function probe(store: Store, tenant: string): Promise<string> {
  const bytes = randomBytes(probeBytes);
  const { ref } = await store.put(probeKey(tenant), inPieces(bytes));
  try {
    await same(store, ref, bytes);
    await same(store, ref, bytes.subarray(70_000, 140_001), { start: 70_000, end: 140_000 });
    const signed = await signedLink(store, ref, bytes);
    if (!(await store.delete(ref))) throw new Error("what was put was not there to be deleted");
    if ((await store.open(ref)) !== undefined) throw new Error("what was deleted is still there");
    return `put, got, got in part${signed ? ", signed a link" : ""}, deleted`;
  } catch (error) {
    await store.delete(ref).catch(() => undefined);
    throw error;
  }
}

const probeKey = (tenant: string): string => `attachment/${tenant}/doctor/${randomUUID()}`;

/** Rejects as `probe` does. */
async function probeLarge(store: Store, tenant: string): Promise<void> {
  const piece = randomBytes(64 * 1024);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < largeBytes; at += piece.length) yield piece;
  }
  const { ref } = await store.put(probeKey(tenant), pieces());
  try {
    await same(store, ref, piece, { start: largeBytes - piece.length, end: largeBytes - 1 });
  } finally {
    await store.delete(ref);
  }
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}

async function same(
  store: Store,
  ref: string,
  expected: Buffer,
  range?: { start: number; end: number },
): Promise<void> {
  const found = await store.open(ref, range);
  if (found === undefined) throw new Error("what was put cannot be found");
  const parts: Uint8Array[] = [];
  for await (const part of found.plain) parts.push(part);
  if (!Buffer.concat(parts).equals(expected)) throw new Error("what came back is not what was put");
}

/** False where files are sealed by us, and therefore streamed by us. */
async function signedLink(store: Store, ref: string, bytes: Buffer): Promise<boolean> {
  const download = { filename: "doctor.bin", contentType: "application/octet-stream", seconds: signedSeconds };
  const url = await store.presign?.(ref, download);
  if (url === undefined) return false;
  const answer = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(20_000) }).catch(
    (error: unknown) => {
      throw new Error(`a signed link to the bucket leads nowhere (${sentenceOf(error)})`, { cause: error });
    },
  );
  const body = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(`a signed link to the bucket is answered with ${answer.status}`);
  if (!body.equals(bytes)) throw new Error("a signed link to the bucket gives other bytes than were put");
  return true;
}

/** A rule of the bucket that is younger than the retention would delete what is still linked. */
async function rulesOf(
  { settings }: Ground,
  bucket: ReturnType<Ground["stores"]["used"]>[number]["bucket"],
  prefix: string,
): Promise<Found[]> {
  try {
    const { before, after } = await bucket.applyLifecycle(prefix, lifecycleRules(settings.retention, prefix), true);
    if (before.length === 0 || before.toSorted().join() === after.toSorted().join()) return [];
    const what = `${bucket.title} deletes by other ages than the configuration's: ${before.join("; ")}`;
    return [warning("storage", what, "mailwright storage apply-lifecycle")];
  } catch {
    // Not known there, or not allowed: then the bucket deletes nothing by itself.
    return [];
  }
}
