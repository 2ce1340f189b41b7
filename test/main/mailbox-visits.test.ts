/** Looks at a mailbox beside its reader: folders by their names, those that are refused, and messages that get other numbers meanwhile. */
import { expect, it } from "vitest";
import type { Ground } from "../../src/main/ground.ts";
import { lookAt, lookThrough, type TakeHow } from "../../src/main/mailbox-visits.ts";
import { OtherNumbers } from "../../src/sources/imap/trouble.ts";
import { mail, type Rig, rig } from "../sources/imap/rig.ts";
import type { Hook } from "../sources/imap/server.ts";
import { memoryTokens } from "../support/tokens.ts";

const groundOf = ({ clock, log, metrics, ledger }: Rig): Ground =>
  ({
    clock,
    log,
    metrics,
    ledger,
    random: { unit: () => 0.5, uuid: () => `event-${++number}` },
    tokens: memoryTokens(),
  }) as unknown as Ground;
let number = 0;

const accountOf = (r: Rig, folders: readonly string[]) => ({
  tenant: "acme",
  settings: r.settings({ folders: [...folders] }),
});

const refusing =
  (folder: string): Hook =>
  ({ name, rest, tag, connection }) => {
    if (name !== "EXAMINE" || !rest.includes(folder)) return undefined;
    connection.say(`${tag} NO [NOPERM] not yours`);
    return true;
  };

const howOf = ({ clock }: Rig, told: TakeHow["told"] = () => undefined): TakeHow => ({
  clock,
  stop: new AbortController().signal,
  rate: 1e6,
  backfilled: true,
  told,
});

it("names a folder that the server does not open, and looks at the others", async () => {
  const r = await rig();
  r.server.folder("Sales");
  r.server.put("INBOX", mail("one"));
  r.server.hook = refusing("Sales");
  const looked = await lookAt(groundOf(r), accountOf(r, ["Sales", "INBOX", "Nowhere"]));
  expect(looked).toEqual({
    folders: [{ name: "INBOX", messages: 1 }],
    missing: ["Nowhere"],
    refused: [{ name: "Sales", reason: expect.stringContaining("not yours") }],
  });
});

it("takes a folder by its name as we or the server write it, and says which it does not know", async () => {
  const r = await rig();
  r.server.folder("Sales.Europe");
  r.server.hook = ({ name, rest, tag, connection }) => {
    if (name !== "LIST" || rest === '"" ""') return undefined;
    for (const path of ["INBOX", "Sales.Europe"]) connection.say(`* LIST () "." "${path}"`);
    connection.say(`${tag} OK done`);
    return true;
  };
  const account = accountOf(r, ["INBOX", "Sales/Europe", "Nowhere"]);
  for (const only of [
    ["Sales/Europe", "Other"],
    ["Sales.Europe", "Other"],
  ]) {
    const looked = await lookThrough(groundOf(r), account, r.intake, { only });
    expect(looked.folders.map(({ name }) => name)).toEqual(["Sales/Europe"]);
    expect([looked.unknown, looked.missing]).toEqual([["Other"], []]);
    await looked.close();
  }
});

it("takes nothing under numbers that mean other messages by now, in a folder that was counted before another; it is counted anew", async () => {
  const r = await rig();
  const old = { internalDate: new Date(r.clock.now() - 3600_000) };
  for (const name of ["a", "b", "c"]) r.server.put("INBOX", mail(name), old);
  r.server.put("Sales", mail("d"), old);
  const looked = await lookThrough(groundOf(r), accountOf(r, ["INBOX", "Sales"]), r.intake, {});
  const [inbox, sales] = looked.folders;
  if (inbox === undefined || sales === undefined) throw new Error("no folders");
  expect(inbox.old).toEqual([1, 2, 3]);
  await sales.take(sales.old, howOf(r));
  // The first is gone, and what had been 2 is 1 now.
  r.server.folder("INBOX").messages.shift();
  r.server.renumber("INBOX", 4_711);
  const told: unknown[] = [];
  await expect(
    inbox.take(
      inbox.old,
      howOf(r, (one) => told.push(one)),
    ),
  ).rejects.toBeInstanceOf(OtherNumbers);
  expect([told, r.subjects()]).toEqual([[], ["d"]]);
  const anew = await inbox.again(howOf(r));
  expect(anew?.old).toEqual([1, 2]);
  await anew?.take(anew.old, howOf(r));
  expect(r.subjects()).toEqual(["b", "c", "d"]);
  const rows = await r.rows();
  expect(new Set(rows.map(({ envelope }) => envelope.imap?.uidvalidity))).toEqual(new Set([4_711, 1_001]));
  await looked.close();
});

it("leaves to the reader what came since the watch began, also under new numbers that it has not been past", async () => {
  const r = await rig();
  r.server.put("INBOX", mail("old"), { internalDate: new Date(r.clock.now() - 3600_000) });
  const first = await lookThrough(groundOf(r), accountOf(r, ["INBOX"]), r.intake, {});
  await first.close();
  r.server.put("INBOX", mail("new"), { internalDate: new Date(r.clock.now() + 1_000) });
  r.server.renumber("INBOX", 4_711);
  const again = await lookThrough(groundOf(r), accountOf(r, ["INBOX"]), r.intake, {});
  expect(again.folders.map(({ uids, old }) => [uids, old])).toEqual([[[1, 2], [1]]]);
  await again.close();
});

it("waits for the reader of the account to come to the new numbers", async () => {
  const r = await rig();
  r.server.put("INBOX", mail("old"), { internalDate: new Date(r.clock.now() - 3600_000) });
  r.server.capability = "IMAP4rev1";
  r.start({ poll_seconds: 30 });
  await r.until("it is known", async () => (await r.ledger.folders("acme/sales")).length === 1);
  const looked = await lookThrough(groundOf(r), accountOf(r, ["INBOX"]), r.intake, {});
  const [inbox] = looked.folders;
  r.server.renumber("INBOX", 4_711);
  await expect(inbox?.take(inbox.old, howOf(r))).rejects.toBeInstanceOf(OtherNumbers);
  let anew: readonly number[] | undefined;
  void inbox?.again(howOf(r)).then((found) => {
    anew = found?.old;
  });
  await r.until("the reader has come to it", () => anew !== undefined, 60_000);
  expect(anew).toEqual([1]);
  await looked.close();
});
