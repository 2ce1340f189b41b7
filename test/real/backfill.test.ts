/** Old mail of a real Dovecot, taken in while it is stopped, restarted, expunged and renumbered; and what is done to messages there. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import type { Backfilled, Coverage } from "../../src/cli/mailbox-shapes.ts";
import { mailwright } from "../process/command.ts";
import { bin, type Home, makeHome, startDaemon } from "../process/daemon.ts";
import { type Dovecot, dovecotAvailable, startDovecot } from "./dovecot.ts";
import { activitiesOf, mailboxHome, openMailing, until, watching } from "./dovecot-kills.ts";

const day = 86_400_000;
// The long form: BACKFILL=10000 npx vitest run --project real test/real/backfill.test.ts
const count = Number(process.env.BACKFILL ?? 240);
const isLong = count > 1_000;
const say = (words: string): void => void (isLong && process.stderr.write(`${new Date().toISOString()} ${words}\n`));

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

interface Run {
  readonly code: number | null;
  readonly report: Backfilled | undefined;
  readonly said: string;
}

/** `at`: by how many activities what happens, in order. */
async function backfilling(
  home: Home,
  since: string,
  rate: number,
  at: readonly (readonly [activities: number, what: (stop: () => void) => Promise<void> | void])[] = [],
): Promise<Run> {
  const args = ["backfill", "--account", "ada", "--since", since, "--rate", String(rate), "--json"];
  const child = spawn(process.execPath, [bin, ...args, "--config", home.config], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const closed = once(child, "close") as Promise<[number | null]>;
  let isOver = false;
  void closed.then(() => {
    isOver = true;
  });
  for (const [activities, what] of at) {
    await until(`${activities} are filed`, () => isOver || activitiesOf(home).length >= activities, 900_000);
    if (!isOver) await what(() => void child.kill("SIGINT"));
  }
  const [code] = await closed;
  say(`backfill ended with ${code}: ${said.trim().split("\n").at(-1)}`);
  return { code, report: out === "" ? undefined : (JSON.parse(out) as Backfilled), said };
}

async function onServer(dovecot: Dovecot, query: string): Promise<number> {
  const found = await dovecot.doveadm("search", "-u", dovecot.user, "mailbox", "INBOX", ...query.split(" "));
  return found.split("\n").filter((line) => line !== "").length;
}

describe.runIf(dovecotAvailable())("old mail at a server that is restarted, expunged and renumbered", () => {
  it(
    `of ${count} messages is taken in once each, with a stop, and the audit accounts for all that is there`,
    async () => {
      const dovecot = await startDovecot();
      open.push(() => dovecot.stop());
      const home = await mailboxHome(dovecot, { folders: ["INBOX"], after: "keyword" });
      open.push(() => home.remove());
      const mailing = openMailing();
      const at = Date.now() - 10 * day;
      await dovecot.deliver([mailing.write("ancient-1")], { at: at - 300 * day, seen: true });
      const ancient = mailing.ids.splice(0);
      await dovecot.deliver(
        Array.from({ length: count }, (_, n) => mailing.write(`old-${n}`)),
        { at, seen: true },
      );
      say("delivered");
      const daemon = await startDaemon(home);
      open.push(() => daemon.kill("SIGKILL"));
      await watching(daemon, 1);
      const since = new Date(at - day).toISOString().slice(0, 10);
      const rate = Math.max(40, count / 60);
      const restart = async (): Promise<void> => {
        await dovecot.halt();
        await dovecot.start();
      };
      const expunge = (name: string) =>
        dovecot.doveadm("expunge", "-u", dovecot.user, "mailbox", "INBOX", "subject", name);
      const deleted = [count - 1, count - 3, count - 50, Math.floor(count / 2), 1].map((n) => `old-${n}`);

      // Some are deleted while they are fetched, and it is stopped.
      const stopped = await backfilling(home, since, rate, [
        [Math.floor(count / 10), async () => void (await Promise.all(deleted.map((name) => expunge(`${name}`))))],
        [Math.floor(count / 5), (stop) => stop()],
      ]);
      expect(stopped.code).toBe(4);
      expect(stopped.report).toMatchObject({ stopped: true, refused: [] });
      const fresh = mailing.write("fresh-1");
      await dovecot.deliver([fresh]);
      await until("new mail does not wait for old", () => activitiesOf(home).includes("<fresh-1@client.test>"));

      // The server is restarted, and then its index is lost: the command says so, and goes on under the new numbers.
      const renumbered = await backfilling(home, since, rate, [
        [Math.floor(count * 0.35), restart],
        [
          Math.floor(count * 0.6),
          async () => {
            await dovecot.halt();
            await dovecot.renumber();
            await dovecot.deliver([mailing.write("fresh-2")]);
            await dovecot.start();
          },
        ],
      ]);
      if (renumbered.code !== 0) expect(renumbered.said).toMatch(/other numbers .* the same command goes on/);
      // Its reader has to have looked at the new numbers.
      let last = renumbered;
      await until(
        "it is through",
        async () => {
          last = await backfilling(home, since, 10_000);
          return last.code === 0;
        },
        900_000,
      );
      expect(last.report?.folders).toMatchObject([{ left: 0, given_up: 0 }]);

      const there = new Set(mailing.ids);
      await until("all are filed", () => activitiesOf(home).length >= there.size - deleted.length, 900_000);
      await until("and marked", async () => (await onServer(dovecot, "keyword $Mailwright")) === 2);
      const filed = activitiesOf(home);
      expect(filed).toHaveLength(new Set(filed).size);
      const gone = new Set(deleted.map((name) => `<${name}@client.test>`));
      expect(mailing.ids.filter((id) => !gone.has(id) && !filed.includes(id))).toEqual([]);
      expect(filed.filter((id) => !there.has(id) || ancient.includes(id))).toEqual([]);
      // Of old mail nothing is marked, and nothing unseen was seen.
      expect(await onServer(dovecot, "unseen")).toBe(2);

      const audited = await mailwright(["audit", "coverage", "--account", "ada", "--config", home.config, "--json"]);
      const proof = audited.json<Coverage>();
      const left = await onServer(dovecot, "all");
      expect([audited.code, proof.percent, proof.total, proof.unread]).toEqual([0, 100, left, []]);
      expect(proof.tally).toMatchObject({ logged: left - 1, before: 1, missing: 0, given_up: 0, pending: 0 });
      expect(proof.messages.filter(({ state, reason }) => state !== "logged" && reason === null)).toEqual([]);
      expect(proof.messages.filter(({ activities }) => activities.length > 1)).toEqual([]);
      say(`audit: ${JSON.stringify(proof.tally)} of ${proof.total}`);
      await daemon.kill("SIGTERM");
    },
    isLong ? 3_600_000 : 240_000,
  );
});

describe.runIf(dovecotAvailable())("what is done to messages at a real Dovecot", () => {
  it("is nothing, a keyword, \\Seen or a move, as configured for each mailbox, and only once each message is here", async () => {
    const dovecot = await startDovecot();
    open.push(() => dovecot.stop());
    const ways = [
      { id: "none", after: "none" },
      { id: "keyword", after: "keyword", keyword: "$Logged" },
      { id: "seen", after: "seen" },
      { id: "move", after: "move", move_to: "Archive" },
    ];
    for (const { id } of ways) await dovecot.doveadm("mailbox", "create", "-u", dovecot.user, id);
    const server = { host: "127.0.0.1", port: dovecot.port, tls: "none", user: dovecot.user, poll_seconds: 5 };
    const imap = ways.map((way) => ({ ...server, password: dovecot.password, folders: [way.id], ...way }));
    const destinations = [{ id: "crm", type: "local" }];
    const home = await makeHome([], { tenants: [{ id: "acme", imap, destinations }] });
    open.push(() => home.remove());
    const daemon = await startDaemon(home);
    open.push(() => daemon.kill("SIGKILL"));
    await watching(daemon, ways.length);
    const mailing = openMailing();
    for (const { id } of ways)
      await dovecot.deliver(
        ["a", "b", "c"].map((name) => mailing.write(`${id}-${name}`)),
        { folder: `.${id}` },
      );
    await until("all are filed", () => activitiesOf(home).length === mailing.ids.length);
    const search = async (...query: string[]): Promise<number> => {
      const found = await dovecot.doveadm("search", "-u", dovecot.user, ...query);
      return found.split("\n").filter((line) => line !== "").length;
    };
    const holds = async () => [
      await search("mailbox", "none", "unseen", "unkeyword", "$Mailwright"),
      await search("mailbox", "keyword", "unseen", "keyword", "$Logged"),
      await search("mailbox", "seen", "seen"),
      await search("mailbox", "move", "all"),
      await search("mailbox", "Archive", "unseen"),
    ];
    await until("all is done", async () => (await holds()).join() === "3,3,3,0,3");
    expect([...activitiesOf(home)].sort()).toEqual([...mailing.ids].sort());
    await daemon.kill("SIGTERM");
  });
});
