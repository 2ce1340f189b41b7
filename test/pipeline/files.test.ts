/** The side road of files, on a real ledger: what is kept, scanned and deleted, and what becomes of it when something is away or breaks. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ExtractFailed } from "../../src/model/checking.ts";
import type { FileRow } from "../../src/model/files.ts";
import type { Ledger } from "../../src/model/ledger.ts";
import type { Step } from "../../src/model/step.ts";
import { startFiles } from "../../src/pipeline/files.ts";
import { readSteps, writeMail } from "../../src/pipeline/stored.ts";
import { openLedger } from "../../src/store/index.ts";
import { Chance } from "../simulation/chance.ts";
import { turn, VirtualTime } from "../simulation/clock.ts";
import { type MemoryDisk, openMemoryDisk } from "../simulation/disk.ts";
import { message, preparedOf, skip, steps } from "../store/contract/world.ts";
import {
  listed,
  type MemoryStores,
  memoryStores,
  rawWith,
  sha256,
  type TestExtractor,
  type TestScanner,
  testExtractor,
  testJudge,
  testScanner,
} from "../support/file-room.ts";
import { type Kept, keeping, openSealer, plainRandom } from "./fakes.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

let time: VirtualTime;
let ledger: Ledger;
let disk: MemoryDisk;
let kept: Kept;
let stores: MemoryStores;
let extractor: TestExtractor;
let scanner: TestScanner;
let planned: number;
/** Plans are written that cannot be read. */
let unreadable: boolean;
let running: ReturnType<typeof startFiles> | undefined;

beforeEach(async () => {
  time = new VirtualTime();
  ledger = await openLedger({ path: ":memory:", thread: "calling" });
  disk = openMemoryDisk(openSealer, time.clock(), new Chance("files"));
  kept = keeping();
  stores = memoryStores();
  extractor = testExtractor();
  scanner = testScanner(time.clock());
  planned = 0;
  unreadable = false;
  running = undefined;
});
afterEach(async () => {
  await stop();
  await ledger.close();
});

function start(options: { scanner?: TestScanner | undefined; tenants?: string[] } = {}): void {
  running = startFiles(options.tenants ?? ["acme", "umbrella"], {
    ledger,
    stores,
    extractor,
    scanner: "scanner" in options ? options.scanner : scanner,
    judge: testJudge,
    scanWidth: 2,
    spool: disk.spool,
    blobs: disk.blobs,
    sealer: openSealer,
    clock: time.clock(),
    random: plainRandom(),
    log: kept.log,
    metrics: kept.metrics,
    refiled: () => planned++,
  });
}

async function stop(): Promise<void> {
  const parts = running?.parts ?? [];
  running = undefined;
  await Promise.all(parts.map((part) => part.stop()));
}

/** Lets everything run that waits for no time. */
async function settle(): Promise<void> {
  for (let quiet = 0; quiet < 20; quiet++) await turn();
}

/** In steps: what is in hand must come to its end before its lease does. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    await time.advance(Math.min(left, stepMs));
    await settle();
  }
}
const stepMs = 15 * 60_000;

interface MailOptions {
  readonly tenant?: string;
  readonly plan?: ReturnType<typeof steps> | ReturnType<typeof skip>;
  /** Where the message itself is; else in the ledger. */
  readonly spool?: string;
  readonly lists?: Readonly<Record<string, string>>;
  /** What all its files are called. */
  readonly called?: string;
}

async function mail(name: string, files: Readonly<Record<string, string>>, options: MailOptions = {}): Promise<string> {
  const { tenant = "acme", plan = steps(`activity-${name}`), spool, lists = files, called } = options;
  const raw =
    spool === undefined
      ? ({ kind: "inline", sealed: openSealer.seal(rawWith(files), "raw") } as const)
      : ({ kind: "spool", name: spool } as const);
  await ledger.accept([message(name, { tenant, raw, receivedAt: time.trueNow })]);
  const rows = listed(name, lists);
  await plan_(tenant, plan, called === undefined ? rows : rows.map((row) => ({ ...row, filename: called })));
  running?.listed();
  await settle();
  return `event-${name}`;
}

