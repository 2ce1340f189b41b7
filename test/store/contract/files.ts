/** The contract of attachments: their rows, their keeping and scanning under leases, what a person says of them, and how they go. */
import { describe, expect, it } from "vitest";
import type { FileKept, FileRow, FilesToKeep, FileToScan, NewFile, Scan } from "../../../src/model/files.ts";
import { hold, lane, message, type OpenBench, type Plan, preparedOf, skip, steps, there, world } from "./world.ts";

export const pending: Scan = { status: "pending", engine: null, signatures: null, at: null, detail: null };
const clean = (at: number, signatures = "s1"): Scan => ({ status: "clean", engine: "e", signatures, at, detail: null });
const infected = (at: number): Scan => ({ ...clean(at), status: "infected", detail: "Eicar" });
const unscanned = (at: number): Scan => ({
  status: "unscanned",
  engine: null,
  signatures: null,
  at,
  detail: "no answer",
});

function fileOf(id: string, changes: Partial<NewFile> = {}): NewFile {
  return {
    id,
    partId: "2",
    filename: `${id}.pdf`,
    contentType: "application/pdf",
    detectedType: null,
    size: 10,
    sha256: `sha-of-${id}`,
    inline: false,
    ...changes,
  };
}

function keptOf(file: Pick<FileRow, "id" | "sha256" | "scan">, changes: Partial<FileKept> = {}): FileKept {
  return {
    id: file.id,
    status: "checking",
    reason: null,
    inspection: { detectedType: "application/pdf", findings: [] },
    storeKey: `ref-${file.sha256}`,
    scan: file.scan,
    ...changes,
  };
}

export function bench(open: OpenBench) {
  const w = world(open);
  const ask = (now: number, more: { tenants?: string[]; room?: number; leaseMs?: number } = {}) => ({
    tenants: more.tenants ?? ["acme"],
    room: more.room ?? 10,
    now,
    leaseMs: more.leaseMs ?? 60_000,
  });
  const self = {
    w,
    async mail(name: string, files: readonly NewFile[], plan: Plan = steps(`activity-${name}`), tenant = "acme") {
      await w.ledger.accept([message(name, { tenant })]);
      await self.prepare(files, plan, tenant);
      return `event-${name}`;
    },
    /** Prepares what waits; the files are those of the newest. */
    async prepare(files: readonly NewFile[], plan: Plan, tenant = "acme", now = 2_000) {
      const attempts = await w.attempt({ tenants: [tenant], now });
      const at = tenant === "acme" ? lane : `${tenant}/crm`;
      const items = attempts.map((attempt) => preparedOf(attempt, { [at]: plan }, { now }));
      return await w.ledger.prepare([...items.slice(0, -1), { ...there(items.at(-1)), files }]);
    },
    /** What messages list of their files is written down anew, by a plan that has these steps. */
    async refile(plan: Plan, now = 3_100): Promise<boolean[]> {
      const given = await w.ledger.filesToPlan({ tenants: ["acme"], room: 10, now });
      const written: boolean[] = [];
      for (const { eventId, change } of given) {
        const { id } = await w.only(eventId);
        if (plan.kind !== "steps") throw new Error("a plan of steps is needed");
        const deliveries = [{ delivery: id, steps: plan.steps, sealedSteps: plan.sealedSteps }];
        const sealedEvent = Buffer.from(`event ${eventId}, its files`);
        written.push(await w.ledger.filesPlanned({ eventId, change, now, sealedEvent, deliveries }));
      }
      return written;
    },
    /** Events whose plans do not say yet what became of their files. */
    toPlan: async (now = 3_100): Promise<string[]> =>
      (await w.ledger.filesToPlan({ tenants: ["acme"], room: 10, now })).map(({ eventId }) => eventId),
    toKeep: (now = 3_000, more: Parameters<typeof ask>[1] = {}): Promise<readonly FilesToKeep[]> =>
      w.ledger.filesToKeep(ask(now, more)),
    toScan: (now = 4_000, more: Parameters<typeof ask>[1] = {}): Promise<readonly FileToScan[]> =>
      w.ledger.filesToScan(ask(now, more)),
    /** Keeps all that is to be kept, each file as told. */
    async keep(changes: (file: FileRow) => Partial<FileKept> = () => ({}), now = 3_000): Promise<FilesToKeep> {
      const [message] = await self.toKeep(now);
      const { eventId, lease, files } = there(message);
      const kept = files.map((file) => keptOf(file, changes(file)));
      expect(await w.ledger.filesKept({ eventId, lease, now, kept })).toBe(true);
      return there(message);
    },
    async scan(scan: Scan, now = 4_000, dueAt: number | null = null): Promise<FileToScan> {
      const [content] = await self.toScan(now, { room: 1 });
      const { tenant, sha256, lease } = there(content);
      expect(await w.ledger.filesScanned({ tenant, sha256, lease, now, scan, dueAt })).toBe(true);
      return there(content);
    },
    file: async (id: string): Promise<FileRow> => there((await w.ledger.files({ id, limit: 1 }))[0]),
    statuses: async (event: string) =>
      (await w.ledger.files({ event, limit: 100 })).map(({ id, status }) => `${id} ${status}`),
    stage: async (event: string) => (await w.row(event)).stage,
    doomed: async () => (await w.ledger.filesToDelete({ limit: 100 })).map(({ storeKey }) => storeKey),
  };
  return self;
}

