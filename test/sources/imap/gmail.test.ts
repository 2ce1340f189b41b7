/** Gmail shows one message in as many folders as it has labels, and in All Mail: it is one event all the same. */
import { expect, it } from "vitest";
import { mail, type Rig, rig } from "./rig.ts";

async function gmail(): Promise<Rig> {
  const r = await rig();
  r.server.capability = "IMAP4rev1 IDLE UIDPLUS MOVE SPECIAL-USE X-GM-EXT-1";
  for (const [path, use] of [
    ["[Gmail]/All Mail", "\\All"],
    ["[Gmail]/Sent Mail", "\\Sent"],
    ["[Gmail]/Starred", "\\Flagged"],
    ["[Gmail]/Important", "\\Important"],
    ["[Gmail]/Drafts", "\\Drafts"],
    ["[Gmail]/Spam", "\\Junk"],
    ["[Gmail]/Bin", "\\Trash"],
  ] as const)
    r.server.folder(path, use);
  for (const label of ["Customers", "Customers/Big"]) r.server.folder(label);
  return r;
}
const put = (r: Rig, name: string, number: number, ...paths: readonly string[]): void => {
  const gmail = [`18446744073709551${600 + number}`, `18446744073709551${500 + number}`] as const;
  for (const path of ["[Gmail]/All Mail", ...paths])
    r.server.put(path, mail(name), { gmail, internalDate: new Date(r.clock.now()) });
};
const paths = async (r: Rig) => (await r.ledger.folders("acme/sales")).map(({ path }) => path).sort();

it("no pattern takes All Mail, what is starred, drafts or junk, and a message with three labels is read once, and its places are all known", async () => {
  const r = await gmail();
  r.start({ folders: ["\\Inbox", "\\Sent", "*"], connections: 1, poll_seconds: 30 });
  const read = ["Customers", "Customers/Big", "INBOX", "[Gmail]/Sent Mail"];
  await r.until("all are known", async () => (await r.ledger.folders("acme/sales")).length === read.length);
  expect(await paths(r)).toEqual(read);
  put(r, "deal", 1, "INBOX", "Customers", "Customers/Big", "[Gmail]/Starred", "[Gmail]/Important");
  put(r, "answer", 2, "[Gmail]/Sent Mail", "Customers");
  const landed = async () => {
    const folders = await r.ledger.folders("acme/sales");
    const uids = await Promise.all(
      folders.map(({ id }) => r.ledger.uidsIn({ folder: id, states: ["landed"], after: 0, limit: 9 })),
    );
    return uids.flat();
  };
  await r.until("each place is known", async () => (await landed()).length === 5);
  expect(r.subjects()).toEqual(["answer", "deal"]);
  const rows = await r.rows();
  expect(rows).toHaveLength(2);
  const [deal] = rows.filter(({ envelope }) => envelope.imap?.gm_msgid === "18446744073709551601");
  expect(deal?.envelope.imap).toMatchObject({ gm_thrid: "18446744073709551501" });
  const events = Map.groupBy(await landed(), ({ eventId }) => eventId);
  expect([...events.values()].map(({ length }) => length).sort()).toEqual([2, 3]);
});

it("a message that is in All Mail too is one event where somebody asks for that by name", async () => {
  const r = await gmail();
  r.start({ folders: ["\\All", "\\Inbox", "\\Sent"], connections: 2, poll_seconds: 30 });
  await r.until("all are known", async () => (await r.ledger.folders("acme/sales")).length === 3);
  for (let n = 0; n < 20; n++) put(r, `m${n}`, n, n % 2 === 0 ? "INBOX" : "[Gmail]/Sent Mail");
  await r.until("all came", () => r.bytes.size === 20);
  await r.until("two polls", () => false, 70_000).catch(() => undefined);
  expect(await r.rows()).toHaveLength(20);
});