/** Prepares what waits; the files are those of the newest. */
async function plan_(tenant: string, plan: NonNullable<MailOptions["plan"]>, files: ReturnType<typeof listed> = []) {
  const now = time.trueNow;
  const attempts = await ledger.attempt({ tenants: [tenant], room: 100, now, leaseMs: minute });
  const written = plan.kind === "steps" ? { ...plan, sealedSteps: sealedPlan(plan, files) } : plan;
  const items = attempts.map((attempt) => ({
    ...preparedOf(attempt, { [`${tenant}/crm`]: written }, { now }),
    sealedEvent: openSealer.seal(writeMail(eventOf), `event ${attempt.eventId}`),
  }));
  await ledger.prepare(items.map((item, at) => (at === items.length - 1 ? { ...item, files } : item)));
}

const eventOf = { message: { text: "Dear Ada", html: null, attachments: [] } };

/** Its activities list the files. */
function sealedPlan(plan: Extract<ReturnType<typeof steps>, { kind: "steps" }>, files: ReturnType<typeof listed>) {
  const attachments = files.map(({ id, filename, contentType, size }) => {
    return { filename, content_type: contentType, size, id, status: "checking", reason: null, url: `/a/${id}` };
  });
  const whole = plan.steps.map((step) => ({ ...step, text: 1, html: null, about: [], attachments }));
  return openSealer.seal(Buffer.from(unreadable ? "{" : JSON.stringify(whole)), "steps");
}

/** As the plan of its lane says now. */
async function planned_(event: string): Promise<Step[]> {
  const [row] = await ledger.find({ event, limit: 1 });
  const sealed = await ledger.steps(row?.deliveries[0]?.id ?? 0);
  const body = row?.sealedEvent;
  if (sealed === undefined || body === undefined) throw new Error("there is no plan");
  return readSteps(openSealer.open(sealed).plain, () => openSealer.open(body).plain);
}

const file = async (id: string): Promise<FileRow> => {
  const [row] = await ledger.files({ id, limit: 1 });
  if (row === undefined) throw new Error(`no file ${id}`);
  return row;
};
const status = async (id: string): Promise<string> => (await file(id)).status;
const puts = () => stores.calls.filter((call) => call.startsWith("put"));
const keyOf = (text: string, tenant = "acme") => `attachment/${tenant}/${sha256(text).slice(0, 2)}/${sha256(text)}`;

