import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openLocalRecords } from "../../src/store/index.ts";
import { startDaemon } from "../process/daemon.ts";
import { drained } from "../process/verdict.ts";
import { dovecotAvailable, startDovecot } from "./dovecot.ts";
import { activitiesOf, foldersOf, killRounds, mailboxHome, openMailing, until, watching } from "./dovecot-kills.ts";

const available = dovecotAvailable();

describe("a mailbox at a real Dovecot", () => {
  test.skipIf(!available)(
    "by IDLE and by poll, sent mail, deletions, new numbers and restarts: each mail once, and nothing changed but what was asked for",
    async () => {
      const dovecot = await startDovecot();
      const home = await mailboxHome(dovecot, { after: "keyword" });
      const mailing = openMailing();
      const flags = async (query: string) =>
        (
          await dovecot.doveadm(
            "-f",
            "tab",
            "fetch",
            "-u",
            dovecot.user,
            "flags",
            "mailbox",
            "INBOX",
            ...query.split(" "),
          )
        )
          .split("\n")
          .slice(1, -1);
      try {
        const before = ["old-1", "old-2"].map((name) => mailing.write(name));
        await dovecot.deliver(before, { at: Date.now() - 5_000 });
        const old = mailing.ids.splice(0);
        const daemon = await startDaemon(home);
        await watching(daemon);

        await dovecot.deliver([mailing.write("new-1"), mailing.write("new-2")]);
        await until("new mail is filed", () => activitiesOf(home).length === 2, 20_000);
        await dovecot.deliver([mailing.write("sent-1", { from: dovecot.user, to: "bert@client.test" })], {
          folder: ".Sent",
          seen: true,
        });
        await until("sent mail is filed", () => activitiesOf(home).length === 3, 20_000);

        // The server goes and comes back, with mail that came meanwhile; one is deleted.
        await dovecot.halt();
        await dovecot.deliver([mailing.write("away-1"), mailing.write("away-2")]);
        await dovecot.start();
        await until("what came meanwhile is filed", () => activitiesOf(home).length === 5);
        await dovecot.doveadm("expunge", "-u", dovecot.user, "mailbox", "INBOX", "subject", "new-1");
        await dovecot.deliver([mailing.write("after-1")]);
        await until("it goes on", () => activitiesOf(home).length === 6);

        // Its index is lost: all messages have new numbers.
        await dovecot.halt();
        await dovecot.renumber();
        await dovecot.deliver([mailing.write("renumbered-1")]);
        await dovecot.start();
        await until("it goes on under new numbers", () => activitiesOf(home).length === 7);
        await until("marked", async () => (await flags("keyword $Mailwright")).length === 5);
        await drained(daemon.httpPort, 30_000);
        await daemon.kill("SIGTERM");

        expect([...activitiesOf(home)].sort()).toEqual([...mailing.ids].sort());
        expect(activitiesOf(home).filter((id) => old.includes(id))).toEqual([]);
        expect(directionOf(home.dataDir, "<sent-1@client.test>")).toBe("outbound");
        expect(directionOf(home.dataDir, "<new-1@client.test>")).toBe("inbound");
        // Of what was there before, and of what was read, nothing is seen or marked that was not asked for.
        expect(await flags("seen")).toEqual([]);
        expect((await flags("subject old")).filter((line) => /Mailwright|Seen/.test(line))).toEqual([]);
        const [inbox] = (await foldersOf(home)).filter(({ path }) => path === "INBOX");
        expect(inbox?.known.waiting).toEqual([]);
        expect(inbox?.lastUid).toBe((inbox?.uidNext ?? 0) - 1);
        expect(inbox?.toAct).toBe(0);
      } finally {
        await dovecot.stop();
        await home.remove();
      }
    },
    120_000,
  );

  // 50 rounds: MAILWRIGHT_ROUNDS=50 npx vitest run --project real test/real/dovecot.test.ts -t killed
  const rounds = Number(process.env.MAILWRIGHT_ROUNDS ?? 3);
  test.skipIf(!available)(
    `the daemon is killed ${rounds} times: each mail once, the cursor right, the keyword on each`,
    async () => {
      const dovecot = await startDovecot();
      try {
        const killed = await killRounds(
          dovecot,
          rounds,
          Math.random,
          (words) => void (rounds > 10 && process.stderr.write(`${words}\n`)),
        );
        expect(killed).toMatchObject({ lost: [], doubled: [], phantom: [], toAct: 0, mails: rounds * 12 });
        expect(killed.lastUid).toBe(killed.mails);
        expect(killed.serverUids).toBe(killed.mails);
        const marked = await dovecot.doveadm(
          "search",
          "-u",
          dovecot.user,
          "mailbox",
          "INBOX",
          "keyword",
          "$Mailwright",
        );
        expect(marked.trim().split("\n")).toHaveLength(killed.mails);
      } finally {
        await dovecot.stop();
      }
    },
    60_000 + rounds * 90_000,
  );
});

function directionOf(dataDir: string, messageId: string): unknown {
  const records = openLocalRecords(join(dataDir, "crm.sqlite"));
  try {
    return records.list("activity", { limit: 100 }).find(({ fields }) => fields.message_id === messageId)?.fields
      .direction;
  } finally {
    records.close();
  }
}
