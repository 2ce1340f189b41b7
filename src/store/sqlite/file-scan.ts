/** Hands out contents for a scanner to look at, and writes down what it said. */
import type { FileToScan, ScanAgain } from "../../model/files.ts";
import type { Lease } from "../../model/ledger.ts";
import { furthestMs } from "./backstep.ts";
import { clip } from "./clip.ts";
import type { Connection } from "./connection.ts";
import { fairShares } from "./fair.ts";
import { openFence } from "./fence.ts";
import { living, type ScanColumns, scanOf } from "./file-rows.ts";
import type { Operations } from "./operations.ts";

interface Row extends ScanColumns {
  id: number;
  tenant: string;
  sha256: string;
  size: number;
  store_key: string;
  attempts: number;
}

export function openFilesToScan(db: Connection): Operations["filesToScan"] {
  const nextFence = openFence(db);
  const expire = db.prepare(
    "UPDATE content SET lease = NULL, lease_until = NULL, turn = 0 WHERE lease IS NOT NULL AND lease_until <= ?",
  );
  const bound = db.prepare("UPDATE content SET due_at = $most WHERE turn = 1 AND due_at > $most");
  const comeDue = db.prepare("UPDATE content SET turn = 0 WHERE turn = 1 AND due_at <= ?");
  const waiting = openWaiting(db);
  const take = db.prepare<[string, number, number], Row>(
    `UPDATE content SET turn = 2, lease = ?, lease_until = ?, attempts = attempts + 1 WHERE id = ?
       RETURNING id, tenant, sha256, size, store_key, attempts, scan, engine, signatures, scanned_at, scan_detail`,
  );
  return (request) => {
    const { now, leaseMs } = request;
    expire.run(now);
    bound.run({ most: now + furthestMs });
    comeDue.run(now);
    const ids = waiting(request);
    if (ids.length === 0) return [];
    const lease: Lease = { token: nextFence(), until: now + leaseMs };
    return ids.flatMap((id): FileToScan[] => {
      const row = take.get(lease.token, lease.until, id);
      if (row === undefined) return [];
      const { tenant, sha256, size, store_key: storeKey, attempts } = row;
      return [{ lease, tenant, sha256, size, storeKey, attempts, scan: scanOf(row) }];
    });
  };
}

interface Wanted {
  tenant: string;
  store: string;
  room: number;
}

/** A content, and its place in the order. */
interface Next {
  id: number;
  at: number;
}

/** Of those that nobody has in hand, in the order in which they are to be looked at. */
function openWaiting(db: Connection): (request: Parameters<Operations["filesToScan"]>[0]) => readonly number[] {
  const storesOf = openStoresOf(db);
  const select = <W extends Wanted>(index: string, where: string, at: string) =>
    db.prepare<[W], Next>(
      `SELECT id, ${at} AS at FROM content INDEXED BY ${index} WHERE tenant = $tenant AND store = $store AND ${where}
         ORDER BY ${at}, id LIMIT $room`,
    );
  const fresh = select("content_new", "turn = 0 AND attempts = 0", "id");
  const retried = select("content_retried", "turn = 0 AND attempts > 0", "due_at");
  const unasked = select("content_skipped", "turn = 3 AND scan = 'skipped' AND store_key IS NOT NULL", "id");
  const looked = select<Wanted & ScanAgain>(
    "content_scanned",
    "turn = 3 AND store_key IS NOT NULL AND scanned_at < $before AND ($signatures IS NULL OR signatures IS NOT $signatures)",
    "scanned_at",
  );
  /** Whose retries come first next time. */
  const retriesFirst = new Set<string>();

  /** What never gives a verdict is tried for ever, and must not keep new mail waiting for that; nor new mail it. */
  function due(tenant: string, [first, second]: readonly [readonly number[], readonly number[]]): readonly number[] {
    const both = retriesFirst.delete(tenant) ? [second, first] : [first, second];
    if (both[0] === first) retriesFirst.add(tenant);
    const [one = [], other = []] = both;
    const longest = Math.max(one.length, other.length);
    return Array.from({ length: longest }, (_, at) => [...one.slice(at, at + 1), ...other.slice(at, at + 1)]).flat();
  }

  return ({ tenants, room, away = [], skipped, again }) => {
    /** What lies in a store that is away is stepped over, and not read through. */
    const inStores = (tenant: string, most: number, find: (wanted: Wanted) => readonly Next[]): readonly number[] => {
      const closed = away.filter((one) => one.tenant === tenant).map(({ store }) => store);
      const open = storesOf(tenant).filter((store) => !closed.includes(store));
      const found = open.flatMap((store) => find({ tenant, store, room: most }));
      if (open.length > 1) found.sort((a, b) => a.at - b.at || a.id - b.id);
      return found.slice(0, most).map(({ id }) => id);
    };
    const shares = (find: (wanted: Wanted) => readonly Next[]) =>
      fairShares({ tenants, room }, (tenant, most) => inStores(tenant, most, find));
    let ids = fairShares({ tenants, room }, (tenant, most) =>
      due(tenant, [
        inStores(tenant, most, (wanted) => fresh.all(wanted)),
        inStores(tenant, most, (wanted) => retried.all(wanted)),
      ]),
    );
    if (ids.length === 0 && skipped === true) ids = shares((wanted) => unasked.all(wanted));
    if (ids.length === 0 && again !== undefined) ids = shares((wanted) => looked.all({ ...wanted, ...again }));
    return ids;
  };
}