describe("the files of a message", () => {
  test("are put into the tenant's store under their content, scanned, and served only after that", async () => {
    start();
    let seen = "";
    stores.beforePut = async () => {
      seen = await status("a/2");
    };
    scanner.says = () => ({ status: "clean", detail: null });
    await mail("a", { 2: "an offer", 3: "a macro" });
    expect(seen).toBe("checking");
    expect([...stores.kept.keys()].sort()).toEqual([`mem:${keyOf("an offer")}`, `mem:${keyOf("a macro")}`].sort());
    expect(await file("a/2")).toMatchObject({ status: "stored", scan: { status: "clean", signatures: "s1" } });
    expect(await file("a/3")).toMatchObject({ status: "quarantined", reason: "It has macros." });
    expect(planned).toBeGreaterThan(0);
    expect(kept.counts.get("attachments_processed_count stored")).toBe(1);
    expect(kept.counts.get("attachments_processed_count quarantined")).toBe(1);
  });

  test("lead to one more plan for all of them, not to one for each", async () => {
    start();
    await mail("a", Object.fromEntries(Array.from({ length: 12 }, (_, n) => [String(n + 2), `file ${n}`])));
    const lines = (await ledger.story("event-a")).filter(({ what }) => what.includes("planned again"));
    expect(lines.map(({ detail }) => detail)).toEqual(["12 stored"]);
  });

  test("change nothing of a message but what its activity lists of them, without another parse", async () => {
    start();
    const event = await mail("a", { 2: "an offer", 3: "a virus" });
    const before = (await ledger.find({ event, limit: 1 }))[0];
    expect(before).toMatchObject({ stage: "prepared", parseAttempts: 1 });
    const [activity, change, ...none] = await planned_(event);
    const says = [
      { id: "a/2", status: "stored", reason: null, url: "/a/a/2" },
      { id: "a/3", status: "quarantined", reason: "Scan: Eicar", url: "/a/a/3" },
    ];
    expect(activity).toMatchObject({
      key: "activity-a",
      why: "because of activity-a",
      text: "Dear Ada",
      attachments: says,
    });
    expect(change).toMatchObject({ kind: "file", activity: "activity-a", files: says, generation: 1 });
    expect(change?.kind === "file" && change.was.at(-1)).toMatchObject([
      { status: "checking" },
      { status: "checking" },
    ]);
    expect(none).toEqual([]);
    await ledger.decideFile({ id: "a/3", answer: "release", by: "ada", note: null, now: time.trueNow });
    for (const part of running?.parts ?? []) part.wake();
    await settle();
    expect((await planned_(event))[0]).toMatchObject({ attachments: [{ status: "stored" }, { status: "stored" }] });
    expect(kept.counts.get("defects_total refiling")).toBeUndefined();
  });

  test("of a message whose plan cannot be read are told to it later, and those of others meanwhile", async () => {
    unreadable = true;
    start();
    await mail("a", { 2: "an offer" });
    unreadable = false;
    await mail("b", { 2: "another" });
    expect((await planned_("event-b"))[0]).toMatchObject({ attachments: [{ status: "stored" }] });
    expect(kept.counts.get("defects_total refiling")).toBe(1);
    await pass(10 * second);
    expect(kept.counts.get("defects_total refiling")).toBe(2);
  });

  test("of one content are put once and scanned once, in one mail and in many, each judged by its own name", async () => {
    start();
    await mail("a", { 2: "MZ tool", 3: "the same", 4: "the same" });
    await mail("b", { 2: "the same" });
    expect(puts()).toEqual([`put ${keyOf("the same")}`]);
    expect(scanner.scanned).toEqual(["the same"]);
    expect(await status("a/2")).toBe("stripped");
    for (const id of ["a/3", "a/4", "b/2"]) expect(await status(id), id).toBe("stored");
    expect(extractor.asked).toEqual([["3", "4"]]);
    await mail("c", { 2: "the same" }, { tenant: "umbrella" });
    expect(puts().at(-1)).toBe(`put ${keyOf("the same", "umbrella")}`);
  });

  test("of one content are looked into once for each name, put once, and what was found under one name says nothing of another", async () => {
    start();
    extractor.finds = () => [{ code: "executable", detail: null }];
    await mail("a", { 2: "a letter" }, { called: "letter.pdf.scr" });
    expect(await status("a/2")).toBe("stripped");
    extractor.finds = () => [];
    await mail("b", { 2: "a letter" }, { called: "letter.txt" });
    expect(await file("b/2")).toMatchObject({ status: "stored", inspection: { findings: [] } });
    await mail("c", { 2: "a letter" }, { called: "letter.txt" });
    expect(await status("c/2")).toBe("stored");
    expect(extractor.asked).toHaveLength(2);
    const before = puts().length;
    extractor.finds = () => [{ code: "type_mismatch", detail: null }];
    await mail("d", { 2: "a letter" }, { called: "letter.png" });
    expect(extractor.asked).toHaveLength(3);
    expect(puts()).toHaveLength(before);
    expect([await status("b/2"), await status("c/2"), await status("d/2")]).toEqual([
      "stored",
      "stored",
      "quarantined",
    ]);
  });

  test("that two messages bring at once are put once", async () => {
    start();
    const gate = Promise.withResolvers<void>();
    stores.beforePut = () => gate.promise;
    await mail("a", { 2: "the same" });
    await mail("b", { 2: "the same" });
    expect(extractor.asked).toHaveLength(2);
    gate.resolve();
    await settle();
    expect(puts()).toHaveLength(1);
    expect([await status("a/2"), await status("b/2")]).toEqual(["stored", "stored"]);
  });

  test("are judged by structure alone where no scanner is configured", async () => {
    start({ scanner: undefined });
    await mail("a", { 2: "an offer", 3: "a virus" });
    expect(await file("a/3")).toMatchObject({ status: "stored", scan: { status: "skipped" } });
  });

  test("that wait for a scanner are judged without, once none is configured any more", async () => {
    scanner.says = () => ({ status: "unscanned", detail: "no answer" });
    start();
    await mail("a", { 2: "an offer" });
    expect(await status("a/2")).toBe("quarantined");
    await stop();
    start({ scanner: undefined });
    await pass(hour);
    expect(await status("a/2")).toBe("stored");
  });

  test("without bytes and with many are kept like others", async () => {
    start();
    await mail("a", { 2: "", 3: "x".repeat(200_000) });
    expect([await status("a/2"), await status("a/3")]).toEqual(["stored", "stored"]);
    expect(stores.kept.get(`mem:${keyOf("")}`)?.length).toBe(0);
  });

  test("of an automated mail that is skipped are kept and scanned as well, and nothing is planned again for it", async () => {
    start();
    const event = await mail("a", { 2: "a report" }, { plan: skip() });
    expect(await status("a/2")).toBe("stored");
    expect((await ledger.find({ event, limit: 1 }))[0]?.stage).toBe("prepared");
  });
});

