/** A mailbox at a real Dovecot: opened by OAuth tokens that end and are taken back, its old mail taken in with stops, and the proof that nothing is missing. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Backfilled, Coverage } from "../../src/cli/mailbox-shapes.ts";
import { systemClock } from "../../src/main.ts";
import { openLedger } from "../../src/store/index.ts";
import type { Home } from "../process/daemon.ts";
import { createIssuer, type Issuer } from "../support/issuer.ts";
import { serveIssuer } from "../support/issuer-server.ts";
import { type Dovecot, dovecotAvailable, startDovecot } from "./dovecot.ts";
import {
  begin,
  daemonOn,
  day,
  eventually,
  hasLogged,
  homeFor,
  logged,
  mail,
  metric,
  open,
  run,
} from "./mailbox-rig.ts";

const reference = ["$", "{file:./refresh}"].join("");

describe.runIf(dovecotAvailable())("a mailbox that is opened by tokens", () => {
  async function tokenMailbox(lifeSeconds: number): Promise<{ issuer: Issuer; dovecot: Dovecot; home: Home }> {
    const issuer = createIssuer(systemClock, { lifeSeconds, rotate: true, clientSecret: undefined });
    const served = await serveIssuer(issuer);
    open.push(served.close);
    const dovecot = await startDovecot({ introspectUrl: `${served.url}/introspect` });
    open.push(() => dovecot.stop());
    const oauth = {
      type: "refresh_token",
      endpoint: `${served.url}/token`,
      client_id: "client",
      refresh_token: reference,
    };
    const home = await homeFor(dovecot, { oauth });
    await writeFile(join(home.dir, "refresh"), issuer.signIn());
    return { issuer, dovecot, home };
  }

  it("goes on when they end in the middle of a session, with refresh tokens that work once", async () => {
    // Longer than a login takes on a busy machine.
    const lifeSeconds = 8;
    const { issuer, dovecot, home } = await tokenMailbox(lifeSeconds);
    const daemon = await daemonOn(home);
    await eventually("the first look", async () => ((await metric(daemon, "imap_connected")) === 1 ? true : undefined));
    await dovecot.deliver([mail("one")]);
    await eventually("one", () => hasLogged(home, "About one"));
    const asked = issuer.counts.token;
    await new Promise((resolve) => setTimeout(resolve, lifeSeconds * 1_000));
    // Dovecot ends no session when its token does.
    await dovecot.deliver([mail("two")]);
    await eventually("two", () => hasLogged(home, "About two"));
    expect(issuer.counts.token).toBe(asked);
    await dovecot.doveadm("kick", dovecot.user);
    await dovecot.deliver([mail("three")]);
    await eventually("three", () => hasLogged(home, "About three"));
    expect(issuer.counts.token).toBeGreaterThan(asked);
    // And before its time: the server refuses one that we take for good.
    issuer.expireAll();
    await dovecot.doveadm("kick", dovecot.user);
    await dovecot.deliver([mail("four")]);
    await eventually("four", () => hasLogged(home, "About four"));
    expect(logged(home)).toHaveLength(4);
    expect(issuer.counts.reused).toBe(0);
  });

  it("that is taken back blocks the mailbox and loses nothing; a new sign-in goes on where it stood", async () => {
    const { issuer, dovecot, home } = await tokenMailbox(3_600);
    const daemon = await daemonOn(home);
    // What comes before the first look is old mail.
    await eventually("the first look", async () => ((await metric(daemon, "imap_connected")) === 1 ? true : undefined));
    await dovecot.deliver([mail("before")]);
    await eventually("before", () => hasLogged(home, "About before"));
    issuer.revokeAll();
    await dovecot.doveadm("kick", dovecot.user);
    await eventually("the block", async () =>
      (await metric(daemon, "imap_account_blocked")) === 1 ? true : undefined,
    );
    await dovecot.deliver([mail("meanwhile")]);
    await writeFile(join(home.dir, "refresh"), issuer.signIn());
    daemon.process.kill("SIGHUP");
    await eventually("meanwhile", () => hasLogged(home, "About meanwhile"));
    expect(logged(home)).toEqual(["About before", "About meanwhile"]);
    expect(await metric(daemon, "imap_account_blocked")).toBe(0);
    const written = JSON.stringify(daemon.lines);
    expect(written).toMatch(/invalid_grant|login/);
    for (const secret of [issuer.newest(), "access-"]) expect(written).not.toContain(secret);
    expect((await readFile(join(home.dataDir, "ledger.sqlite"))).includes(issuer.newest())).toBe(false);
  });
});

/** The cursor goes past the next message, of which nothing is written down. */
async function passOver({ dataDir }: Home): Promise<void> {
  const ledger = await openLedger({ path: join(dataDir, "ledger.sqlite"), thread: "calling" });
  try {
    const account = "acme/ada";
    const now = Date.now();
    const [folder] = await ledger.folders(account);
    const lease = await ledger.holdAccount({ account, now, until: now + 1_000, selectors: "INBOX" });
    if (folder === undefined || lease === undefined) throw new Error("the account is not free");
    const lastUid = folder.lastUid + 1;
    const news = { folder: folder.id, at: now, uidNext: lastUid + 1, modSeq: null, lastUid };
    expect(await ledger.folderNews({ account, token: lease.token, ...news })).toBe(true);
    await ledger.releaseAccount(lease);
  } finally {
    await ledger.close();
  }
}

