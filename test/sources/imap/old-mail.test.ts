/** Old mail and the proof of coverage at a server that does as it is told: each message once, under its own UID, or with a reason. */
import { describe, expect, it } from "vitest";
import { accountName, type ImapAccount, type ImapPorts } from "../../../src/sources/imap/context.ts";
import { type Covered, coverageOf, emptyTally, percentOf } from "../../../src/sources/imap/coverage.ts";
import { takeThrough } from "../../../src/sources/imap/going-through.ts";
import { landedIn, type TakenAs } from "../../../src/sources/imap/old-mail.ts";
import { imapSettings } from "../../../src/sources/imap/settings.ts";
import { openFor, visit } from "../../../src/sources/imap/visit.ts";
import { memoryTokens } from "../../support/tokens.ts";
import { mail, type Rig, rig } from "./rig.ts";
import type { Asked } from "./server.ts";

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
  const take = async (uids: readonly number[], stop = new AbortController().signal, backfilled = true, rate = 1e6) => {
    if (open === undefined) throw new Error("not open");
    const how = {
      account,
      ledger: r.ledger,
      intake: r.intake,
      clock: r.clock,
      stop,
      rate,
      backfilled,
      told: (one: TakenAs) => void told.push(one),
    };
    await takeThrough(here, open, uids, how);
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
        { kind: "new", uid: 1 },
        { kind: "gone", uid: 9 },
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

it("is taken at its pace where the clock is set back", async () => {
  const r = await rig();
  for (let n = 1; n <= 8; n++) r.server.put("INBOX", mail(`m${n}`));
  const v = await visited(r);
  const taken = v.take([1, 2, 3, 4, 5, 6, 7, 8], undefined, true, 1);
  await r.until("some came", () => v.told.length >= 2);
  r.clock.step(-24 * 3600_000);
  await r.until("all came", () => v.told.length === 8, 30_000);
  await taken;
  await v.close();
});

const isBody = ({ name, rest }: Asked): boolean => name === "UID FETCH" && rest.includes("BODY");
const names = (asked: Asked, uid: number): boolean => asked.connection.in(asked.rest).some((one) => one.uid === uid);
const breaks: Answer = ({ connection }) => {
  connection.socket.destroy();
  return true;
};
type Answer = (asked: Asked) => boolean | undefined;
const refuses =
  (words: string): Answer =>
  ({ connection, tag }) => {
    connection.say(`${tag} ${words}`);
    return true;
  };

describe("old mail at a server that breaks", () => {
  /** Of sixty messages, with what the server does from then on. */
  async function taken(hook: (r: Rig) => Answer, count = 60, stop = new AbortController().signal) {
    const r = await rig();
    for (let n = 1; n <= count; n++) r.server.put("INBOX", mail(`m${n}`));
    const v = await visited(r);
    r.server.hook = hook(r);
    let ended: unknown;
    let isOver = false;
    void v
      .take(await v.here.client.uids(1), stop)
      .catch((error: unknown) => {
        ended = error;
      })
      .finally(() => {
        isOver = true;
      });
    await r.until("it is through", () => isOver, 60 * 60_000);
    const kinds = Object.groupBy(v.told, ({ kind }) => kind);
    await v.close();
    return { r, v, ended, kinds, told: v.told };
  }
  const others = (uid: number) => Array.from({ length: 60 }, (_, n) => `m${n + 1}`).filter((one) => one !== `m${uid}`);

  it.each([
    ["whose body breaks the connection", (asked: Asked) => isBody(asked) && names(asked, 7), breaks],
    ["whose body is refused", (asked: Asked) => isBody(asked) && names(asked, 7), refuses("NO [SERVERBUG] no")],
    ["of which nothing may be asked", (asked: Asked) => asked.name === "UID FETCH" && names(asked, 7), breaks],
  ] as const)("takes all but one %s: it is given up after some tries, and holds up none", async (_, is, answer) => {
    let tries = 0;
    const { r, v, ended, kinds, told } = await taken(() => (asked) => {
      if (!is(asked)) return undefined;
      tries += 1;
      return answer(asked);
    });
    expect(ended).toBeUndefined();
    expect(r.subjects()).toEqual(others(7).sort());
    expect(told).toHaveLength(60);
    expect(kinds.given_up).toMatchObject([{ uid: 7, reason: expect.stringMatching(/\S/) }]);
    expect(tries).toBeLessThan(12);
    const [fate] = await r.ledger.fates(v.open?.state.id ?? 0, [7]);
    expect(fate).toMatchObject({ state: "quarantined", attempts: 5 });
    expect(await r.ledger.retryQuarantined(v.open?.state.id ?? 0, 1)).toEqual({ live: 0, old: 1 });
    expect(await r.ledger.fates(v.open?.state.id ?? 0, [7])).toEqual([]);
  });

  it("gives no message up where the server gives none: it says so, and the next run takes all", async () => {
    const { r, v, ended, kinds } = await taken(() => (asked) => (isBody(asked) ? breaks(asked) : undefined), 30);
    expect(ended).toMatchObject({ kind: "connection" });
    expect(kinds.given_up).toBeUndefined();
    expect(
      await r.ledger.uidsIn({ folder: v.open?.state.id ?? 0, states: ["quarantined"], after: 0, limit: 9 }),
    ).toEqual([]);
    r.server.hook = () => undefined;
    const again = await visited(r);
    await again.take(await again.here.client.uids(1));
    expect(r.bytes.size).toBe(30);
    await again.close();
  });

  it("goes on when the server comes back, each message once", async () => {
    let times = 0;
    const { r, ended, told } = await taken((r) => (asked) => {
      if (!isBody(asked) || ++times > 4) return undefined;
      const [first] = asked.connection.in(asked.rest);
      if (first !== undefined) asked.connection.fetch(first, asked.rest);
      r.server.greeting = "* BYE restarting";
      setTimeout(() => {
        r.server.greeting = "* OK ready";
      }, 5);
      return breaks(asked);
    });
    expect(ended).toBeUndefined();
    expect(told).toHaveLength(60);
    expect(r.subjects()).toEqual(others(0).sort());
  });

  it("counts what is deleted meanwhile as gone, and goes on", async () => {
    const { r, ended, kinds } = await taken((r) => (asked) => {
      if (!isBody(asked)) return undefined;
      const inbox = r.server.folder("INBOX");
      const before = inbox.messages.length;
      inbox.messages = inbox.messages.filter(({ uid }) => uid % 10 !== 0);
      if (inbox.messages.length === before) return undefined;
      return refuses("NO [EXPUNGEISSUED] some are gone")(asked);
    });
    expect(ended).toBeUndefined();
    expect(r.bytes.size).toBe(54);
    expect(kinds.gone?.map(({ uid }) => uid)).toEqual([10, 20, 30, 40, 50, 60]);
  });

  it("stops where the messages have new numbers, and says that the same command goes on", async () => {
    const { r, ended, v } = await taken((r) => (asked) => {
      if (!isBody(asked)) return undefined;
      r.server.renumber("INBOX", 4_711);
      r.server.hook = () => undefined;
      return breaks(asked);
    });
    expect(ended).toMatchObject({ message: expect.stringMatching(/other numbers .* the same command goes on/) });
    expect(await r.ledger.fates(v.open?.state.id ?? 0, [1])).toEqual([]);
    const again = await visited(r);
    await again.take(await again.here.client.uids(1));
    expect(r.subjects()).toEqual(others(0).sort());
    await again.close();
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