describe("a scan", () => {
  test("without a verdict is no clean one: it is quarantined, and tried until there is one", async () => {
    scanner.says = () => ({ status: "unscanned", detail: "the scanner hung" });
    start();
    await mail("a", { 2: "an offer" });
    expect(await file("a/2")).toMatchObject({ status: "quarantined", reason: "Scan: the scanner hung" });
    await pass(5 * second);
    expect(scanner.scanned).toHaveLength(2);
    expect(await status("a/2")).toBe("quarantined");
    scanner.says = () => ({ status: "clean", detail: null });
    await pass(10 * second);
    expect(await status("a/2")).toBe("stored");
  });

  test("is made again when the signatures have changed, once a day at most, and its verdict counts for every mail", async () => {
    start();
    await mail("a", { 2: "an offer" });
    await mail("b", { 2: "an offer" });
    expect(scanner.scanned).toHaveLength(1);
    await pass(2 * hour);
    scanner.version = "s2";
    scanner.says = () => ({ status: "infected", detail: "New.Virus" });
    await pass(20 * minute);
    expect(scanner.scanned).toHaveLength(1);
    await pass(day);
    expect(scanner.scanned).toHaveLength(2);
    expect([await status("a/2"), await status("b/2")]).toEqual(["quarantined", "quarantined"]);
    await pass(2 * day);
    expect(scanner.scanned).toHaveLength(2);
  });

  test("is made again once a day where the signatures have no version, and not while the scanner does not answer", async () => {
    scanner.version = null;
    start();
    await mail("a", { 2: "an offer" });
    await pass(11 * hour);
    expect(scanner.scanned).toHaveLength(1);
    await pass(2 * day);
    expect(scanner.scanned).toHaveLength(3);
    scanner.version = undefined;
    await pass(3 * day);
    expect(scanner.scanned).toHaveLength(3);
    scanner.version = null;
    scanner.says = () => ({ status: "infected", detail: "Own.Virus" });
    await pass(2 * hour);
    expect(scanner.scanned).toHaveLength(4);
    expect(await status("a/2")).toBe("quarantined");
  });

  test("that fails for another reason each time has nothing planned again for that", async () => {
    let tries = 0;
    scanner.says = () => ({ status: "unscanned", detail: `no answer, try ${++tries}` });
    start();
    const event = await mail("a", { 2: "an offer" });
    const before = (await ledger.story(event)).length;
    await pass(hour);
    expect(tries).toBeGreaterThan(3);
    expect(await ledger.story(event)).toHaveLength(before);
    expect(await file("a/2")).toMatchObject({ status: "quarantined", scan: { detail: `no answer, try ${tries}` } });
  });

  test("that was clean stands while the scanner is away in a later round, and nothing is planned again for it", async () => {
    start();
    const event = await mail("a", { 2: "an offer" });
    await mail("b", { 2: "another" });
    const before = (await ledger.story(event)).length;
    scanner.version = "s2";
    scanner.says = () => ({ status: "unscanned", detail: "connection refused" });
    await pass(2 * day);
    expect(scanner.scanned.length).toBeGreaterThan(2);
    expect([await status("a/2"), await status("b/2")]).toEqual(["stored", "stored"]);
    expect(await ledger.story(event)).toHaveLength(before);
    scanner.says = () => ({ status: "infected", detail: "New.Virus" });
    await pass(2 * day);
    expect([await status("a/2"), await status("b/2")]).toEqual(["quarantined", "quarantined"]);
  });

  test("that found something stands while the store does not give the file back, and is made again when it does", async () => {
    scanner.says = () => ({ status: "infected", detail: "New.Virus" });
    start();
    await mail("a", { 2: "an offer" });
    const bytes = new Map(stores.kept);
    // A volume that is not mounted.
    stores.kept.clear();
    scanner.version = "s2";
    await pass(2 * day);
    expect(await file("a/2")).toMatchObject({
      status: "quarantined",
      scan: { status: "infected", detail: "New.Virus" },
    });
    for (const [key, content] of bytes) stores.kept.set(key, content);
    scanner.says = () => ({ status: "clean", detail: null });
    await pass(2 * day);
    expect(await status("a/2")).toBe("stored");
  });

  test("waits for a store that does not give the file back, and holds it unscanned after that", async () => {
    start();
    stores.fault = (call) => (call === "open" ? new Error("503") : undefined);
    await mail("a", { 2: "an offer" });
    expect(await status("a/2")).toBe("checking");
    await pass(day);
    expect(await file("a/2")).toMatchObject({ status: "quarantined", scan: { status: "unscanned" } });
    stores.fault = () => undefined;
    await pass(day);
    expect(await status("a/2")).toBe("stored");
  });
});