const count = Number(process.env.BACKFILL ?? 300);

describe.runIf(dovecotAvailable())("old mail", () => {
  /** Stopped after a while, as by Ctrl-C. */
  function stopped(home: Home, ...args: string[]): Promise<number | null> {
    const working = begin(home, args, (text) => {
      if (text.includes("to take in")) setTimeout(() => working.kill("SIGINT"), 1_000);
    });
    return working.code;
  }

  it(`of ${count} messages is counted, taken in beside a daemon, stopped, and gone on with: each once, behind new mail, and nothing is missing`, async () => {
    const dovecot = await startDovecot();
    open.push(() => dovecot.stop());
    const at = Date.now() - 10 * day;
    await dovecot.deliver([mail("ancient", at - 300 * day)], { at: at - 300 * day, seen: true });
    await dovecot.deliver(
      Array.from({ length: count }, (_, n) => mail(`old${n}`, at + n)),
      { at, seen: true },
    );
    const home = await homeFor(dovecot, { password: dovecot.password });
    const daemon = await daemonOn(home);
    const since = new Date(at - day).toISOString().slice(0, 10);
    const backfill = ["backfill", "--account", "ada", "--since", since];
    await eventually("the first look", async () =>
      (await run(home, ...backfill, "--dry-run")).code === 0 ? true : undefined,
    );
    const counted = (await run(home, ...backfill, "--dry-run")).json<Backfilled>();
    expect(counted.folders).toEqual([
      { folder: "INBOX", found: count, known: 0, taken: 0, duplicates: 0, given_up: 0, gone: 0, left: count },
    ]);

    const rate = String(Math.max(50, count / 10));
    expect(await stopped(home, ...backfill, "--rate", rate)).toBe(4);
    await dovecot.deliver([mail("fresh")]);
    const rest = run(home, ...backfill, "--rate", "10000");
    await eventually("fresh", () => hasLogged(home, "About fresh"));
    const ended = await rest;
    expect(ended.code).toBe(0);
    const report = ended.json<Backfilled>().folders[0];
    expect(report).toMatchObject({ found: count + 1, duplicates: 0, left: 0 });
    expect(report?.known).toBeGreaterThan(0);
    expect((report?.known ?? 0) + (report?.taken ?? 0)).toBe(count + 1);

    await eventually("all of them", () => (logged(home).length === count + 1 ? true : undefined), 600_000);
    const subjects = ["fresh", ...Array.from({ length: count }, (_, n) => `old${n}`)].map((name) => `About ${name}`);
    expect(logged(home)).toEqual(subjects.sort());
    // Nothing was changed at the server.
    expect(
      (await dovecot.doveadm("search", "-u", dovecot.user, "mailbox", "INBOX", "unseen")).trim().split("\n"),
    ).toHaveLength(1);

    const audited = await run(home, "audit", "coverage", "--account", "ada");
    expect(audited.code).toBe(0);
    const proof = audited.json<Coverage>();
    expect(proof).toMatchObject({ percent: 100, total: count + 2 });
    expect(proof.tally).toMatchObject({ logged: count + 1, before: 1, missing: 0 });
    expect(
      proof.messages.filter(({ state }) => state === "logged").every(({ activities }) => activities.length === 1),
    ).toBe(true);
    await daemon.kill("SIGTERM");
  });

  it("that the ledger has lost is found missing below the bar, and is taken in with --repair", async () => {
    const dovecot = await startDovecot();
    open.push(() => dovecot.stop());
    const home = await homeFor(dovecot, { password: dovecot.password });
    const daemon = await daemonOn(home);
    await eventually("the first look", async () => ((await metric(daemon, "imap_connected")) === 1 ? true : undefined));
    await dovecot.deliver(["one", "two", "three"].map((name) => mail(name)));
    await eventually("all", () => (logged(home).length === 3 ? true : undefined));
    await daemon.kill("SIGTERM");
    await dovecot.deliver([mail("unseen")]);
    const audit = ["audit", "coverage", "--account", "ada"];
    const fresh = await run(home, ...audit);
    expect([fresh.code, fresh.json<Coverage>().tally]).toMatchObject([0, { logged: 3, pending: 1, missing: 0 }]);
    await passOver(home);
    const below = await run(home, ...audit);
    expect([below.code, below.json<Coverage>()]).toMatchObject([4, { percent: 75, tally: { logged: 3, missing: 1 } }]);
    expect((await run(home, ...audit, "--min", "70")).code).toBe(0);
    const repaired = await run(home, ...audit, "--repair");
    expect([repaired.code, repaired.json<Coverage>()]).toMatchObject([
      0,
      { percent: 100, repaired: 1, tally: { logged: 4 } },
    ]);
    expect(logged(home)).toEqual(["About one", "About three", "About two", "About unseen"]);
  });
});
