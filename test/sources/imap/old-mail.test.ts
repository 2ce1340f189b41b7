/** Old mail and the proof of coverage at a server that does as it is told: each message once, under its own UID, or with a reason. */
import { describe, expect, it } from "vitest";
import { accountName, type ImapAccount, type ImapPorts } from "../../../src/sources/imap/context.ts";
import { type Covered, coverageOf, emptyTally, percentOf } from "../../../src/sources/imap/coverage.ts";
import { landedIn, type TakenAs, takeOld } from "../../../src/sources/imap/old-mail.ts";
import { imapSettings } from "../../../src/sources/imap/settings.ts";
import { openFor, visit } from "../../../src/sources/imap/visit.ts";
import { memoryTokens } from "../../support/tokens.ts";
import { mail, type Rig, rig } from "./rig.ts";

async function visited(r: Rig, changes: object = {}) {
  const settings = imapSettings.parse({
    id: "sales",
    host: "127.0.0.1",
    port: r.server.port,
    tls: "none",
    user: "sales@acme.test",
    password: "secret",
    folders: ["INBOX"],
    command_seconds: 900,
    ...changes,
  });
  const account: ImapAccount = { tenant: "acme", settings };
  const random = { unit: () => 0.5, uuid: () => `event-${++number}` };
  const ports: ImapPorts = {
    clock: r.clock,
    random,
    log: r.log,
    metrics: r.metrics,
    ledger: r.ledger,
    tokens: memoryTokens(),
  };
  const here = await visit(account, ports);
  const [chosen] = here.chosen;
  if (chosen === undefined) throw new Error("no folder");
  const open = await openFor(here, chosen, account, r.intake, ports);
  const told: TakenAs[] = [];
  const take = async (uids: readonly number[], stop = new AbortController().signal, backfilled = true) => {
    if (open === undefined) throw new Error("not open");
    const how = {
      ledger: r.ledger,
      intake: r.intake,
      clock: r.clock,
      stop,
      rate: 1e6,
      backfilled,
      told: (one: TakenAs) => void told.push(one),
    };
    await takeOld(here.client, open, uids, account, how);
  };
  const covered = async (): Promise<Covered[]> => {
    const rows: Covered[] = [];
    if (open !== undefined)
      for await (const row of coverageOf(open.state, await here.client.uids(1), r.ledger)) rows.push(row);
    return rows;
  };
  return { here, open, account, take, told, covered, close: here.close };
}
let number = 1_000;

describe("old mail", () => {
  it("is what was there before: taken in once, marked, moving no cursor, changing nothing at the server", async () => {
    const r = await rig();
    for (const name of ["a", "b", "c"]) r.server.put("INBOX", mail(name));
    const v = await visited(r);
    expect((await v.covered()).map(({ kind }) => kind)).toEqual(["before", "before", "before"]);
    await v.take(await v.here.client.uids(1));
    expect(v.told.map(({ kind }) => kind)).toEqual(["new", "new", "new"]);
    const rows = await r.rows();
    expect(rows.map(({ envelope }) => [envelope.imap?.uid, envelope.imap?.backfilled]).sort()).toEqual([
      [1, true],
      [2, true],
      [3, true],
    ]);
    const [folder] = await r.ledger.folders(accountName(v.account));
    expect(folder).toMatchObject({ firstUid: 4, lastUid: 3 });
    expect([...(await landedIn(folder?.id ?? 0, r.ledger))]).toEqual([1, 2, 3]);
    await v.take([1, 2, 3]);
    expect(await r.rows()).toHaveLength(3);
    expect((await v.covered()).map(({ kind, reason }) => [kind, reason])).toEqual(
      Array(3).fill(["pending", "it waits for its parse"]),
    );
    await v.close();
  });

  it("that is too large, or gone by now, is told of and blocks nothing", async () => {
    const r = await rig();
    r.server.put("INBOX", mail("small"));
    r.server.put("INBOX", mail("large", "x".repeat(3_000)));
    const v = await visited(r, { max_bytes: 2_000 });
    await v.take([1, 2, 9]);
    expect(v.told).toEqual(
      expect.arrayContaining([
        { kind: "new" },
        { kind: "gone" },
        { kind: "refused", uid: 2, reason: expect.stringMatching(/more than the 2000/) },
      ]),
    );
    await v.close();
  });

  it("stops where it is told to, and the next time goes on with the rest", async () => {
    const r = await rig();
    for (let n = 0; n < 30; n++) r.server.put("INBOX", mail(`m${n}`));
    const first = await visited(r);
    const stop = new AbortController();
    stop.abort();
    await first.take(await first.here.client.uids(1), stop.signal);
    expect(await r.rows()).toHaveLength(0);
    await first.close();
    const second = await visited(r);
    await second.take(await second.here.client.uids(1));
    expect(await r.rows()).toHaveLength(30);
    await second.close();
  });
});

describe("coverage", () => {
  it("of nothing is whole; what is missing is not rounded away", () => {
    expect(percentOf(emptyTally())).toBe(100);
    expect(percentOf({ ...emptyTally(), logged: 9_999_999, missing: 1 })).toBeLessThan(100);
  });

  it("calls what is above the cursor new, and what is below and unknown missing, which is repaired as it would have been taken", async () => {
    const r = await rig();
    const v = await visited(r, { after: "seen" });
    if (v.open === undefined) throw new Error("not open");
    for (const name of ["a", "b"]) r.server.put("INBOX", mail(name));
    await v.here.client.open("INBOX", true);
    const { state } = v.open;
    const rows: Covered[] = [];
    for await (const row of coverageOf({ ...state, lastUid: 1 }, [1, 2], r.ledger)) rows.push(row);
    expect(rows.map(({ uid, kind }) => [uid, kind])).toEqual([
      [1, "missing"],
      [2, "pending"],
    ]);
    await v.take([1], undefined, false);
    await v.take([2]);
    expect(await r.ledger.uidsToAct(state.id, 9)).toEqual([{ uid: 1, after: "seen" }]);
  });

  it("finds what came after the watch began and nobody has come to", async () => {
    const r = await rig();
    r.server.put("INBOX", mail("old"));
    const v = await visited(r);
    r.server.put("INBOX", mail("new"));
    await v.here.client.open("INBOX", true);
    expect((await v.covered()).map(({ uid, kind }) => [uid, kind])).toEqual([
      [1, "before"],
      [2, "pending"],
    ]);
    await v.close();
  });
});