export function filesContract(open: OpenBench): void {
  describe("the rows of files", () => {
    const b = bench(open);

    it("come with the event that lists them, and are being checked", async () => {
      const event = await b.mail("a", [fileOf("one"), fileOf("two", { inline: true })]);
      await b.w.reopen();
      expect(await b.w.ledger.files({ event, limit: 10 })).toEqual([
        {
          ...fileOf("one"),
          eventId: event,
          tenant: "acme",
          receivedAt: 1_000,
          status: "checking",
          reason: null,
          storeKey: null,
          storedAt: null,
          inspection: null,
          scan: pending,
          decision: null,
          by: "mailwright",
          at: 2_000,
          note: null,
        },
        expect.objectContaining({ id: "two", inline: true }),
      ]);
    });

    it("are not there when the lease of the parse was lost", async () => {
      await b.w.ledger.accept([message("a")]);
      const [attempt] = await b.w.attempt();
      const lost = { ...there(attempt), lease: { token: "gone", until: 9 } };
      await b.w.ledger.prepare([{ ...preparedOf(lost, { [lane]: skip() }), files: [fileOf("one")] }]);
      expect(await b.w.ledger.files({ limit: 10 })).toEqual([]);
      expect(await b.toKeep()).toEqual([]);
    });

    it("stay as they are when the event is planned again, which adds those that it lists for the first time", async () => {
      const event = await b.mail("a", [fileOf("one")]);
      await b.keep(() => ({ status: "stored" }));
      await b.w.ledger.requeue({ kind: "reprocess", eventId: event, now: 3_200 });
      await b.keep(() => ({ status: "stored" }), 3_300);
      await b.prepare([fileOf("one"), fileOf("late")], steps("activity-a"), "acme", 3_500);
      expect(await b.statuses(event)).toEqual(["one stored", "late checking"]);
      const [again] = await b.toKeep();
      expect(there(again).files.map(({ id }) => id)).toEqual(["one", "late"]);
    });

    it("go over to the mail whose unbelieved copy came first, which lists what became of them by then", async () => {
      await b.mail("a", [fileOf("one")], { kind: "hold", rule: "trust.suspicious", reason: "DMARC failed" });
      await b.keep(() => ({ status: "stored" }));
      await b.w.ledger.accept([message("a", { eventId: "real", rawSha256: "by another way", receivedAt: 1_500 })]);
      await b.prepare([fileOf("one")], steps("activity-a"));
      expect(await b.statuses("real")).toEqual(["one stored"]);
      expect(await b.file("one")).toMatchObject({ receivedAt: 1_500, by: "mailwright" });
      expect(await b.toPlan()).toEqual(["real"]);
      // The copy does not take them back, when a person has it worked again.
      await b.w.ledger.requeue({ kind: "reprocess", eventId: "event-a", now: 3_000 });
      await b.prepare([fileOf("one")], steps("activity-a"), "acme", 3_000);
      expect(await b.statuses("real")).toEqual(["one stored"]);
    });

    it("are found by id, event, content, status and tenant, newest first, page by page", async () => {
      const same = { sha256: "same" };
      await b.mail("a", [fileOf("a1", same), fileOf("a2")]);
      await b.mail("b", [fileOf("b1", same)]);
      await b.mail("c", [fileOf("c1", same)], skip(), "umbrella");
      const ids = async (query: Partial<Parameters<typeof b.w.ledger.files>[0]>) =>
        (await b.w.ledger.files({ limit: 10, ...query })).map(({ id }) => id);
      expect(await ids({})).toEqual(["c1", "b1", "a2", "a1"]);
      expect(await ids({ id: "a2" })).toEqual(["a2"]);
      expect(await ids({ id: "a2", tenant: "umbrella" })).toEqual([]);
      expect(await ids({ event: "event-a" })).toEqual(["a1", "a2"]);
      expect(await ids({ sha256: "same" })).toEqual(["c1", "b1", "a1"]);
      expect(await ids({ sha256: "same", tenant: "acme" })).toEqual(["b1", "a1"]);
      await b.keep(({ id }) => ({ status: id === "a1" ? "quarantined" : "stored" }));
      expect(await ids({ status: "quarantined" })).toEqual(["a1"]);
      expect(await ids({ status: "checking", tenant: "umbrella" })).toEqual(["c1"]);
      expect(await ids({ limit: 2 })).toEqual(["c1", "b1"]);
      expect(await ids({ limit: 2, before: "b1" })).toEqual(["a2", "a1"]);
    });

    it("are counted by tenant and status, and since when the oldest is so", async () => {
      await b.mail("a", [fileOf("a1"), fileOf("a2")]);
      await b.mail("c", [fileOf("c1")], skip(), "umbrella");
      await b.keep(({ id }) => (id === "a1" ? { status: "quarantined", reason: "macros" } : {}), 3_300);
      expect(await b.w.ledger.fileTally()).toEqual([
        { tenant: "acme", status: "checking", files: 1, oldestAt: 2_000 },
        { tenant: "acme", status: "quarantined", files: 1, oldestAt: 3_300 },
        { tenant: "umbrella", status: "checking", files: 1, oldestAt: 2_000 },
      ]);
    });
  });

  describe("keeping", () => {
    const b = bench(open);

    it("gives out a message with its bytes and its files, under a lease, and counts the attempt", async () => {
      const event = await b.mail("a", [fileOf("one")]);
      const [first] = await b.toKeep(3_000, { leaseMs: 500 });
      expect(first).toMatchObject({
        eventId: event,
        tenant: "acme",
        attempts: 1,
        raw: { kind: "inline" },
        rawSize: 100,
      });
      expect(there(first).sealed).toBeDefined();
      expect(await b.toKeep(3_499)).toEqual([]);
      const [second] = await b.toKeep(3_500);
      expect(second).toMatchObject({ attempts: 2 });
      expect(await b.w.ledger.filesKept({ ...there(first), now: 3_600, kept: [] })).toBe(false);
      await b.w.ledger.filesLater(event, there(first).lease, { dueAt: 0, blameless: false });
      expect(await b.toKeep(3_700)).toEqual([]);
    });

    it("is fair among tenants, and gives nothing of one that is not asked for", async () => {
      for (const name of ["a", "b", "c"]) await b.mail(name, [fileOf(name)]);
      await b.mail("z", [fileOf("z")], skip(), "umbrella");
      await b.mail("y", [fileOf("y")], skip(), "stranger");
      const given = await b.toKeep(3_000, { tenants: ["acme", "umbrella"], room: 2 });
      expect(given.map(({ eventId }) => eventId)).toEqual(["event-a", "event-z"]);
      expect((await b.toKeep(3_000, { tenants: ["acme", "umbrella"] })).map(({ eventId }) => eventId)).toEqual([
        "event-b",
        "event-c",
      ]);
    });

    it("writes what was kept, and has what the message lists planned again when that changed what is to be seen of it", async () => {
      const event = await b.mail("a", [fileOf("one"), fileOf("two")]);
      await b.keep(({ id }) => (id === "one" ? { status: "stored" } : { status: "stripped", reason: "A program." }));
      expect(await b.file("one")).toMatchObject({
        status: "stored",
        storeKey: "ref-sha-of-one",
        inspection: { detectedType: "application/pdf" },
        at: 3_000,
      });
      expect(await b.file("two")).toMatchObject({ status: "stripped", reason: "A program.", storeKey: null });
      expect(await b.stage(event)).toBe("prepared");
      expect(await b.toPlan()).toEqual([event]);
      expect((await b.w.ledger.story(event)).at(-1)).toEqual({
        at: 3_000,
        what: "its files were checked; what it lists of them is planned again",
        detail: "1 stored, 1 stripped",
      });
      expect(await b.toKeep()).toEqual([]);
    });

    it("plans nothing again while all of them are being checked still", async () => {
      await b.mail("a", [fileOf("one")]);
      await b.keep();
      expect(await b.toPlan()).toEqual([]);
      expect(await b.file("one")).toMatchObject({ status: "checking", storeKey: "ref-sha-of-one" });
    });

    it.each([
      ["skipped", skip()],
      ["held", hold()],
    ])("plans nothing again of a message that is %s: it shows nothing", async (_, plan) => {
      const event = await b.mail("a", [fileOf("one")], plan);
      await b.keep(() => ({ status: "stored" }));
      expect(await b.toPlan()).toEqual([]);
      expect((await b.w.ledger.story(event)).at(-1)).toMatchObject({ what: "its files were checked" });
      expect(await b.file("one")).toMatchObject({ status: "stored" });
    });

    it("has what a message lists planned once more that is being planned now, and takes no plan from before that", async () => {
      const event = await b.mail("a", [fileOf("one")]);
      await b.w.ledger.requeue({ kind: "reprocess", eventId: event, now: 2_500 });
      const [attempt] = await b.w.attempt({ now: 2_600 });
      await b.keep(() => ({ status: "stored" }));
      expect(await b.toPlan()).toEqual([]);
      await b.w.ledger.prepare([preparedOf(there(attempt), { [lane]: steps("activity-a") }, { now: 3_100 })]);
      expect(await b.toPlan()).toEqual([event]);
      const [seen] = await b.w.ledger.filesToPlan({ tenants: ["acme"], room: 1, now: 3_200 });
      await b.w.ledger.requeue({ kind: "reprocess", eventId: event, now: 3_200 });
      await b.prepare([], steps("activity-a"), "acme", 3_200);
      const late = { eventId: event, change: there(seen).change, now: 3_300, deliveries: [] };
      expect(await b.w.ledger.filesPlanned(late)).toBe(false);
      expect(await b.refile(steps("activity-a", "file-a"))).toEqual([true]);
      expect(await b.toPlan()).toEqual([]);
    });

    it("plans what a message lists by the rules that decided about it, and changes nothing else of it", async () => {
      const event = await b.mail("a", [fileOf("one")]);
      await b.w.deliver({ now: 2_900 });
      await b.keep(() => ({ status: "stored" }));
      expect(await b.refile(steps("activity-a", "file-a"), 3_500)).toEqual([true]);
      const row = await b.w.row(event);
      expect(row).toMatchObject({ stage: "prepared", preparedAt: 2_000, parseAttempts: 1 });
      expect(Buffer.from(there(row.sealedEvent)).toString()).toBe(`event ${event}, its files`);
      expect(row.deliveries).toMatchObject([{ state: "pending", mappingVersion: 1, rule: "inbound" }]);
      const { steps: now } = await b.w.claim({ now: 3_600 });
      expect(now.map(({ key, state }) => `${key} ${state}`)).toEqual(["activity-a confirmed", "file-a planned"]);
      await b.w.ledger.filesPlanLater(event, 9_000);
      expect((await b.w.ledger.filesDueAt(3_700)).planning).toBe(null);
    });

    it("leaves a delivery held that was held while it was worked, and a dead letter dead, whatever became of the files", async () => {
      const event = await b.mail("a", [fileOf("one")]);
      const claim = await b.w.claim({ now: 2_900 });
      const held = { state: "held", rule: "crm.ambiguous", detail: "two records" } as const;
      await b.w.ledger.settle({ claim, at: 2_950, settlement: held });
      await b.keep(() => ({ status: "stored" }));
      expect(await b.refile(steps("activity-a", "file-a"))).toEqual([true]);
      expect((await b.w.only(event)).state).toBe("held");
      await b.mail("b", [fileOf("two")]);
      await b.w.fail("refused", { now: 3_000 });
      await b.keep(() => ({ status: "stored" }), 3_000);
      expect(await b.refile(steps("activity-b", "file-b"))).toEqual([true]);
      expect((await b.w.only("event-b")).state).toBe("failed");
    });

    it("comes back to what could not be planned when it was told, and not before", async () => {
      const event = await b.mail("a", [fileOf("one")]);
      await b.keep(() => ({ status: "stored" }));
      await b.w.ledger.filesPlanLater(event, 9_000);
      expect(await b.toPlan(8_999)).toEqual([]);
      expect((await b.w.ledger.filesDueAt(4_000)).planning).toBe(9_000);
      await b.w.reopen();
      expect(await b.toPlan(9_000)).toEqual([event]);
    });

    it("leaves a delivery that is being worked alone, and is given the new plan when that work ends", async () => {
      const event = await b.mail("a", [fileOf("one")]);
      const [seen] = await (async () => {
        await b.keep(() => ({ status: "stored" }));
        return await b.w.ledger.filesToPlan({ tenants: ["acme"], room: 1, now: 3_100 });
      })();
      const claim = await b.w.claim({ now: 3_150 });
      expect(await b.toPlan(3_200)).toEqual([]);
      const early = { eventId: event, change: there(seen).change, now: 3_200, deliveries: [] };
      expect(await b.w.ledger.filesPlanned(early)).toBe(false);
      const [step] = claim.steps;
      const confirmed = { step: there(step).id, state: "confirmed", at: 3_300, ref: "r", adopted: false } as const;
      expect(
        await b.w.ledger.settle({ claim, at: 3_300, settlement: { state: "processed" }, steps: [confirmed] }),
      ).toBe(true);
      expect(await b.refile(steps("activity-a", "file-a"), 3_350)).toEqual([true]);
      const second = await b.w.claim({ now: 3_400 });
      expect(second.steps.map(({ key, state }) => `${key} ${state}`)).toEqual([
        "activity-a confirmed",
        "file-a planned",
      ]);
    });

    it("goes on with those that were not named, at once or later", async () => {
      await b.mail("a", [fileOf("one"), fileOf("two")]);
      const [first] = await b.toKeep();
      const { eventId, lease, files } = there(first);
      await b.w.ledger.filesKept({ eventId, lease, now: 3_000, kept: [keptOf(there(files[0]))] });
      const [second] = await b.toKeep();
      expect(there(second).attempts).toBe(2);
      const later = { dueAt: 9_000, blameless: true };
      await b.w.ledger.filesKept({ eventId, lease: there(second).lease, now: 3_000, kept: [], later });
      expect(await b.toKeep(8_999)).toEqual([]);
      expect(await b.w.ledger.filesDueAt(8_000)).toEqual({ keeping: 9_000, scanning: null, planning: null });
      const [third] = await b.toKeep(9_000);
      expect(third).toMatchObject({ attempts: 2, files: [{ id: "one", storeKey: "ref-sha-of-one" }, { id: "two" }] });
    });

    it("is given back, with the attempt or without", async () => {
      const event = await b.mail("a", [fileOf("one")]);
      const [first] = await b.toKeep();
      await b.w.ledger.filesLater(event, there(first).lease, { dueAt: 5_000, blameless: true });
      const [second] = await b.toKeep(5_000);
      expect(second).toMatchObject({ attempts: 1 });
      await b.w.ledger.filesLater(event, there(second).lease, { dueAt: 6_000, blameless: false });
      expect(await b.toKeep(6_000)).toMatchObject([{ attempts: 2 }]);
    });

    it("knows a content of the tenant when it comes again, and not one of another tenant", async () => {
      const same = { sha256: "same", filename: "terms.pdf" };
      await b.mail("a", [fileOf("one", same)]);
      await b.keep(() => ({ status: "stored", scan: pending }));
      await b.mail("b", [fileOf("two", same), fileOf("other", { ...same, filename: "terms.exe" })]);
      await b.mail("c", [fileOf("three", same)], skip(), "umbrella");
      const given = (await b.toKeep(3_000, { tenants: ["acme", "umbrella"] })).flatMap(({ files }) => files);
      expect(given.map(({ storeKey }) => storeKey)).toEqual(["ref-same", "ref-same", null]);
      // What was seen of it under another name says nothing of it under this one.
      expect(given.map(({ inspection }) => inspection === null)).toEqual([false, true, true]);
    });

    it("does not write a judgement that a newer verdict has overtaken", async () => {
      const same = { sha256: "same" };
      await b.mail("a", [fileOf("one", same)]);
      await b.keep();
      await b.mail("b", [fileOf("two", same)]);
      const [message] = await b.toKeep();
      await b.scan(infected(4_000));
      const { eventId, lease, files } = there(message);
      const kept = files.map((file) => keptOf(file, { status: "stored" }));
      expect(await b.w.ledger.filesKept({ eventId, lease, now: 4_100, kept })).toBe(true);
      expect(await b.file("two")).toMatchObject({ status: "checking", scan: { status: "infected" } });
      const again = await b.toKeep(4_200);
      expect(again.map((each) => each.eventId).sort()).toEqual(["event-a", "event-b"]);
    });

    it("has the bytes deleted that nobody needs: put while they were looked at, and stripped", async () => {
      await b.mail("a", [fileOf("one")]);
      await b.keep(() => ({ status: "stripped", reason: "A program." }));
      expect(await b.doomed()).toEqual(["ref-sha-of-one"]);
      expect(await b.toScan()).toEqual([]);
      await b.w.ledger.fileDeleted("ref-sha-of-one");
      expect(await b.doomed()).toEqual([]);
    });

    it("spares bytes that are needed again before they were deleted, and those that another file lives on", async () => {
      const same = { sha256: "same" };
      await b.mail("a", [fileOf("exe", same)]);
      await b.keep(() => ({ status: "stripped", reason: "A program." }));
      expect(await b.w.ledger.fileToDelete("ref-same")).toBe(true);
      await b.mail("b", [fileOf("txt", same)]);
      await b.keep(() => ({ status: "stored" }));
      expect(await b.w.ledger.fileToDelete("ref-same")).toBe(false);
      await b.mail("c", [fileOf("exe2", same)]);
      await b.keep(() => ({ status: "stripped", reason: "A program." }));
      expect(await b.doomed()).toEqual([]);
      expect(await b.file("txt")).toMatchObject({ storeKey: "ref-same" });
    });

    it("keeps the raw bytes beyond any age until all files are kept, or refused with the reason", async () => {
      const event = await b.mail("a", [fileOf("one")], skip());
      const policy = { rawBefore: 9_000, eventBefore: null, now: 10_000, dryRun: false, limit: 10 };
      expect((await b.w.ledger.purge(policy)).raws).toEqual([]);
      await b.keep(() => ({
        status: "refused",
        reason: "The store does not take it.",
        inspection: null,
        storeKey: null,
      }));
      expect((await b.w.ledger.purge(policy)).raws).toMatchObject([{ eventId: event }]);
    });

    it("tries what was refused once more when a person has the message worked again", async () => {
      const event = await b.mail("a", [fileOf("one"), fileOf("two")]);
      await b.keep(({ id }) =>
        id === "one"
          ? { status: "refused", reason: "No.", inspection: null, storeKey: null }
          : { status: "quarantined", reason: "macros" },
      );
      expect(await b.toKeep(3_300)).toEqual([]);
      await b.w.ledger.requeue({ kind: "reprocess", eventId: event, now: 3_400 });
      expect(await b.statuses(event)).toEqual(["one checking", "two quarantined"]);
      expect(await b.toKeep(3_500)).toMatchObject([{ files: [{ id: "one" }, { id: "two" }] }]);
    });

    it("is taken up by the next process as it was", async () => {
      await b.mail("a", [fileOf("one")]);
      await b.mail("b", [fileOf("two")]);
      await b.keep();
      await b.toScan();
      await b.toKeep();
      expect(await b.w.ledger.reclaim(5_000)).toBe(2);
      expect(await b.toKeep(5_000)).toHaveLength(1);
      expect(await b.toScan(5_000)).toHaveLength(1);
    });
  });

  describe("scanning", () => {
    const b = bench(open);

    it("gives out each kept content once, however many files it is in, under a lease", async () => {
      const same = { sha256: "same" };
      await b.mail("a", [fileOf("one", same), fileOf("two", same)]);
      expect(await b.toScan()).toEqual([]);
      await b.keep();
      const [first, ...more] = await b.toScan(4_000, { leaseMs: 100 });
      expect(first).toMatchObject({ sha256: "same", storeKey: "ref-same", size: 10, attempts: 1, scan: pending });
      expect(more).toEqual([]);
      expect(await b.toScan(4_099)).toEqual([]);
      expect(await b.toScan(4_100)).toMatchObject([{ attempts: 2 }]);
      const lost = { ...there(first), now: 4_200, scan: clean(4_200), dueAt: null };
      expect(await b.w.ledger.filesScanned(lost)).toBe(false);
      expect(await b.file("one")).toMatchObject({ scan: pending });
    });

    it("is fair among tenants", async () => {
      for (const name of ["a", "b", "c"]) {
        await b.mail(name, [fileOf(name)]);
        await b.keep();
      }
      await b.mail("z", [fileOf("z")], skip(), "umbrella");
      const [theirs] = await b.toKeep(3_000, { tenants: ["umbrella"] });
      await b.w.ledger.filesKept({
        ...there(theirs),
        now: 3_000,
        kept: there(theirs).files.map((file) => keptOf(file)),
      });
      const given = await b.toScan(4_000, { tenants: ["acme", "umbrella"], room: 2 });
      expect(given.map(({ tenant }) => tenant)).toEqual(["acme", "umbrella"]);
    });

    it("makes every message that carries the content due, and none when the verdict is the same again", async () => {
      const same = { sha256: "same" };
      await b.mail("a", [fileOf("one", same)]);
      await b.keep();
      await b.mail("b", [fileOf("two", same)]);
      await b.keep();
      await b.scan(unscanned(4_000), 4_000, 5_000);
      const due = await b.toKeep(4_100);
      expect(due.map(({ files }) => files[0]?.scan.status)).toEqual(["unscanned", "unscanned"]);
      for (const { eventId, lease, files } of due) {
        const kept = files.map((file) => keptOf(file, { status: "quarantined", reason: "Not scanned." }));
        await b.w.ledger.filesKept({ eventId, lease, now: 4_100, kept });
      }
      expect(await b.toScan(4_999)).toEqual([]);
      expect((await b.w.ledger.filesDueAt(4_999)).scanning).toBe(5_000);
      expect((await b.scan(unscanned(5_000), 5_000, 6_000)).attempts).toBe(2);
      expect(await b.toKeep(5_100)).toEqual([]);
      await b.scan(clean(6_000), 6_000);
      expect(await b.toKeep(6_100)).toHaveLength(2);
    });

    it("lets a message wait for the scans of its other files, though only for minutes", async () => {
      await b.mail("a", [fileOf("one"), fileOf("two"), fileOf("three")]);
      await b.keep();
      await b.scan(clean(4_000), 4_000);
      expect(await b.toKeep(4_100)).toEqual([]);
      await b.scan(clean(4_200), 4_200);
      const patience = (await b.w.ledger.filesDueAt(4_300)).keeping;
      expect(there(patience)).toBe(4_000 + 180_000);
      expect(await b.toKeep(4_300)).toEqual([]);
      await b.scan(clean(4_400), 4_400);
      await b.keep(() => ({ status: "stored" }), 4_500);
      await b.mail("b", [fileOf("four"), fileOf("five")]);
      await b.keep(() => ({}), 4_600);
      await b.scan(clean(4_700), 4_700);
      expect(await b.toKeep(4_700 + 180_000)).toHaveLength(1);
    });

    it("makes a message due once more that is in work", async () => {
      await b.mail("a", [fileOf("one"), fileOf("two")]);
      await b.keep();
      await b.scan(clean(4_000));
      await b.scan(clean(4_100), 4_100);
      const [inWork] = await b.toKeep(4_200);
      await b.w.ledger.filesToScan({
        tenants: ["acme"],
        room: 1,
        now: 90_000_000,
        leaseMs: 100,
        again: { signatures: "s2", before: 90_000_000 },
      });
      const { eventId, lease, files } = there(inWork);
      await b.w.ledger.filesKept({
        eventId,
        lease,
        now: 4_300,
        kept: files.map((file) => keptOf(file, { status: "stored" })),
      });
      expect(await b.toKeep(4_400)).toEqual([]);
    });

    it("takes new ones and those without a verdict in turns, the latter as they came due, so that neither starves", async () => {
      const sha = ({ sha256 }: FileToScan) => sha256.replace("sha-of-", "");
      await b.mail(
        "a",
        ["old1", "old2", "old3"].map((id) => fileOf(id)),
      );
      await b.keep();
      for (const dueAt of [9_000, 7_000, 8_000]) await b.scan(unscanned(4_000), 4_000, dueAt);
      await b.mail(
        "b",
        ["new1", "new2", "new3"].map((id) => fileOf(id)),
      );
      for (const { eventId, lease, files } of await b.toKeep(4_100)) {
        const kept = files.map((file) => keptOf(file));
        await b.w.ledger.filesKept({ eventId, lease, now: 4_100, kept });
      }
      const seen: string[] = [];
      for (let n = 0; n < 6; n++) seen.push(...(await b.toScan(10_000, { room: 1 })).map(sha));
      expect(seen.filter((name) => name.startsWith("old"))).toEqual(["old2", "old3", "old1"]);
      expect(seen.filter((name) => name.startsWith("new"))).toEqual(["new1", "new2", "new3"]);
      for (const pair of [seen.slice(0, 2), seen.slice(2, 4), seen.slice(4)])
        expect(pair.map((name) => name.slice(0, 3)).sort()).toEqual(["new", "old"]);
    });

    it("leaves out what lies in a store that is away, of its tenant alone", async () => {
      await b.mail("a", [fileOf("one"), fileOf("two")]);
      await b.keep(({ sha256 }) => ({
        storeKey: sha256 === "sha-of-one" ? "s3:old/attachment/1" : "attachment/acme/2",
      }));
      const look = (away: readonly { tenant: string; store: string }[]) =>
        b.w.ledger.filesToScan({ tenants: ["acme"], room: 1, now: 4_000, leaseMs: 60_000, away });
      const away = [
        { tenant: "acme", store: "s3:old/" },
        { tenant: "umbrella", store: "attachment/" },
      ];
      expect((await look(away)).map(({ sha256 }) => sha256)).toEqual(["sha-of-two"]);
      expect(await look(away)).toEqual([]);
      expect((await look([])).map(({ sha256 }) => sha256)).toEqual(["sha-of-one"]);
    });

    it("gives what was kept without a scanner to the first that there is, after what is new; without a verdict it stays so, with the reason", async () => {
      const skipped: Scan = { ...pending, status: "skipped", at: 3_000 };
      await b.mail("a", [fileOf("one"), fileOf("two")]);
      await b.keep(() => ({ status: "stored", scan: skipped }));
      await b.mail("b", [fileOf("three")]);
      await b.keep();
      const look = (now: number, skipped?: boolean) =>
        b.w.ledger.filesToScan({ tenants: ["acme"], room: 1, now, leaseMs: 60_000, ...(skipped ? { skipped } : {}) });
      expect((await look(4_000, true)).map(({ sha256 }) => sha256)).toEqual(["sha-of-three"]);
      expect(await look(4_000)).toEqual([]);
      const [one] = await look(4_000, true);
      expect(one).toMatchObject({ sha256: "sha-of-one", scan: skipped });
      const why = { ...skipped, at: 4_100, detail: "no answer" };
      await b.w.ledger.filesScanned({ ...there(one), now: 4_100, scan: why, dueAt: 9_000 });
      expect((await b.toKeep(4_100)).map(({ files }) => files[0]?.scan)).toEqual([why]);
      await b.w.ledger.filesScanned({
        ...there((await look(4_200, true))[0]),
        now: 4_200,
        scan: clean(4_200),
        dueAt: null,
      });
      expect(await look(4_300, true)).toEqual([]);
      expect(await look(9_000, true)).toHaveLength(1);
    });

    it("has a content that was kept without a scanner scanned for the mail that waits for it, and that mail judged where there is none any more", async () => {
      const skipped: Scan = { ...pending, status: "skipped", at: 3_000 };
      const same = { sha256: "same" };
      await b.mail("a", [fileOf("one", same)]);
      await b.keep(() => ({ status: "stored", scan: skipped }));
      await b.mail("b", [fileOf("two", same)]);
      await b.keep(() => ({ status: "checking", scan: skipped, storeKey: null }));
      await b.scan({ ...skipped, at: 4_000 });
      expect((await b.toKeep(4_100)).map(({ eventId }) => eventId)).toEqual(["event-b"]);
    });

    it("looks again with other signatures, when nothing else is due, in the order of the last looks", async () => {
      for (const [index, name] of ["a", "b"].entries()) {
        await b.mail(name, [fileOf(name)]);
        await b.keep();
        await b.scan(clean(4_000 + index), 4_000 + index);
        await b.keep();
      }
      await b.mail("c", [fileOf("c")]);
      for (const { eventId, lease, files } of await b.toKeep(4_500))
        await b.w.ledger.filesKept({ eventId, lease, now: 4_500, kept: files.map((file) => keptOf(file)) });
      const looks = (now: number, signatures: string | null, before = 5_000, room = 10) =>
        b.w.ledger.filesToScan({
          tenants: ["acme"],
          room,
          now,
          leaseMs: 60_000,
          again: { signatures, before },
        });
      const names = async (of: Promise<readonly FileToScan[]>) => (await of).map(({ sha256 }) => sha256);
      const [fresh, ...none] = await looks(6_000, "s2");
      expect([there(fresh).sha256, none]).toEqual(["sha-of-c", []]);
      await b.w.ledger.filesScanned({ ...there(fresh), now: 6_000, scan: clean(6_000), dueAt: null });
      expect(await names(looks(6_100, "s1"))).toEqual([]);
      expect(await names(looks(6_100, "s2", 4_000))).toEqual([]);
      expect(await names(looks(6_100, "s2", 5_000, 1))).toEqual(["sha-of-a"]);
      expect(await names(looks(6_100, "s2"))).toEqual(["sha-of-b"]);
      expect(await names(looks(6_100, "s2"))).toEqual([]);
      expect(await names(looks(6_200, null))).toEqual([]);
      expect(await names(looks(6_200, null, 6_001))).toEqual(["sha-of-c"]);
    });
  });

  describe("a person's word about a file", () => {
    const b = bench(open);
    const decide = (id: string, answer: "release" | "drop", note: string | null = null) =>
      b.w.ledger.decideFile({ id, answer, by: "ada", note, now: 7_000 });

    it("releases what is quarantined, plans its message again, and stands whatever a scan says later", async () => {
      const event = await b.mail("a", [fileOf("one")]);
      await b.keep(() => ({ status: "quarantined", reason: "macros" }));
      await b.refile(steps("activity-a"));
      expect(await decide("one", "release", "I asked them")).toBe("done");
      expect(await b.file("one")).toMatchObject({
        status: "stored",
        reason: null,
        decision: "release",
        by: "ada",
        at: 7_000,
        note: "I asked them",
        storeKey: "ref-sha-of-one",
      });
      expect(await b.toPlan(7_000)).toEqual([event]);
      await b.scan(infected(7_100), 7_100);
      expect(await b.toKeep(7_200)).toEqual([]);
      expect(await b.w.ledger.auditTrail({ about: "one", limit: 5 })).toEqual([
        {
          id: expect.any(Number),
          at: 7_000,
          what: "file.release",
          about: "one",
          who: "ada",
          outcome: "done",
          from: null,
        },
      ]);
    });

    it("drops it, and its bytes where no other message has them", async () => {
      const same = { sha256: "same" };
      await b.mail("a", [fileOf("one", same)]);
      await b.keep(() => ({ status: "stored" }));
      await b.mail("b", [fileOf("two", same)]);
      await b.keep(() => ({ status: "stored" }));
      expect(await decide("one", "drop")).toBe("done");
      expect(await b.doomed()).toEqual([]);
      expect(await b.file("one")).toMatchObject({ status: "dropped", storeKey: null, decision: "drop" });
      expect(await decide("two", "drop")).toBe("done");
      expect(await b.doomed()).toEqual(["ref-same"]);
    });

    it("drops one that is being kept: the bytes that come after go again, and its raw mail waits for nothing", async () => {
      await b.mail("a", [fileOf("one")], skip());
      const [inWork] = await b.toKeep();
      expect(await decide("one", "drop")).toBe("done");
      const { eventId, lease, files } = there(inWork);
      await b.w.ledger.filesKept({
        eventId,
        lease,
        now: 7_100,
        kept: files.map((file) => keptOf(file, { status: "stored" })),
      });
      expect(await b.file("one")).toMatchObject({ status: "dropped" });
      expect(await b.doomed()).toEqual(["ref-sha-of-one"]);
      const policy = { rawBefore: 9_000, eventBefore: null, now: 10_000, dryRun: true, limit: 10 };
      expect((await b.w.ledger.purge(policy)).raws).toHaveLength(1);
    });

    it("is refused where there is nothing to decide", async () => {
      await b.mail("a", [fileOf("checking"), fileOf("stripped"), fileOf("refused"), fileOf("stored")]);
      expect(await decide("nobody", "drop")).toBe("unknown");
      expect(await decide("checking", "release")).toBe("unfit");
      await b.keep(({ id }) => ({ status: id as FileRow["status"], reason: "so" }));
      for (const id of ["stripped", "refused"]) {
        expect(await decide(id, "release"), id).toBe("unfit");
        expect(await decide(id, "drop"), id).toBe("unfit");
      }
      expect(await decide("stored", "drop")).toBe("done");
      expect(await decide("stored", "release")).toBe("unfit");
      expect(await b.w.ledger.auditTrail({ limit: 10 })).toHaveLength(1);
    });
  });

  describe("files of age", () => {
    const b = bench(open);
    const old = (storedBefore: number | null, quarantinedBefore: number | null) =>
      b.w.ledger.filesToRemove({ tenant: "acme", storedBefore, quarantinedBefore, limit: 10 });
    const mailAt = async (name: string, receivedAt: number, status: FileRow["status"], sha256 = name) => {
      await b.w.ledger.accept([message(name, { receivedAt })]);
      await b.prepare([fileOf(name, { sha256 })], skip());
      await b.keep(() => ({ status }));
    };

    it("are those whose every mention is older than its class allows", async () => {
      await mailAt("young", 9_000, "stored");
      await mailAt("old", 1_000, "stored");
      await mailAt("older", 500, "stored");
      await mailAt("hidden", 3_000, "quarantined");
      await mailAt("twice", 700, "stored", "again");
      await mailAt("thrice", 9_500, "stored", "again");
      const names = async (...ages: Parameters<typeof old>) => (await old(...ages)).map(({ sha256 }) => sha256);
      expect(await names(5_000, null)).toEqual(["older", "old"]);
      expect(await names(null, 5_000)).toEqual(["hidden"]);
      expect(await names(5_000, 5_000)).toEqual(["older", "old", "hidden"]);
      expect(await names(5_000, 2_000)).toEqual(["older", "old"]);
      expect(await names(null, null)).toEqual([]);
      expect((await old(1_000, null))[0]).toEqual({
        tenant: "acme",
        sha256: "older",
        storeKey: "ref-older",
        bytes: 10,
        files: 1,
        newestAt: 500,
      });
    });

    it("say removed first, and then their bytes go; what was mentioned again meanwhile stays", async () => {
      await mailAt("one", 1_000, "stored");
      await mailAt("two", 1_000, "stored");
      const found = await old(5_000, null);
      await b.w.ledger.accept([message("late", { receivedAt: 9_000 })]);
      await b.prepare([fileOf("late", { sha256: "two" })], skip());
      expect(await b.w.ledger.filesRemoved(found, 8_000, { storedBefore: 5_000, quarantinedBefore: null })).toBe(1);
      expect(await b.file("one")).toMatchObject({ status: "removed", storeKey: null, at: 8_000 });
      expect(await b.file("two")).toMatchObject({ status: "stored", storeKey: "ref-two" });
      expect(await b.doomed()).toEqual(["ref-one"]);
      expect(await old(5_000, null)).toEqual([]);
      expect(await b.stage("event-one")).toBe("prepared");
    });

    it("stay where a person released one meanwhile, whose class has longer", async () => {
      await mailAt("one", 3_000, "quarantined");
      const found = await old(1_000, 5_000);
      expect(found).toHaveLength(1);
      await b.w.ledger.decideFile({ id: "one", answer: "release", by: "Ada", note: "x", now: 7_000 });
      const ages = { storedBefore: 1_000, quarantinedBefore: 5_000 };
      expect(await b.w.ledger.filesRemoved(found, 8_000, ages)).toBe(0);
      expect(await b.file("one")).toMatchObject({ status: "stored", storeKey: "ref-one" });
      expect(await b.doomed()).toEqual([]);
    });

    it("stay for a younger mail that was listed before the first one's were kept, and found them kept", async () => {
      await b.w.ledger.accept([message("old", { receivedAt: 1_000 })]);
      await b.prepare([fileOf("old", { sha256: "same" })], skip());
      await b.w.ledger.accept([message("young", { receivedAt: 9_000 })]);
      await b.prepare([fileOf("young", { sha256: "same" })], skip());
      const [first] = await b.toKeep(9_100, { room: 1 });
      const { eventId, lease, files } = there(first);
      const kept = files.map((file) => keptOf(file, { status: "stored" }));
      expect(await b.w.ledger.filesKept({ eventId, lease, now: 9_100, kept })).toBe(true);
      await b.keep(() => ({ status: "stored", inspection: null, storeKey: null }), 9_200);
      expect(await b.statuses("event-young")).toEqual(["young stored"]);
      expect(await old(5_000, null)).toEqual([]);
    });

    it("keep the raw bytes of their mail until they are judged, or their list could not be brought up to date", async () => {
      await b.w.ledger.accept([message("one", { receivedAt: 1_000 })]);
      await b.prepare([fileOf("one")], skip());
      await b.keep();
      const policy = { rawBefore: 9_000, eventBefore: null, now: 10_000, dryRun: true, limit: 10 };
      expect((await b.w.ledger.purge(policy)).raws).toEqual([]);
      await b.scan(clean(4_000));
      await b.keep(({ scan }) => ({ status: "stored", scan }), 4_100);
      expect((await b.w.ledger.purge(policy)).raws).toHaveLength(1);
    });

    it("come back with a new mail, for that mail", async () => {
      await mailAt("one", 1_000, "stored", "same");
      await b.w.ledger.filesRemoved(await old(5_000, null), 8_000, { storedBefore: 5_000, quarantinedBefore: null });
      await mailAt("two", 9_000, "stored", "same");
      expect(await b.file("one")).toMatchObject({ status: "removed" });
      expect(await b.file("two")).toMatchObject({ status: "stored", storeKey: "ref-same" });
      expect(await b.doomed()).toEqual([]);
    });
  });

  describe("the audit trail", () => {
    const b = bench(open);

    it("puts an opening on record with how the file stands by then: dropped, or with a verdict that nobody has judged yet", async () => {
      const event = await b.mail("a", [fileOf("one"), fileOf("two")]);
      await b.keep(() => ({ status: "stored" }));
      const entry = { at: 5_000, what: "link.open", who: "link", outcome: "served", from: "192.0.2.1" };
      const opened = async (about: string) => (await b.w.ledger.auditOpening({ ...entry, about }))?.status;
      expect([await opened("one"), await opened("nobody")]).toEqual(["stored", undefined]);
      await b.w.ledger.decideFile({ id: "one", answer: "drop", by: "ada", note: null, now: 5_000 });
      expect(await opened("one")).toBe("dropped");
      await b.w.ledger.filesScanned({
        ...there((await b.toScan())[0]),
        now: 5_100,
        scan: infected(5_100),
        dueAt: null,
      });
      expect(await b.statuses(event)).toEqual(["one dropped", "two stored"]);
      expect(await opened("two")).toBe("checking");
      await b.w.ledger.decideFile({ id: "two", answer: "release", by: "ada", note: null, now: 5_200 });
      expect(await opened("two")).toBe("stored");
      const trail = await b.w.ledger.auditTrail({ limit: 9 });
      expect(trail.flatMap(({ what, about, outcome }) => (what === "link.open" ? `${about} ${outcome}` : []))).toEqual([
        "two served",
        "two checking",
        "one dropped",
        "one served",
      ]);
    });

    it("tells what was done, newest first, page by page, and survives", async () => {
      const entry = { at: 1, what: "link.open", about: "one", who: "link", outcome: "served", from: "192.0.2.1" };
      for (const at of [1, 2, 3]) await b.w.ledger.audit({ ...entry, at });
      await b.w.ledger.audit({ ...entry, at: 4, about: "two", from: null });
      await b.w.reopen();
      const trail = await b.w.ledger.auditTrail({ limit: 2 });
      expect(trail.map(({ at }) => at)).toEqual([4, 3]);
      expect((await b.w.ledger.auditTrail({ limit: 9, before: there(trail[1]).id })).map(({ at }) => at)).toEqual([
        2, 1,
      ]);
      expect((await b.w.ledger.auditTrail({ about: "two", limit: 9 }))[0]).toEqual({
        ...entry,
        id: expect.any(Number),
        at: 4,
        about: "two",
        from: null,
      });
    });
  });
}
