/** What the ledger promises of accounts that are read by IMAP: one reader, cursors that move with the messages, nothing known twice. */
import { describe, expect, it } from "vitest";
import type { FolderState, HeldAccount, Landing, OpenFolder, PassedUid } from "../../../src/model/imap.ts";
import type { Accepted } from "../../../src/model/ledger.ts";
import { lane, message, type OpenBench, steps, type World, world } from "./world.ts";

const account = "acme/sales";

function bench(w: World) {
  const hold = async (options: { now?: number; token?: string; selectors?: string; opened?: boolean } = {}) => {
    const now = options.now ?? 1_000;
    const { selectors = "INBOX", token, opened = false } = options;
    return await w.ledger.holdAccount({
      account,
      now,
      until: now + 100,
      selectors,
      opened,
      ...(token === undefined ? {} : { token }),
    });
  };
  const held = async (options: Parameters<typeof hold>[0] = {}): Promise<HeldAccount> => {
    const lease = await hold(options);
    if (lease === undefined) throw new Error("somebody else has the account");
    return lease;
  };
  const open = async (lease: HeldAccount, changes: Partial<OpenFolder> = {}): Promise<FolderState> => {
    const { token } = lease;
    const fresh = { path: "INBOX", mailboxId: null, uidValidity: 7, uidNext: 11, firstUid: 11, since: 900, now: 1_000 };
    const folder = await w.ledger.openFolder({ account, token, ...fresh, ...changes });
    if (folder === undefined) throw new Error("the lease was lost");
    return folder;
  };
  const land = async (name: string, landing: Landing, changes: Parameters<typeof message>[1] = {}) => {
    const [answer] = await w.ledger.accept([message(name, { ...changes, landing })]);
    return answer as Accepted;
  };
  const folder = async (path = "INBOX") => {
    const found = (await w.ledger.folders(account)).find((one) => one.path === path);
    if (found === undefined) throw new Error(`no folder ${path}`);
    return found;
  };
  const at = (lease: HeldAccount, of: FolderState, uid: number, changes: Partial<Landing> = {}): Landing => ({
    folder: of.id,
    uidValidity: of.uidValidity,
    uid,
    lease: lease.token,
    source: "live",
    after: "none",
    ...changes,
  });
  const pass = (lease: HeldAccount, of: FolderState, passed: readonly PassedUid[], now = 2_000) =>
    w.ledger.folderNews({ account, token: lease.token, folder: of.id, at: now, uidNext: 20, modSeq: null, passed });
  return { hold, held, open, land, folder, at, pass };
}