describe("a scanner that is configured later", () => {
  /** Kept while there was none. */
  async function keptBefore(files: Readonly<Record<string, string>>): Promise<void> {
    start({ scanner: undefined });
    await mail("a", files);
    await stop();
  }

  for (const version of ["s1", null]) {
    test(`looks at what was kept without one, ${version === null ? "also where it names no signatures" : "by name and number"}`, async () => {
      scanner.version = version;
      await keptBefore({ 2: "a virus", 3: "an offer" });
      expect([await status("a/2"), await status("a/3")]).toEqual(["stored", "stored"]);
      start();
      await settle();
      expect(scanner.scanned.sort()).toEqual(["a virus", "an offer"]);
      expect([await status("a/2"), await status("a/3")]).toEqual(["quarantined", "stored"]);
      expect((await file("a/3")).scan).toMatchObject({ status: "clean", signatures: version });
    });
  }

  test("has a new mail with such a content wait for its verdict, while the old one is served on", async () => {
    await keptBefore({ 2: "a virus" });
    scanner.says = () => ({ status: "unscanned", detail: "connection refused" });
    start();
    await settle();
    expect(await status("a/2")).toBe("stored");
    await mail("b", { 2: "a virus" });
    expect(await file("b/2")).toMatchObject({ status: "quarantined", reason: "Scan: connection refused" });
    expect(await status("a/2")).toBe("stored");
    scanner.says = () => ({ status: "clean", detail: null });
    await pass(hour);
    expect([await status("a/2"), await status("b/2")]).toEqual(["stored", "stored"]);
  });

  test("comes to the content of a new mail before it has gone through the old ones, and nothing of it is served meanwhile", async () => {
    await keptBefore(Object.fromEntries(Array.from({ length: 9 }, (_, n) => [String(n + 2), `old ${n}`])));
    const seen: string[] = [];
    await ledger.accept([
      message("b", { raw: { kind: "inline", sealed: openSealer.seal(rawWith({ 2: "old 8" }), "raw") } }),
    ]);
    await plan_("acme", steps("activity-b"), listed("b", { 2: "old 8" }));
    const gate = Promise.withResolvers<void>();
    stores.beforeOpen = async (ref) => {
      if (ref === `mem:${keyOf("old 8")}`) seen.push(await status("b/2"));
      await gate.promise;
    };
    start();
    await settle();
    gate.resolve();
    await settle();
    expect(seen).toEqual(["checking"]);
    expect(scanner.scanned).toHaveLength(9);
    expect(scanner.scanned.indexOf("old 8")).toBeLessThan(4);
    expect(await status("b/2")).toBe("stored");
  });

  test("and taken away again leaves nothing that waits for it", async () => {
    await keptBefore({ 2: "an offer" });
    // The scanner of a daemon that was killed in the middle of it.
    await ledger.accept([
      message("b", { raw: { kind: "inline", sealed: openSealer.seal(rawWith({ 2: "an offer" }), "raw") } }),
    ]);
    await plan_("acme", steps("activity-b"), listed("b", { 2: "an offer" }));
    scanner.scan = () => new Promise(() => undefined);
    start();
    await settle();
    expect(await status("b/2")).toBe("checking");
    running = undefined;
    await ledger.reclaim(time.trueNow);
    start({ scanner: undefined });
    await settle();
    expect([await status("a/2"), await status("b/2")]).toEqual(["stored", "stored"]);
  });
});

