/** Messages that wait for their next try: one that a SEARCH left out comes all the same, and one that a command took in waits no more. */
import { expect, it } from "vitest";
import { mail, type Rig, rig } from "./rig.ts";
import type { Hook } from "./server.ts";

const minute = 60_000;

const refuses: Hook = ({ name, rest, tag, connection }) => {
  if (name !== "UID FETCH" || !rest.includes("BODY")) return undefined;
  connection.say(`${tag} NO not now`);
  return true;
};

async function waitingRig(): Promise<Rig> {
  const r = await rig();
  r.start({ poll_seconds: 600 });
  await r.until("it waits", () => r.server.commands.includes("IDLE"));
  r.server.hook = refuses;
  r.server.put("INBOX", mail("one"));
  await r.until("it is put off", async () => (await fate(r))?.state === "waiting");
  return r;
}

const inboxOf = async (r: Rig) => (await r.ledger.folders("acme/sales"))[0];

async function fate(r: Rig) {
  const folder = await inboxOf(r);
  return folder === undefined ? undefined : (await r.ledger.fates(folder.id, [1]))[0];
}

it("takes a message that one SEARCH left out", async () => {
  const r = await waitingRig();
  r.server.hook = ({ name, tag, connection }) => {
    if (name !== "UID SEARCH") return undefined;
    connection.say("* SEARCH");
    connection.say(`${tag} OK done`);
    return true;
  };
  await r.until("it seems gone", async () => (await fate(r))?.state === "gone", 2 * minute);
  r.server.hook = () => undefined;
  await r.until("it came", () => r.subjects().includes("one"), 75 * minute);
  expect(await fate(r)).toMatchObject({ state: "landed", source: "live" });
});

it("does not look again and again for one that a command has taken in", async () => {
  const r = await waitingRig();
  const folder = await inboxOf(r);
  if (folder === undefined) throw new Error("no folder");
  const { id, uidValidity } = folder;
  const imap = { account: "sales", mailbox: "INBOX", uidvalidity: uidValidity, uid: 1, flags: [], internaldate: null };
  const envelope = { kind: "imap" as const, tenant: "acme", routes: ["INBOX"], received_at: r.clock.now(), imap };
  async function* bytes() {
    yield Buffer.from(mail("one"));
  }
  const landing = { folder: id, uidValidity, uid: 1, source: "backfill", after: "none" } as const;
  await r.intake.accept(bytes(), [envelope], { landing });
  expect(await fate(r)).toMatchObject({ state: "landed", source: "backfill" });
  const looks = () => r.server.commands.filter((line) => line.startsWith("UID SEARCH")).length;
  const before = looks();
  await r.until("nine minutes", () => false, 9 * minute).catch(() => undefined);
  expect(looks() - before).toBeLessThan(10);
});
