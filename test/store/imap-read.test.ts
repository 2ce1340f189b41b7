/** What is known of a folder is read with a few questions to SQLite, however many messages it has. */
import { expect, it } from "vitest";
import { openLedger } from "../../src/store/index.ts";
import { type Connection, openConnection } from "../../src/store/sqlite/connection.ts";
import { openCore } from "../../src/store/sqlite.ts";
import { message, preparedOf, skip } from "./contract/world.ts";
import { testFolder } from "./folder.ts";

const count = 300;

async function readFolder(path: string): Promise<number> {
  const ledger = await openLedger({ path, thread: "calling" });
  const account = "acme/sales";
  const lease = await ledger.holdAccount({ account, now: 1, until: 9, selectors: "INBOX" });
  if (lease === undefined) throw new Error("the account is held");
  const fresh = { path: "INBOX", mailboxId: null, uidValidity: 7, uidNext: 1, firstUid: 1, since: 0, now: 1 };
  const folder = await ledger.openFolder({ account, token: lease.token, ...fresh });
  if (folder === undefined) throw new Error("the lease was lost");
  const landing = { folder: folder.id, uidValidity: 7, lease: lease.token, source: "live", after: "none" } as const;
  await ledger.accept(
    Array.from({ length: count }, (_, n) => message(`m${n}`, { landing: { ...landing, uid: n + 1 } })),
  );
  const attempts = await ledger.attempt({ tenants: ["acme"], room: count, now: 5, leaseMs: 5 });
  await ledger.prepare(attempts.map((attempt) => preparedOf(attempt, { "acme/crm": skip(), "acme/other": skip() })));
  await ledger.close();
  return folder.id;
}

it("asks no question for each message", async () => {
  const path = testFolder().file("ledger.sqlite");
  const folder = await readFolder(path);
  let asked = 0;
  const core = openCore({
    path,
    check: "none",
    connect(options) {
      const opened = openConnection(options);
      const prepare = opened.prepare.bind(opened) as Connection["prepare"];
      opened.prepare = ((sql: string) => {
        const statement = prepare(sql);
        const all = statement.all.bind(statement);
        statement.all = (...values: unknown[]) => {
          asked += 1;
          return all(...values);
        };
        return statement;
      }) as Connection["prepare"];
      return opened;
    },
  });
  asked = 0;
  const uids = Array.from({ length: count }, (_, n) => n + 1);
  const answers = core.run([
    { name: "uidsIn", args: [{ folder, states: ["landed"], after: 0, limit: 5_000 }] },
    { name: "fates", args: [folder, uids] },
  ]);
  core.close();
  expect(asked).toBeLessThan(10);
  for (const answer of answers) {
    const fates = answer.ok ? (answer.value as { uid: number; deliveries: { lane: string }[] }[]) : [];
    expect(fates.map(({ uid }) => uid)).toEqual(uids);
    for (const { deliveries } of fates) expect(deliveries.map(({ lane }) => lane)).toEqual(["acme/crm", "acme/other"]);
  }
});