export function imapContract(openBench: OpenBench): void {
  describe("an IMAP account", () => {
    const w = world(openBench);
    const b = bench(w);

    it("has one reader, until its lease ends or is given up", async () => {
      const mine = await b.held();
      expect(mine).toMatchObject({ account, firstAt: 1_000, sameSelectors: false });
      expect(await b.hold({ now: 1_050 })).toBeUndefined();
      expect(await b.hold({ now: 1_050, token: "other" })).toBeUndefined();
      expect(await b.hold({ now: 1_060, token: mine.token, opened: true })).toMatchObject({ sameSelectors: false });
      expect(await b.hold({ now: 1_090, token: mine.token })).toMatchObject({ token: mine.token, sameSelectors: true });
      expect(await b.hold({ now: 1_150 })).toBeUndefined();
      const theirs = await b.held({ now: 1_190, selectors: "INBOX Sent" });
      expect(theirs).toMatchObject({ firstAt: 1_000, sameSelectors: false });
      expect(theirs.token).not.toBe(mine.token);
      await w.ledger.releaseAccount(mine);
      expect(await b.hold({ now: 1_200 })).toBeUndefined();
      await w.ledger.releaseAccount(theirs);
      expect(await b.hold({ now: 1_200 })).toBeDefined();
    });

    it("is not kept from others for the time that the clock was set back", async () => {
      await b.held({ now: 10_000_000 });
      expect(await b.hold({ now: 9_999_000 })).toBeUndefined();
      expect(await b.hold({ now: 1_000 })).toBeDefined();
    });

    it("is free again when the process that read it is gone", async () => {
      const mine = await b.held();
      await w.reopen();
      expect(await w.ledger.reclaim(1_010)).toBe(1);
      const theirs = await b.held({ now: 1_010 });
      expect(theirs.token).not.toBe(mine.token);
    });

    it("says why nobody can log in, since when, and that it is over", async () => {
      await b.held();
      const of = async () => (await w.ledger.accountTally())[0];
      await w.ledger.blockAccount({ account, at: 5, reason: "the password was refused" });
      await w.ledger.blockAccount({ account, at: 9, reason: "the password was refused again" });
      expect(await of()).toMatchObject({ blockedAt: 5, blockedReason: "the password was refused again" });
      await w.ledger.blockAccount({ account, at: 12, reason: null });
      expect(await of()).toMatchObject({ blockedAt: null, blockedReason: null, folders: [] });
    });
  });

  describe("a folder read by IMAP", () => {
    const w = world(openBench);
    const b = bench(w);

    it("begins below its first UID, and its cursor moves in the transaction of the message that it passes", async () => {
      const lease = await b.held();
      const inbox = await b.open(lease);
      expect(inbox).toMatchObject({ uidValidity: 7, firstUid: 11, lastUid: 10, since: 900, modSeq: null });
      expect(await b.land("a", b.at(lease, inbox, 11, { from: 10 }))).toMatchObject({ outcome: "new" });
      // One is left out: the cursor waits for it.
      expect(await b.land("c", b.at(lease, inbox, 13, { from: 12 }))).toMatchObject({ outcome: "new" });
      expect((await b.folder()).lastUid).toBe(11);
      await w.reopen();
      expect((await b.folder()).lastUid).toBe(11);
      expect(await w.ledger.knownUids(inbox.id, [1, 99])).toEqual({
        settled: [
          [11, 11],
          [13, 13],
        ],
        waiting: [],
      });
      expect((await w.row("event-a")).envelope.kind).toBe("smtp");
    });

    it("takes nothing under a lease that was lost, for other numbers, or for another tenant", async () => {
      const lease = await b.held();
      const inbox = await b.open(lease);
      const refused = { outcome: "fenced" };
      expect(await b.land("a", b.at(lease, inbox, 11, { uidValidity: 8 }))).toMatchObject(refused);
      expect(await b.land("a", b.at(lease, inbox, 11), { tenant: "umbrella" })).toMatchObject(refused);
      const { lease: _, ...bare } = b.at(lease, inbox, 11);
      expect(await b.land("a", bare)).toMatchObject(refused);
      await b.held({ now: 5_000 });
      expect(await b.land("a", b.at(lease, inbox, 11))).toMatchObject(refused);
      expect(await b.pass(lease, inbox, [{ uid: 12, state: "gone", reason: "x" }])).toBe(false);
      expect(await w.ledger.openFolder({ ...lease, ...inbox, now: 1 })).toBeUndefined();
      expect(await w.ledger.find({ limit: 5 })).toEqual([]);
      expect((await w.ledger.knownUids(inbox.id, [1, 99])).settled).toEqual([]);
    });

    it("refuses one landing of a batch and keeps the others", async () => {
      const lease = await b.held();
      const inbox = await b.open(lease);
      const answers = await w.ledger.accept([
        message("a", { landing: b.at(lease, inbox, 11, { from: 10 }) }),
        message("b", { landing: b.at(lease, inbox, 12, { from: 11, lease: "lost" }) }),
        message("c"),
      ]);
      expect(answers.map(({ outcome }) => outcome)).toEqual(["new", "fenced", "new"]);
      expect((await b.folder()).lastUid).toBe(11);
    });

    it("knows a message that is there twice as one event under two UIDs, and one that is read again as nothing new", async () => {
      const lease = await b.held();
      const inbox = await b.open(lease);
      await b.land("a", b.at(lease, inbox, 11, { from: 10 }));
      const again = await b.land("a", b.at(lease, inbox, 12, { from: 11 }), { eventId: "other" });
      expect(again).toMatchObject({ eventId: "event-a", outcome: "duplicate" });
      const before = await w.ledger.story("event-a");
      expect(await b.land("a", b.at(lease, inbox, 11), { eventId: "third" })).toMatchObject({ outcome: "duplicate" });
      expect(await w.ledger.story("event-a")).toEqual(before);
      expect((await w.ledger.fates(inbox.id, [12, 11, 99])).map(({ uid, eventId }) => [uid, eventId])).toEqual([
        [11, "event-a"],
        [12, "event-a"],
      ]);
    });

    it("tells what became of each message, up to its activity at the CRM", async () => {
      const lease = await b.held();
      const inbox = await b.open(lease);
      await b.land("a", b.at(lease, inbox, 11));
      await w.prepareAll(steps("person-p", "activity-a"));
      const claim = await w.deliver();
      const ref = claim.steps.find(({ kind }) => kind === "activity") === undefined ? null : expect.any(String);
      await b.pass(lease, inbox, [{ uid: 12, state: "before", reason: "older than the first look" }]);
      expect(await w.ledger.uidsIn({ folder: inbox.id, states: ["landed", "before"], after: 10, limit: 5 })).toEqual([
        expect.objectContaining({
          uid: 11,
          state: "landed",
          source: "live",
          eventId: "event-a",
          deliveries: [{ lane, state: "processed", reason: expect.anything(), activity: ref }],
        }),
        expect.objectContaining({ uid: 12, state: "before", reason: "older than the first look", deliveries: [] }),
      ]);
    });

    it("has a message wait for its next try, counts the tries, and lets it land after all", async () => {
      const lease = await b.held();
      const inbox = await b.open(lease);
      await b.pass(lease, inbox, [{ uid: 11, state: "waiting", reason: "NO", dueAt: 2_500 }]);
      await b.pass(lease, inbox, [{ uid: 11, state: "waiting", reason: "NO again", dueAt: 3_500 }], 2_600);
      expect((await w.ledger.knownUids(inbox.id, [1, 99])).waiting).toEqual([
        { uid: 11, attempts: 2, firstAt: 2_000, dueAt: 3_500, reason: "NO again" },
      ]);
      expect(await b.land("a", b.at(lease, inbox, 11, { from: 10 }))).toMatchObject({ outcome: "new" });
      expect(await w.ledger.knownUids(inbox.id, [1, 99])).toEqual({ settled: [[11, 11]], waiting: [] });
      // What has landed cannot be lost again.
      await b.pass(lease, inbox, [{ uid: 11, state: "gone", reason: "not there any more" }]);
      expect(await w.ledger.fates(inbox.id, [11])).toMatchObject([{ state: "landed", eventId: "event-a" }]);
    });

    it("gives a message up visibly, which holds nothing up, and tries it again when asked", async () => {
      const lease = await b.held();
      const inbox = await b.open(lease);
      await b.pass(lease, inbox, [{ uid: 11, state: "quarantined", reason: "larger than max_size" }]);
      const open = () => w.ledger.uidsIn({ folder: inbox.id, states: ["quarantined"], after: 0, limit: 5 });
      expect(await open()).toMatchObject([{ uid: 11, reason: "larger than max_size" }]);
      expect((await w.ledger.accountTally())[0]?.folders).toMatchObject([{ quarantined: 1, waiting: 0, pending: 0 }]);
      expect((await w.ledger.knownUids(inbox.id, [1, 99])).settled).toEqual([[11, 11]]);
      expect(await w.ledger.waitingUids(inbox.id)).toEqual([]);
      expect(await w.ledger.retryQuarantined(inbox.id, 4_000, [12])).toEqual({ live: 0, old: 0 });
      expect(await w.ledger.retryQuarantined(inbox.id, 4_000)).toEqual({ live: 1, old: 0 });
      expect(await open()).toEqual([]);
      expect((await w.ledger.knownUids(inbox.id, [1, 99])).waiting).toMatchObject([{ uid: 11, dueAt: 4_000 }]);
      expect(await w.ledger.waitingUids(inbox.id)).toMatchObject([{ uid: 11, attempts: 0, dueAt: 4_000 }]);
    });

    it("lets whoever takes old mail in give a message up beside its reader, and forgets that when asked", async () => {
      const lease = await b.held();
      const inbox = await b.open(lease);
      const give = (uid: number) =>
        w.ledger.giveUp({ folder: inbox.id, uid, reason: "it breaks the connection", attempts: 5, at: 3_000 });
      expect(await give(4)).toBe(true);
      expect(await w.ledger.fates(inbox.id, [4])).toMatchObject([{ state: "quarantined", attempts: 5 }]);
      // What has landed meanwhile is not given up.
      await b.land("a", b.at(lease, inbox, 11, { from: 10 }));
      expect(await give(11)).toBe(false);
      expect(await w.ledger.fates(inbox.id, [11])).toMatchObject([{ state: "landed" }]);
      // The reader has nothing to do with what is older than the watch.
      expect(await w.ledger.retryQuarantined(inbox.id, 4_000)).toEqual({ live: 0, old: 1 });
      expect(await w.ledger.fates(inbox.id, [4])).toEqual([]);
      await b.open(lease, { uidValidity: 8 });
      expect(await give(5)).toBe(false);
    });

    it("does not take for settled what is gone: where the server has it after all it is read", async () => {
      const lease = await b.held();
      const inbox = await b.open(lease);
      await b.pass(lease, inbox, [
        { uid: 11, state: "before", reason: "old" },
        { uid: 12, state: "gone", reason: "not listed" },
      ]);
      expect(await w.ledger.knownUids(inbox.id, [1, 99])).toEqual({ settled: [[11, 11]], waiting: [] });
      expect(await b.land("a", b.at(lease, inbox, 12))).toMatchObject({ outcome: "new" });
      expect((await w.ledger.knownUids(inbox.id, [1, 99])).settled).toEqual([[11, 12]]);
    });

    it("hears what the server says, moves its cursor forward only, and remembers when all was done", async () => {
      const lease = await b.held();
      const inbox = await b.open(lease);
      const news = (changes: object) =>
        w.ledger.folderNews({ ...lease, folder: inbox.id, at: 2_000, uidNext: 20, modSeq: "55", ...changes });
      expect(await news({ lastUid: 15 })).toBe(true);
      expect(await b.folder()).toMatchObject({ lastUid: 15, uidNext: 20, seenAt: 2_000, doneAt: 1_000, modSeq: null });
      await news({ lastUid: 12, at: 3_000, complete: true });
      expect(await b.folder()).toMatchObject({ lastUid: 15, seenAt: 3_000, doneAt: 3_000, modSeq: "55" });
    });

    it("begins anew where its UIDs mean something else: nothing known is trusted, and old mail stays old", async () => {
      const lease = await b.held();
      const inbox = await b.open(lease);
      await b.land("a", b.at(lease, inbox, 11, { from: 10 }));
      const anew = await b.open(lease, { uidValidity: 8, uidNext: 3, firstUid: 3, since: 5_000, now: 6_000 });
      expect(anew).toMatchObject({ uidValidity: 8, firstUid: 1, oldBelow: 3, lastUid: 0, since: 900 });
      expect(await w.ledger.folders(account)).toEqual([anew]);
      expect(await b.land("b", b.at(lease, inbox, 12))).toMatchObject({ outcome: "fenced" });
      expect(await b.pass(lease, inbox, [])).toBe(false);
      expect((await w.ledger.knownUids(anew.id, [1, 99])).settled).toEqual([]);
      expect(await b.land("a", b.at(lease, anew, 1, { from: 0 }), { eventId: "x" })).toMatchObject({
        eventId: "event-a",
        outcome: "duplicate",
      });
      expect((await b.folder()).lastUid).toBe(1);
      // And under the same number too, where UIDNEXT went back.
      expect(await b.open(lease, { uidValidity: 8, now: 7_000 })).toMatchObject({ firstUid: 1, lastUid: 0 });
    });

    it("keeps what is known of it under another name, unless that is taken", async () => {
      const lease = await b.held();
      const inbox = await b.open(lease, { path: "Old", mailboxId: "m1" });
      await b.open(lease, { path: "Taken" });
      expect(await w.ledger.renameFolder({ ...lease, folder: inbox.id, path: "Taken" })).toBe(false);
      expect(await w.ledger.renameFolder({ ...lease, folder: inbox.id, path: "New" })).toBe(true);
      expect((await w.ledger.folders(account)).map(({ path, id }) => [path, id === inbox.id])).toEqual([
        ["New", true],
        ["Taken", false],
      ]);
    });

    it("keeps what is to be done on the server until it holds, and asks for it once", async () => {
      const lease = await b.held();
      const inbox = await b.open(lease);
      for (const [index, after] of (["seen", "move", "none"] as const).entries())
        await b.land(`m${index}`, b.at(lease, inbox, 11 + index, { after }));
      expect(await w.ledger.uidsToAct(inbox.id, 9)).toEqual([
        { uid: 11, after: "seen" },
        { uid: 12, after: "move" },
      ]);
      const done = { account, token: lease.token, folder: inbox.id, uids: [11], at: 3_000 };
      expect(await w.ledger.acted({ ...done, token: "lost" })).toBe(false);
      expect(await w.ledger.acted(done)).toBe(true);
      // Read again after an answer that was lost: it was done.
      await b.land("m0", b.at(lease, inbox, 11, { after: "seen" }));
      expect((await w.ledger.uidsToAct(inbox.id, 9)).map(({ uid }) => uid)).toEqual([12]);
      expect((await w.ledger.accountTally())[0]?.folders).toMatchObject([{ pending: 1 }]);
      // A person may have taken \Seen back since; what was not done yet is still to be done.
      const anew = await b.open(lease, { uidValidity: 8 });
      await b.land("m0", b.at(lease, anew, 1, { after: "seen" }));
      await b.land("m1", b.at(lease, anew, 2, { after: "move" }));
      expect(await w.ledger.uidsToAct(anew.id, 9)).toEqual([{ uid: 2, after: "move" }]);
    });

    it("takes old mail in without the lease, which moves no cursor", async () => {
      const lease = await b.held();
      const inbox = await b.open(lease);
      const { lease: _, ...old } = b.at(lease, inbox, 3, { source: "backfill" });
      expect(await b.land("old", old, { priority: 1 })).toMatchObject({ outcome: "new" });
      expect(await b.folder()).toMatchObject({ firstUid: 11, lastUid: 10 });
      expect(await w.ledger.fates(inbox.id, [3])).toMatchObject([{ state: "landed", source: "backfill" }]);
      await b.land("new", b.at(lease, inbox, 11));
      expect((await w.attempt({ room: 1 }))[0]?.eventId).toBe("event-new");
    });
  });
}
