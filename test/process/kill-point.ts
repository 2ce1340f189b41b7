/**
 * Loaded into a daemon or a command before anything else (`--import`): kills its process with SIGKILL at one named write on the way of a file, or
 * writes down which of them it came by. A point is `<what> before` or `<what> after`; KILL_AT is `<point>#<how often it is passed>`.
 */
import { appendFileSync } from "node:fs";
import fsp, { type FileHandle } from "node:fs/promises";
import http from "node:http";
import { createRequire, syncBuiltinESMExports } from "node:module";

const [wanted = "", times = "1"] = (process.env.KILL_AT ?? "").split("#");
const record = process.env.KILL_RECORD;
let passed = 0;

function pass(point: string): void {
  if (record !== undefined) appendFileSync(record, `${point}\n`);
  if (point === wanted && ++passed === Number(times)) process.kill(process.pid, "SIGKILL");
}

async function around<T>(what: string, work: () => Promise<T>): Promise<T> {
  pass(`${what} before`);
  const done = await work();
  pass(`${what} after`);
  return done;
}

/** `attachment`, `preview`, `raw` or `draft`; undefined for what is no file of a store. */
function classOf(path: unknown): string | undefined {
  const below = /\/blobs\/([\w.]+)/.exec(String(path))?.[1];
  return below === ".drafts" ? "draft" : below;
}

function watchDisk(): void {
  const { open, rename, unlink, mkdir } = fsp;
  const counted = (what: string, handle: FileHandle): FileHandle => {
    const { write, sync } = handle;
    handle.write = ((...args: Parameters<typeof write>) =>
      around(`${what} write`, () => write.apply(handle, args))) as typeof write;
    handle.sync = () => around(`${what} fsync`, () => sync.call(handle));
    return handle;
  };
  fsp.open = async (path, flags, mode) => {
    const kind = classOf(path);
    if (kind === undefined) return await open(path, flags, mode);
    if (flags === "wx") return counted(kind, await around(`${kind} create`, () => open(path, flags, mode)));
    const handle = await open(path, flags, mode);
    return counted(`${kind} folder`, handle);
  };
  fsp.rename = async (from, to) => {
    const kind = classOf(to);
    await (kind === undefined ? rename(from, to) : around(`${kind} rename`, () => rename(from, to)));
  };
  fsp.unlink = async (path) => {
    const kind = classOf(path);
    await (kind === undefined ? unlink(path) : around(`${kind} unlink`, () => unlink(path)));
  };
  fsp.mkdir = (async (path: string, options: object) => {
    const kind = classOf(path);
    return await (kind === undefined ? mkdir(path, options) : around(`${kind} mkdir`, () => mkdir(path, options)));
  }) as typeof mkdir;
  syncBuiltinESMExports();
}

/** What a store elsewhere is asked: before the request leaves, and when its answer has begun to come in. */
function watchBucket(): void {
  const { request } = http;
  http.request = ((...args: Parameters<typeof request>) => {
    const options = args.find((one): one is http.RequestOptions => typeof one === "object" && one !== null);
    const { method = "GET", path = "" } = options ?? {};
    const kind = /\/mw\/(attachment|preview|raw)\//.exec(String(path))?.[1];
    if (kind === undefined) return request(...args);
    const what = `bucket ${method} ${kind}${/partNumber=/.test(String(path)) ? " part" : /uploads?(?:Id)?=/.test(String(path)) ? " upload" : ""}`;
    pass(`${what} before`);
    return request(...args).once("response", () => pass(`${what} after`));
  }) as typeof request;
  syncBuiltinESMExports();
}

interface Statement {
  readonly source: string;
  run(...args: unknown[]): unknown;
  get(...args: unknown[]): unknown;
  all(...args: unknown[]): unknown;
}

/** Writes to the tables of files, by what they set; and the commit of a transaction with such a write in it. */
function watchLedger(): void {
  const Database = createRequire(import.meta.url)("better-sqlite3") as {
    new (path: string): { prepare(sql: string): Statement; close(): void };
  };
  const db = new Database(":memory:");
  const prototype = Object.getPrototypeOf(db.prepare("SELECT 1")) as Statement;
  db.close();
  let last: string | undefined;
  for (const name of ["run", "get", "all"] as const) {
    const real = prototype[name];
    prototype[name] = function (this: Statement, ...args: unknown[]): unknown {
      const what = writeOf(this.source);
      if (what === "COMMIT") {
        const of = last;
        last = undefined;
        if (of === undefined) return real.apply(this, args);
        pass(`commit of ${of} before`);
        const done = real.apply(this, args);
        pass(`commit of ${of} after`);
        return done;
      }
      const done = real.apply(this, args);
      if (what !== undefined && isChange(done)) {
        last = what;
        pass(`row ${what} after`);
      }
      return done;
    };
  }
}

/** One that found no row wrote nothing. */
function isChange(done: unknown): boolean {
  if (done === undefined || (Array.isArray(done) && done.length === 0)) return false;
  return !(typeof done === "object" && done !== null && "changes" in done && done.changes === 0);
}

const known = new Map<string, string | undefined>();

function writeOf(sql: string): string | undefined {
  if (known.has(sql)) return known.get(sql);
  const words = sql.replaceAll(/\s+/g, " ").trim();
  const table = /^(?:UPDATE|INSERT(?: OR IGNORE)? INTO|DELETE FROM) (file|filing|content|doomed|preview|audit)\b/.exec(
    words,
  );
  const short = words.replace("OR IGNORE ", "").replace("INSERT INTO", "INSERT").replace("DELETE FROM", "DELETE");
  const what =
    words === "COMMIT"
      ? words
      : table === null
        ? undefined
        : short
            .replaceAll(/[^\w ]/g, "")
            .replaceAll(/ +/g, " ")
            .split(" ")
            .slice(0, 6)
            .join(" ");
  known.set(sql, what);
  return what;
}

if (wanted !== "" || record !== undefined) {
  watchDisk();
  watchBucket();
  watchLedger();
}