describe("a store that is away", () => {
  test("is one of a tenant's: what lies in the others is scanned, and a round for new signatures goes on when it has come back", async () => {
    stores.id = "old";
    start();
    const old = ["an offer", "an order", "a bill", "a drawing"];
    await mail("a", Object.fromEntries(old.entries()));
    stores.id = "mem";
    await mail("b", { 2: "another" });
    await pass(day);
    scanner.scanned.length = 0;
    scanner.version = "s2";
    stores.fault = (call, key) => (call === "open" && key.startsWith("old:") ? new Error("503") : undefined);
    await pass(2 * hour);
    expect(scanner.scanned).toEqual(["another"]);
    await mail("c", { 2: "a third" });
    expect(await status("c/2")).toBe("stored");
    stores.fault = () => undefined;
    await pass(hour);
    expect(scanner.scanned.sort()).toEqual(["another", "a third", ...old].sort());
  });

  test("costs no attempt, however long, and holds up no other tenant", async () => {
    start();
    stores.fault = (call, key) =>
      call === "put" && key.includes("/acme/") ? new Error("connection refused") : undefined;
    for (let n = 0; n < 5; n++) await mail(`a${n}`, { 2: `file ${n}`, 3: `other ${n}` });
    await mail("z", { 2: "theirs" }, { tenant: "umbrella" });
    expect(await status("z/2")).toBe("stored");
    await pass(3 * day);
    for (let n = 0; n < 5; n++) expect(await status(`a${n}/2`)).toBe("checking");
    expect(kept.counts.get("attachment_store_failures_total put")).toBeGreaterThan(100);
    expect(kept.lines.some(({ message: line, level }) => level === "warn" && line.startsWith("a store failed"))).toBe(
      true,
    );
    stores.fault = () => undefined;
    await pass(15 * minute);
    for (let n = 0; n < 5; n++) expect(await status(`a${n}/3`)).toBe("stored");
  });

  test("is not left alone for as long as the clock was set back meanwhile", async () => {
    start();
    stores.fault = (call) => (call === "put" ? new Error("connection refused") : undefined);
    await mail("a", { 2: "file a" });
    stores.fault = () => undefined;
    time.jump(-10 * day);
    await pass(2 * day);
    expect(await status("a/2")).toBe("stored");
  });

  test("that never takes one file does not hold up the others, and its row says so in the end", async () => {
    start();
    const bad = keyOf("a bad file");
    stores.fault = (call, key) => (call === "put" && key === bad ? new Error("EntityTooStrange") : undefined);
    await mail("a", { 2: "good one", 3: "a bad file", 4: "good two" });
    expect([await status("a/2"), await status("a/3"), await status("a/4")]).toEqual(["stored", "checking", "stored"]);
    for (let n = 0; n < 12; n++) {
      await mail(`b${n}`, { 2: `fine ${n}` });
      await pass(15 * minute);
      expect(await status(`b${n}/2`)).toBe("stored");
    }
    expect(await file("a/3")).toMatchObject({
      status: "refused",
      reason: "The store of attachments does not take it.",
    });
    expect(kept.counts.get("attachments_processed_count refused")).toBe(1);
  });
});

