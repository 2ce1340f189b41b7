/** Old mail of a real Dovecot, taken in while everything around it goes wrong. `BACKFILL=10000` for a mailbox of that size. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Backfilled, Coverage } from "../../src/cli/mailbox-shapes.ts";
import { openLedger } from "../../src/store/index.ts";
import type { Home } from "../process/daemon.ts";
import { dovecotAvailable, startDovecot } from "./dovecot.ts";
import { begin, daemonOn, day, eventually, homeFor, logged, mail, open, run } from "./mailbox-rig.ts";

const count = Number(process.env.BACKFILL ?? 300);
const told = (words: string): void => void (process.env.BACKFILL !== undefined && process.stderr.write(`${words}\n`));

/** UIDs of all generations of the inbox that are in the ledger. */
async function landed({ dataDir }: Home): Promise<number> {
  const ledger = await openLedger({ path: join(dataDir, "ledger.sqlite"), thread: "calling" });
  try {
    let found = 0;
    for (const { id } of await ledger.folders("acme/ada")) {
      for (let after = 0; ; ) {
        const page = await ledger.uidsIn({ folder: id, states: ["landed"], after, limit: 5_000 });
        found += page.length;
        const last = page.at(-1)?.uid;
        if (last === undefined) break;
        after = last;
      }
    }
    return found;
  } finally {
    await ledger.close();
  }
}

describe.runIf(dovecotAvailable())("old mail of a server that does not sit still", () => {
  it(
    `of ${count} messages: deletions, a restart, new numbers, a killed command and a killed daemon in the middle; each message once, and nothing is missing`,
    async () => {
      const dovecot = await startDovecot();
      open.push(() => dovecot.stop());
      const at = Date.now() - 10 * day;
      const names = Array.from({ length: count }, (_, n) => `old${String(n).padStart(6, "0")}`);
      await dovecot.deliver(
        names.map((name, n) => mail(name, at + n)),
        { at, seen: true },
      );
      const home = await homeFor(dovecot, { password: dovecot.password });
      let daemon = await daemonOn(home);
      const since = new Date(at - day).toISOString().slice(0, 10);
      const backfill = ["backfill", "--account", "ada", "--since", since];
      await eventually("the first look", async () =>
        (await run(home, ...backfill, "--dry-run")).code === 0 ? true : undefined,
      );
      const rate = String(Math.max(10, count / 30));
      const begun = () => begin(home, [...backfill, "--rate", rate], told);
      /** A part of the mailbox more than there is now. */
      const goesOn = async (): Promise<void> => {
        const before = await landed(home);
        const enough = async () => ((await landed(home)) >= before + count / 12 ? true : undefined);
        await eventually("more of the mailbox", enough, 300_000);
        told(`${await landed(home)} are here`);
      };
      const expunge = async (name: string): Promise<void> =>
        void (await dovecot.doveadm("expunge", "-u", dovecot.user, "mailbox", "INBOX", "subject", name));

      // Deleted at the server: some that are here, and some that were to come.
      let working = begun();
      await goesOn();
      const kept = names.slice(0, 3);
      const gone = names.slice(-3);
      for (const name of [...kept, ...gone]) await expunge(name);
      // It goes and comes back beneath a command at work.
      await goesOn();
      await dovecot.halt();
      await dovecot.start();
      await goesOn();
      working.kill("SIGKILL");
      expect(await working.code).toBeNull();
      working = begun();
      // Not before it is at work: else it would be the one to hold the data folder.
      await goesOn();
      await daemon.kill("SIGKILL");
      // And all that is left has another number under another UIDVALIDITY.
      expect(await landed(home)).toBeLessThan(names.length - kept.length - gone.length);
      await dovecot.halt();
      await dovecot.renumber();
      await dovecot.start();
      daemon = await daemonOn(home);
      await dovecot.deliver([mail("fresh")]);
      told(`the command ended with ${await working.code}`);

      const left = names.length - kept.length - gone.length + 1;
      const last = await eventually(
        "nothing is left to take in",
        async () => {
          const ran = await run(home, ...backfill, "--rate", "10000");
          told(`backfill ended with ${ran.code}: ${ran.err.trim().split("\n").at(-1)}`);
          return ran.code === 0 ? ran.json<Backfilled>() : undefined;
        },
        300_000,
      );
      expect(last.folders).toMatchObject([{ folder: "INBOX", found: left, given_up: 0, left: 0 }]);
      const wanted = [...names.filter((name) => !gone.includes(name)), "fresh"].map((name) => `About ${name}`).sort();
      await eventually("all of them", () => (logged(home).length >= wanted.length ? true : undefined), 600_000);
      expect(logged(home)).toEqual(wanted);
      const audited = await run(home, "audit", "coverage", "--account", "ada");
      expect([audited.code, audited.json<Coverage>()]).toMatchObject([
        0,
        { percent: 100, total: left, tally: { logged: left, missing: 0 } },
      ]);
      const unseen = await dovecot.doveadm("search", "-u", dovecot.user, "mailbox", "INBOX", "unseen");
      expect(unseen.trim().split("\n")).toHaveLength(1);
      await daemon.kill("SIGTERM");
    },
    300_000 + count * 200,
  );
});
