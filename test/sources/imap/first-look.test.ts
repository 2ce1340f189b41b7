/** Folders that the server does not let us look at from the start: what comes meanwhile is new mail, and what was there before is not. */
import { describe, expect, it } from "vitest";
import { mail, type Rig, rig } from "./rig.ts";

const minute = 60_000;

it.each([
  ["one of them, and opened in the same session", /Sales/, false],
  ["one of them, and opened in the next session", /Sales/, true],
  ["all of them, session after session", /Sales|INBOX/, true],
] as const)("%s", async (_, closed, isCut) => {
  const r = await rig();
  const at = (minutes: number) => ({ internalDate: new Date(r.clock.now() + minutes * minute) });
  r.server.put("Sales", mail("before"), at(-120));
  r.server.hook = ({ name, rest, tag, connection }) => {
    if (name !== "EXAMINE" || !closed.test(rest)) return undefined;
    connection.say(`${tag} NO [NOPERM] not yours`);
    return true;
  };
  r.start({ folders: ["INBOX", "Sales"], connections: 1, poll_seconds: 30 });
  await r.until("five minutes", () => false, 5 * minute).catch(() => undefined);
  r.server.put("Sales", mail("meanwhile"), at(0));
  if (isCut) r.server.cut();
  r.server.hook = () => undefined;
  await r.until("it came", () => r.bytes.size > 0, 5 * minute);
  r.server.put("Sales", mail("after"), at(0));
  await r.until("the next came, too", () => r.bytes.size > 1, 5 * minute);
  expect(r.subjects()).toEqual(["after", "meanwhile"]);
  const sales = (await r.ledger.folders("acme/sales")).find(({ path }) => path === "Sales");
  expect(await r.ledger.fates(sales?.id ?? 0, [1])).toMatchObject([{ state: "before" }]);
});

it.each([
  ["where some came on these days", 3],
  ["where none did", 0],
])("of a big folder only what may be new is asked for %s", async (_, recent) => {
  const r = await rig();
  const at = (minutes: number) => ({ internalDate: new Date(r.clock.now() + minutes * minute) });
  for (let number = 1; number <= 1_200; number++) r.server.put("Sales", mail(`old${number}`), at(-10 * 24 * 60));
  for (let number = 1; number <= recent; number++) r.server.put("Sales", mail(`recent${number}`), at(-120 * number));
  r.server.hook = ({ name, rest, tag, connection }) => {
    if (name !== "EXAMINE" || !/Sales/.test(rest)) return undefined;
    connection.say(`${tag} NO [NOPERM] not yours`);
    return true;
  };
  r.start({ folders: ["INBOX", "Sales"], connections: 1, poll_seconds: 30 });
  await r.until("five minutes", () => false, 5 * minute).catch(() => undefined);
  r.server.hook = () => undefined;
  const sales = async () => (await r.ledger.folders("acme/sales")).find(({ path }) => path === "Sales");
  await r.until("it is open", async () => (await sales()) !== undefined, 5 * minute);
  r.server.put("Sales", mail("after"), at(0));
  await r.until("it came", () => r.bytes.size > 0, 5 * minute);
  expect(r.subjects()).toEqual(["after"]);
  const folder = await sales();
  expect(folder).toMatchObject({ firstUid: 1_201 });
  expect(await r.ledger.fates(folder?.id ?? 0, [1, 1_200])).toEqual([]);
});

it("a connection that breaks at the first look makes no old mail new", async () => {
  const r = await rig();
  r.server.put("INBOX", mail("before"), { internalDate: new Date(r.clock.now() - minute) });
  r.server.hook = ({ name, connection }) => {
    if (name !== "EXAMINE") return undefined;
    r.server.hook = () => undefined;
    connection.socket.destroy();
    return true;
  };
  r.start();
  await r.until("it waits", () => r.server.commands.at(-1) === "IDLE");
  r.server.put("INBOX", mail("after"), { internalDate: new Date(r.clock.now()) });
  await r.until("it came", () => r.bytes.size > 0);
  expect(r.subjects()).toEqual(["after"]);
});

describe("after a restart", () => {
  const day = 24 * 60 * minute;
  const both = { folders: ["INBOX", "Sales"], connections: 1, poll_seconds: 30 };

  /** Until so many folders are known and all is read; then it is stopped. */
  async function readOnce(r: Rig, settings: Parameters<Rig["start"]>[0], folders: number): Promise<void> {
    const imap = r.start(settings);
    const known = async () => (await r.ledger.folders("acme/sales")).length === folders;
    await r.until("it is read", async () => (await known()) && r.server.commands.at(-1) === "IDLE", 5 * minute);
    let isOver = false;
    void imap.stop(1_000).then(() => {
      isOver = true;
    });
    await r.until("it stopped", () => isOver);
  }

  it("a folder that was refused before it has no mail that is new, but what came since the last look at the account", async () => {
    const r = await rig();
    const now = () => ({ internalDate: new Date(r.clock.now()) });
    r.server.folder("Sales");
    await readOnce(r, { ...both, folders: ["INBOX"] }, 1);
    r.server.hook = ({ name, rest, tag, connection }) => {
      if (name !== "EXAMINE" || !/Sales/.test(rest)) return undefined;
      connection.say(`${tag} NO [NOPERM] not yours`);
      return true;
    };
    await r.clock.advance(day);
    r.server.put("Sales", mail("before"), now());
    await r.clock.advance(day);
    await readOnce(r, both, 1);
    await r.clock.advance(minute);
    r.server.put("Sales", mail("meanwhile"), now());
    r.start(both);
    await r.until("five minutes", () => false, 5 * minute).catch(() => undefined);
    r.server.hook = () => undefined;
    r.server.put("Sales", mail("after"), now());
    await r.until("they came", () => r.bytes.size > 1, 5 * minute);
    expect(r.subjects()).toEqual(["after", "meanwhile"]);
  });

  it("a folder that appeared before it is new, with all its mail", async () => {
    const r = await rig();
    await readOnce(r, { ...both, folders: ["INBOX", "Sa*"] }, 1);
    await r.clock.advance(day);
    r.server.put("Sales", mail("meanwhile"), { internalDate: new Date(r.clock.now()) });
    await r.clock.advance(day);
    r.start({ ...both, folders: ["INBOX", "Sa*"] });
    await r.until("it came", () => r.bytes.size > 0, 5 * minute);
    expect(r.subjects()).toEqual(["meanwhile"]);
  });
});