describe("a message that breaks its reader", () => {
  test("is read in halves until the file is found that does; the others are kept, and its row says why it is not", async () => {
    start();
    extractor.breaksOn = "4";
    await mail("a", { 2: "one", 3: "two", 4: "three", 5: "four", 6: "five" });
    await mail("b", { 2: "fine" });
    expect(await status("b/2")).toBe("stored");
    await pass(hour);
    const states = await Promise.all(["a/2", "a/3", "a/4", "a/5", "a/6"].map(status));
    expect(states).toEqual(["stored", "stored", "refused", "stored", "stored"]);
    expect((await file("a/4")).reason).toBe("It could not be read: the reader was killed");
    expect(extractor.asked.length).toBeLessThan(20);
  });

  test("and breaks it whatever is asked for is given up for all of them after a bounded number of reads", async () => {
    start();
    extractor.extract = async (_, parts) => {
      extractor.asked.push([...parts]);
      throw new ExtractFailed("message", "the reader was killed");
    };
    const files = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [String(n + 2), `file ${n}`]));
    await mail("a", files);
    await pass(2 * day);
    for (const part of Object.keys(files)) expect(await status(`a/${part}`), part).toBe("refused");
    expect(extractor.asked.length).toBeLessThan(300);
    const reads = extractor.asked.length;
    await pass(2 * day);
    expect(extractor.asked.length).toBe(reads);
  });

  test("or us, is given up as well, and counted as our defect", async () => {
    start();
    extractor.extract = async () => {
      throw new TypeError("undefined is not a function");
    };
    await mail("a", { 2: "one" });
    await pass(day);
    const reason = "Mailwright could not keep it: undefined is not a function";
    expect(await file("a/2")).toMatchObject({ status: "refused", reason });
    expect(kept.counts.get("defects_total keeping")).toBe(6);
  });

  test("gives other bytes than its event lists: nothing is kept under a name that is not theirs", async () => {
    start();
    extractor.instead = "something else";
    await mail("a", { 2: "one" });
    expect(await file("a/2")).toMatchObject({
      status: "refused",
      reason: expect.stringContaining("not what its event"),
    });
    expect([...stores.kept.keys()]).toEqual([]);
  });

  test("does not have a file any more that its event lists", async () => {
    start();
    await mail("a", { 2: "one" }, { lists: { 2: "one", 9: "vanished" } });
    expect([await status("a/2"), await status("a/9")]).toEqual(["stored", "refused"]);
  });
});

describe("raw bytes", () => {
  test("that cannot be read are waited for, without an attempt; the files are kept when they are back", async () => {
    start();
    await mail("a", { 2: "one" }, { spool: "not-there" });
    await pass(3 * day);
    expect(await status("a/2")).toBe("checking");
    expect(kept.counts.get("raw_unread_total")).toBeGreaterThan(10);
    const draft = await disk.spool.create("raw");
    await draft.write(rawWith({ 2: "one" }));
    const { name } = await draft.commit();
    disk.spool.read = (
      (read) => (asked: string) =>
        read(asked === "not-there" ? name : asked)
    )(disk.spool.read);
    await pass(2 * hour);
    expect(await status("a/2")).toBe("stored");
  });
});

describe("bytes that nobody needs", () => {
  test("are deleted after their row says so, and again when the store was away", async () => {
    start();
    await mail("a", { 2: "an offer" });
    const ref = `mem:${keyOf("an offer")}`;
    stores.fault = (call) => (call === "delete" ? new Error("503") : undefined);
    await ledger.decideFile({ id: "a/2", answer: "drop", by: "ada", note: null, now: time.trueNow });
    for (const part of running?.parts ?? []) part.wake();
    await settle();
    expect([await status("a/2"), stores.kept.has(ref)]).toEqual(["dropped", true]);
    stores.fault = () => undefined;
    await pass(10 * minute);
    expect(stores.kept.has(ref)).toBe(false);
    expect(await ledger.filesToDelete({ limit: 5 })).toEqual([]);
  });

  test("are not deleted under the hands of a mail that brings them again", async () => {
    start();
    await mail("a", { 2: "an offer" });
    const ref = `mem:${keyOf("an offer")}`;
    const gate = Promise.withResolvers<void>();
    await ledger.decideFile({ id: "a/2", answer: "drop", by: "ada", note: null, now: time.trueNow });
    stores.beforePut = () => gate.promise;
    await mail("b", { 2: "an offer" });
    for (const part of running?.parts ?? []) part.wake();
    await settle();
    expect(stores.calls.filter((call) => call.startsWith("delete"))).toEqual([]);
    gate.resolve();
    await pass(10 * minute);
    expect([await status("b/2"), stores.kept.has(ref)]).toEqual(["stored", true]);
    expect(stores.calls.filter((call) => call.startsWith("delete"))).toEqual([]);
  });
});