/** A tenant has a few at most, however many contents: each is found by one step in the index behind the one before. */
function openStoresOf(db: Connection): (tenant: string) => readonly string[] {
  const least = (than: string) =>
    db
      .prepare<[string, string], string | null>(
        `SELECT min(store) FROM content INDEXED BY content_store WHERE tenant = ? AND store ${than} ? AND store_key IS NOT NULL`,
      )
      .pluck();
  const [first, next] = [least(">="), least(">")];
  return (tenant) => {
    const stores: string[] = [];
    for (let last = first.get(tenant, ""); typeof last === "string"; last = next.get(tenant, last)) stores.push(last);
    return stores;
  };
}

/** A message waits this long at most for the scans of its other files, before it is planned again for those that have a verdict. */
const togetherMs = 3 * 60_000;

export function openFilesScanned(db: Connection): Operations["filesScanned"] {
  const held = db.prepare<[string, string, string], { id: number; scan: string; scan_detail: string | null }>(
    "SELECT id, scan, scan_detail FROM content WHERE sha256 = ? AND tenant = ? AND lease = ?",
  );
  const write = db.prepare(
    `UPDATE content SET scan = $status, engine = $engine, signatures = $signatures, scanned_at = $at, scan_detail = $detail,
       lease = NULL, lease_until = NULL, turn = iif($dueAt IS NULL, 3, 1), due_at = coalesce($dueAt, 0),
       attempts = iif($dueAt IS NULL, 0, attempts) WHERE id = $id`,
  );
  const carriers = (statuses: string) =>
    db
      .prepare<[string, string], number>(
        `SELECT event FROM file WHERE sha256 = ? AND tenant = ? AND kept = 1 AND decided IS NULL AND status IN ${statuses}`,
      )
      .pluck();
  const all = carriers(living);
  const undecided = carriers("('checking')");
  const others = db
    .prepare<[number], number>(
      `SELECT 1 FROM file f JOIN content c ON c.sha256 = f.sha256 AND c.tenant = f.tenant
         WHERE f.event = ? AND f.status = 'checking' AND c.scan IN ('pending', 'skipped') AND c.turn <> 3 LIMIT 1`,
    )
    .pluck();
  const due = db.prepare(
    "UPDATE filing SET turn = iif(lease IS NULL, 0, turn), again = iif(lease IS NULL, 0, 1), due_at = 0 WHERE event = ?",
  );
  const dueSoon = db.prepare("UPDATE filing SET turn = 1, due_at = $at WHERE event = $event AND turn = 3");
  const dueOnceMore = db.prepare("UPDATE filing SET again = 1 WHERE event = ? AND lease IS NOT NULL");

  return ({ tenant, sha256, lease, now, scan, dueAt }) => {
    const content = held.get(sha256, tenant, lease.token);
    if (content === undefined) return false;
    const detail = scan.detail === null ? null : clip(scan.detail);
    write.run({ ...scan, at: scan.at ?? now, detail, dueAt, id: content.id });
    // One that is judged without a scanner again may have had a mail wait for its verdict.
    const news = isNews(content, { status: scan.status, detail });
    if (!news && !(scan.status === "skipped" && dueAt === null)) return true;
    for (const event of new Set((news ? all : undecided).all(sha256, tenant))) {
      if (others.get(event) === undefined) due.run(event);
      else {
        dueSoon.run({ event, at: now + togetherMs });
        dueOnceMore.run(event);
      }
    }
    return true;
  };
}

/** Why there is no verdict changes with every try while a scanner is in trouble: no reason to plan each mail again. */
function isNews(
  before: { readonly scan: string; readonly scan_detail: string | null },
  { status, detail }: { readonly status: string; readonly detail: string | null },
): boolean {
  if (before.scan !== status) return true;
  if (status === "skipped") return (before.scan_detail === null) !== (detail === null);
  return status !== "unscanned" && before.scan_detail !== detail;
}

/** When something comes due by itself; what is due already is for whoever has room, and for tenants that somebody works for. */
export function openFilesDueAt(db: Connection): Operations["filesDueAt"] {
  const first = (sql: string) => db.prepare<[number], number>(sql).pluck();
  const earliest = (table: "filing" | "content") => [
    first(`SELECT due_at FROM ${table} WHERE turn = 1 AND due_at > ? ORDER BY due_at LIMIT 1`),
    first(`SELECT lease_until FROM ${table} WHERE lease IS NOT NULL AND lease_until > ? ORDER BY lease_until LIMIT 1`),
  ];
  const keeping = earliest("filing");
  const scanning = earliest("content");
  const least = (statements: typeof keeping, now: number) => {
    const times = statements.flatMap((statement) => statement.get(now) ?? []);
    return times.length === 0 ? null : Math.min(...times);
  };
  const planning = db
    .prepare<[], number>("SELECT min(plan_at) FROM filing INDEXED BY filing_plan_at WHERE change > 0")
    .pluck();
  return (now) => ({
    keeping: least(keeping, now),
    scanning: least(scanning, now),
    planning: planning.get() ?? null,
  });
}
