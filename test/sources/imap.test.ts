/** The IMAP source before an honest server: from now on, each message once, and nothing else touched. */
import { describe, expect, it } from "vitest";
import { mail, rig } from "./imap/rig.ts";

const account = "acme/sales";

describe("a mailbox that is read", () => {
  it("gives what comes after the first look, within seconds by IDLE, byte for byte, and changes nothing", async () => {
    const r = await rig();
    r.server.put("INBOX", mail("old"));
    r.start();
    await r.until("it waits", () => r.server.commands.at(-1) === "IDLE");
    const begun = r.clock.now();
    const message = r.server.put("INBOX", mail("new", "caf\u00e9 \u0000 \u00ff"));
    await r.until("it came", () => r.bytes.size === 1);
    expect(r.clock.now() - begun).toBeLessThan(5_000);
    expect([...r.bytes.values()][0]).toEqual(message.bytes);
    const [row] = await r.rows();
    expect(row?.envelope).toMatchObject({
      kind: "imap",
      tenant: "acme",
      routes: ["INBOX"],
      imap: { account: "sales", mailbox: "INBOX", uid: 2, flags: [] },
    });
    expect(message.flags).toEqual(new Set());
    expect(r.server.commands.filter((line) => /^(SELECT|UID STORE|UID MOVE|EXPUNGE|CLOSE)/.test(line))).toEqual([]);
    const [folder] = await r.ledger.folders(account);
    expect(folder).toMatchObject({ firstUid: 2, lastUid: 2 });
  });

  it("is polled where the server cannot tell of new mail, and where IDLE says nothing", async () => {
    for (const capability of ["IMAP4rev1", "IMAP4rev1 IDLE"]) {
      const r = await rig();
      r.server.capability = capability;
      r.server.tell = () => undefined;
      r.start({ poll_seconds: 30 });
      await r.until("it is open", async () => (await r.ledger.folders(account)).length === 1);
      r.server.put("INBOX", mail("new"));
      await r.until("it came", () => r.bytes.size === 1, 40_000);
    }
  });

  it("takes thousands in windows and batches, large ones piece by piece, each once", async () => {
    const r = await rig();
    r.start();
    await r.until("it waits", () => r.server.commands.includes("IDLE"));
    r.server.tell = () => undefined;
    for (let n = 0; n < 600; n++) r.server.put("INBOX", mail(`m${n}`));
    const large = r.server.put("INBOX", mail("large", "x".repeat(900_000)));
    await r.until("all came", () => r.bytes.size === 601, 600_000);
    expect([...r.bytes.values()].some((raw) => raw.equals(large.bytes))).toBe(true);
    expect((await r.ledger.folders(account))[0]?.lastUid).toBe(601);
    expect(r.server.commands.filter((line) => line.includes("BODY")).length).toBeLessThan(15);
    expect(r.server.commands.filter((line) => /BODY(?!\.PEEK)/.test(line))).toEqual([]);
  });

  it("reads the sent folder as sent, several folders on few connections, and one mail in two folders once", async () => {
    const r = await rig();
    r.server.folder("Sent", "\\Sent");
    r.server.folder("All", "\\All");
    for (const name of ["Sales/A", "Sales/B", "Sales/A/deep"]) r.server.folder(name);
    r.start({ folders: ["\\Inbox", "\\Sent", "Sales/%", "*"], connections: 2 });
    await r.until("all are known", async () => (await r.ledger.folders(account)).length === 5);
    expect((await r.ledger.folders(account)).map(({ path }) => path)).not.toContain("All");
    r.server.put("Sales/B", mail("deal"));
    r.server.put("INBOX", mail("deal"));
    r.server.put("Sent", mail("answer"));
    await r.until("they came", async () => {
      const [one] = await r.ledger.fates(
        (await r.ledger.folders(account)).find(({ path }) => path === "INBOX")?.id ?? 0,
        [1],
      );
      return one !== undefined && r.bytes.size === 2;
    });
    const rows = await r.rows();
    expect(rows.find(({ envelope }) => envelope.imap?.mailbox === "Sent")?.envelope.imap?.sent).toBe(true);
    expect(r.server.connections.size).toBe(2);
  });

  it.each([
    ["seen", { after: "seen" }, "\\Seen"],
    ["a keyword", { after: "keyword" }, "$Mailwright"],
  ] as const)("sets %s once the message is durable, again until it holds", async (_, settings, flag) => {
    const r = await rig();
    let refusals = 2;
    r.server.hook = ({ name, tag, connection }) => {
      if (name !== "UID STORE") return undefined;
      expect(r.bytes.size).toBeGreaterThan(0);
      refusals -= 1;
      // First it refuses, then it lies.
      if (refusals >= 0) connection.say(`${tag} ${refusals === 1 ? "NO not now" : "OK done"}`);
      return refusals >= 0;
    };
    r.start(settings);
    await r.until("it is open", () => r.server.commands.includes("IDLE"));
    const message = r.server.put("INBOX", mail("new"));
    await r.until("it holds", () => message.flags.has(flag), 400_000);
    await r.until("it is known", async () => (await r.ledger.accountTally())[0]?.folders[0]?.pending === 0);
    // A person takes it back: that stands.
    message.flags.clear();
    r.server.put("INBOX", mail("other"));
    await r.until("the other came", () => r.bytes.size === 2);
    await r.until("and is done", async () => (await r.ledger.accountTally())[0]?.folders[0]?.pending === 0, 400_000);
    expect(message.flags.size).toBe(0);
  });

  it("asks again at the next look, also in a folder that is not waited in and has no news", async () => {
    const r = await rig();
    r.server.folder("Sales");
    let refusals = 1;
    r.server.hook = ({ name, tag, connection }) => {
      if (name !== "UID STORE" || --refusals < 0) return undefined;
      connection.say(`${tag} NO not now`);
      return true;
    };
    r.start({ folders: ["INBOX", "Sales"], after: "seen", connections: 1, poll_seconds: 60 });
    await r.until("it waits", () => r.server.commands.at(-1) === "IDLE");
    const message = r.server.put("Sales", mail("new"), { internalDate: new Date(r.clock.now()) });
    await r.until("it is refused", () => refusals <= 0, 300_000);
    await r.until("it holds", () => message.flags.has("\\Seen"), 200_000);
  });

  it("moves a message once it is durable", async () => {
    const r = await rig();
    r.server.folder("Done");
    r.start({ after: "move", move_to: "Done" });
    await r.until("it is open", () => r.server.commands.includes("IDLE"));
    r.server.put("INBOX", mail("new"));
    await r.until("it is moved", () => r.server.folder("Done").messages.length === 1);
    await r.until("it is known", async () => (await r.ledger.accountTally())[0]?.folders[0]?.pending === 0);
    expect(r.server.folder("INBOX").messages).toEqual([]);
  });

  it("moves nothing to where it lies already", async () => {
    const r = await rig();
    r.server.folder("Done");
    r.start({ folders: ["INBOX", "Done"], after: "move", move_to: "Done", connections: 1, poll_seconds: 30 });
    await r.until("it waits", () => r.server.commands.at(-1) === "IDLE");
    r.server.put("INBOX", mail("new"));
    r.server.put("Done", mail("there"), { internalDate: new Date(r.clock.now()) });
    await r.until("both came", () => r.bytes.size === 2);
    await r.until("an hour", () => false, 3600_000).catch(() => undefined);
    expect(r.server.folder("Done").messages).toHaveLength(2);
    expect(r.server.commands.filter((line) => line.startsWith("UID MOVE"))).toHaveLength(1);
    expect((await r.ledger.accountTally())[0]?.folders.map(({ pending }) => pending)).toEqual([0, 0]);
  });

  it("is begun from now on in a folder that is asked for later, and from the start in one that is new on the server", async () => {
    const r = await rig();
    r.server.folder("Old");
    r.server.put("Old", mail("before"));
    const first = r.start({ folders: ["INBOX", "New*"] });
    await r.until("it waits", () => r.server.commands.includes("IDLE"));
    await r.until("the folders are known", async () => (await r.ledger.folders(account)).length === 1);
    r.server.put("New mail", mail("appeared"), { internalDate: new Date(r.clock.now()) });
    r.server.put("New mail", mail("ancient"), { internalDate: new Date(0) });
    await r.until("the new folder is read", () => r.bytes.size === 1, 1_500_000);
    const stopped = first.stop(100);
    await r.until("stopped", async () => (await r.ledger.accountTally()).length === 1);
    await r.clock.advance(200);
    await stopped;
    await r.clock.advance(120_000);
    r.start({ folders: ["INBOX", "New*", "Old"] });
    await r.until("the old folder is known", async () => (await r.ledger.folders(account)).length === 3);
    r.server.put("Old", mail("after"));
    await r.until("it came", () => r.bytes.size === 2);
    expect(r.subjects()).toEqual(["after", "appeared"]);
    const appeared = (await r.ledger.folders(account)).find(({ path }) => path === "New mail");
    expect(await r.ledger.fates(appeared?.id ?? 0, [1, 2])).toMatchObject([{ state: "landed" }, { state: "before" }]);
  });

  it("leaves old mail alone under new numbers too, and takes what came between", async () => {
    const r = await rig();
    const at = (seconds: number) => ({ internalDate: new Date(r.clock.now() + seconds * 1_000) });
    r.server.put("INBOX", mail("old"), at(-60));
    const running = r.start();
    await r.until("it waits", () => r.server.commands.includes("IDLE"));
    r.server.put("INBOX", mail("new"), at(1));
    await r.until("it came", () => r.bytes.size === 1);
    const stopped = running.stop(100);
    await r.clock.advance(200);
    await stopped;
    r.server.put("INBOX", mail("between"), at(2));
    r.server.renumber("INBOX", 77);
    r.start();
    await r.until("it came", () => r.bytes.size === 2);
    expect(r.subjects()).toEqual(["between", "new"]);
    const [folder] = await r.ledger.folders(account);
    const fates = async () => await r.ledger.fates(folder?.id ?? 0, [1, 2, 3]);
    await r.until("all are known", async () => (await fates()).length === 3);
    expect((await fates()).map(({ state }) => state)).toEqual(["before", "landed", "landed"]);
  });

  it("has a heartbeat that means progress: it grows while nothing comes of an open connection, and is back when all is here", async () => {
    const r = await rig();
    const imap = r.start({ poll_seconds: 30 });
    await r.until("it waits", () => r.server.commands.at(-1) === "IDLE");
    const gauge = async (name: string): Promise<number> => {
      await imap.gauge();
      return r.metrics.gauges.get(name) ?? Number.NaN;
    };
    expect(await gauge("imap_folder_stalled_seconds")).toBeLessThan(60);
    r.server.hook = ({ name, tag, connection }) => {
      if (name !== "UID SEARCH") return undefined;
      connection.say(`${tag} NO not now`);
      return true;
    };
    r.server.put("INBOX", mail("new"));
    const begun = r.clock.now();
    await r.until("it stalls", () => r.clock.now() > begun + 1_000_000, 2_000_000);
    expect(await gauge("imap_folder_stalled_seconds")).toBeGreaterThan(900);
    r.server.hook = () => undefined;
    await r.until("it came", () => r.bytes.size === 1, 120_000);
    await r.until("the heart beats", async () => (await gauge("imap_folder_stalled_seconds")) < 60, 120_000);
    expect(await gauge("imap_folder_behind")).toBe(0);
  });

  it("is read by one process at a time, and goes on where the other left it", async () => {
    const r = await rig();
    const one = r.start();
    await r.until("it waits", () => r.server.commands.includes("IDLE"));
    const logins = r.server.logins;
    r.start();
    await r.clock.advance(30_000);
    expect(r.server.logins).toBe(logins);
    const stopped = one.stop(100);
    await r.clock.advance(200);
    await stopped;
    r.server.put("INBOX", mail("between"));
    await r.until("the other has it", () => r.bytes.size === 1);
  });
});
