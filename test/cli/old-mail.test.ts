/** `mailwright backfill`, `audit coverage` and `init --check` at a server that does as it is told, on a data folder that nobody else works. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openLedger } from "../../src/store/index.ts";
import { mail } from "../sources/imap/rig.ts";
import { ImapServer } from "../sources/imap/server.ts";
import { command, type Ended, shapedBy } from "./stage.ts";

interface Stage {
  readonly server: ImapServer;
  readonly dir: string;
  readonly ledger: string;
  run(...args: string[]): Promise<Ended>;
}

async function stage(changes: object = {}): Promise<Stage> {
  const dir = mkdtempSync(join(tmpdir(), "mailwright-old-mail-"));
  const server = await new ImapServer().listen();
  onTestFinished(async () => {
    await server.close();
    rmSync(dir, { recursive: true, force: true });
  });
  server.folder("INBOX", "\\Inbox");
  const account = { id: "sales", host: "127.0.0.1", port: server.port, tls: "none", user: "sales@acme.test" };
  const imap = [{ ...account, password: "secret", folders: ["INBOX"], ...changes }];
  const file = {
    data_dir: "./data",
    limits: { parse_children: 2 },
    tenants: [{ id: "acme", imap, destinations: [{ id: "crm", type: "local" }] }],
  };
  writeFileSync(join(dir, "m.yaml"), JSON.stringify(file));
  return {
    server,
    dir,
    ledger: join(dir, "data", "ledger.sqlite"),
    run: (...args) => command([...args, "--config", join(dir, "m.yaml")]),
  };
}

it("init --check names a folder that the server does not open, and looks at the others", async () => {
  const { server, dir } = await stage();
  server.folder("Sent", "\\Sent");
  server.put("INBOX", mail("one"));
  let closed = "Sent";
  server.hook = ({ name, rest, tag, connection }) => {
    if (name !== "EXAMINE" || !rest.includes(closed)) return undefined;
    connection.say(`${tag} NO [NOPERM] not yours`);
    return true;
  };
  const told = ["--mail", "mailbox", "--provider", "other", "--host", "127.0.0.1", "--port", String(server.port)];
  const login = [
    "--tls",
    "none",
    "--user",
    "sales@acme.test",
    "--password",
    "env:PASSWORD",
    "--check",
    "--yes",
    "--json",
  ];
  const init = (file: string) => command(["init", file, ...told, ...login], { cwd: dir, env: { PASSWORD: "secret" } });
  const one = await init("one.yaml");
  expect(one.err).toBe("");
  expect(one.json()).toMatchObject({
    login: {
      ok: true,
      detail: expect.stringMatching(/does not open Sent: .*not yours/),
      folders: [{ name: "INBOX", messages: 1 }],
      refused: [{ name: "Sent" }],
    },
  });
  closed = "";
  const none = await init("none.yaml");
  expect(none.err).toMatch(/the mailbox cannot be read: .*INBOX.*Sent/);
});

const hourAgo = () => ({ internalDate: new Date(Date.now() - 3600_000) });

it("counts a folder anew whose messages get other numbers in the middle of a backfill, and takes each in once", async () => {
  const { server, run } = await stage();
  for (const name of ["a", "b", "c", "d"]) server.put("INBOX", mail(name), hourAgo());
  server.hook = ({ name, rest, connection }) => {
    if (name !== "UID FETCH" || !rest.includes("BODY")) return undefined;
    server.hook = () => undefined;
    for (const message of connection.in(rest).slice(0, 2)) connection.fetch(message, rest);
    // The first is gone, and each of the others has the number of the one before it.
    server.folder("INBOX").messages.shift();
    server.renumber("INBOX", 4_711);
    setImmediate(() => connection.socket.destroy());
    return true;
  };
  const report = await shapedBy(run, "backfill", ["--account", "sales", "--since", "2020-01-01"]);
  // Of the three that are there, one had been taken in under its old number.
  expect(report.folders).toMatchObject([{ folder: "INBOX", found: 3, taken: 4, duplicates: 1, left: 0 }]);
  expect(report).toMatchObject({ stopped: false, refused: [], unread: [] });
  const audited = await shapedBy(run, "audit coverage", ["--account", "sales"]);
  expect(audited).toMatchObject({ percent: 100, total: 3, tally: { logged: 3, missing: 0 } });
}, 60_000);

it("says why a message was missing that a repair took in, and why another could not be taken in", async () => {
  const { server, ledger: path, run } = await stage({ max_bytes: 5_000 });
  await shapedBy(run, "backfill", ["--account", "sales", "--since", "2020-01-01", "--dry-run"]);
  server.put("INBOX", mail("one"));
  server.put("INBOX", mail("large", "x".repeat(6_000)));
  const ledger = await openLedger({ path, thread: "calling" });
  const account = "acme/sales";
  const now = Date.now();
  const [folder] = await ledger.folders(account);
  const lease = await ledger.holdAccount({ account, now, until: now + 1_000, selectors: "INBOX" });
  if (folder === undefined || lease === undefined) throw new Error("the account is not free");
  const passed = [{ uid: 1, state: "gone", reason: "it was deleted before it could be read" } as const];
  const news = { folder: folder.id, at: now, uidNext: 3, modSeq: null, lastUid: 2, passed };
  expect(await ledger.folderNews({ account, token: lease.token, ...news })).toBe(true);
  await ledger.releaseAccount(lease);
  await ledger.close();
  const ended = await run("audit", "coverage", "--account", "sales", "--repair", "--json");
  expect(ended.code).toBe(4);
  const why = expect.stringMatching(/more than the 5000/);
  expect(ended.json()).toMatchObject({
    repaired: 1,
    repairs: [
      { uid: 2, outcome: "refused", missed: null, reason: why },
      { uid: 1, outcome: "new", missed: "it was deleted before it could be read", reason: null },
    ],
    messages: [
      { uid: 1, state: "logged" },
      { uid: 2, state: "missing", reason: why },
    ],
  });
}, 60_000);
