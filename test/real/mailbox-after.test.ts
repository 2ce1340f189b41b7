/** What is done to messages at a real Dovecot once they are durable here: nothing, a keyword, \\Seen or a move. */
import { afterEach, describe, expect, it } from "vitest";
import { makeHome, startDaemon } from "../process/daemon.ts";
import { dovecotAvailable, startDovecot } from "./dovecot.ts";
import { activitiesOf, openMailing, until, watching } from "./dovecot-kills.ts";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
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
