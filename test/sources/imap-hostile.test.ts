/** The IMAP source before servers that lie, stall and break: no message is lost or doubled, nothing hangs, and what heals is caught up with. */
import { describe, expect, it } from "vitest";
import type { ImapSettings } from "../../src/sources/imap/settings.ts";
import { mail, type Rig, rig } from "./imap/rig.ts";
import type { Asked, Hook } from "./imap/server.ts";

const account = "acme/sales";
const minute = 60_000;

interface Case {
  readonly name: string;
  readonly settings?: Partial<ImapSettings>;
  /** What the server does from now on, until it heals. */
  readonly break: (r: Rig) => Hook | undefined;
  /** What it does when it heals, beside being honest again. */
  readonly heal?: (r: Rig) => void;
  /** Messages that are not taken, by their subject. */
  readonly without?: readonly string[];
  /** How long it may take after it healed. */
  readonly within?: number;
  readonly brokenMs?: number;
}

const no =
  (...names: string[]): Hook =>
  (asked) => {
    if (!names.includes(asked.name)) return undefined;
    asked.connection.say(`${asked.tag} NO not today`);
    return true;
  };
const isBody = ({ name, rest }: Asked): boolean => name === "UID FETCH" && rest.includes("BODY");
const isFacts = ({ name, rest }: Asked): boolean => name === "UID FETCH" && !rest.includes("BODY");
const done = ({ connection, tag }: Asked): true => {
  connection.say(`${tag} OK done`);
  return true;
};
/** Instead of a body, this; the rest is as it should be. */
const bodies =
  (answer: (asked: Asked, uid: number, seq: number) => void): Hook =>
  (asked) => {
    if (!isBody(asked)) return undefined;
    for (const { uid } of asked.connection.in(asked.rest)) answer(asked, uid, uid);
    return asked.connection.socket.destroyed ? true : done(asked);
  };

const cases: readonly Case[] = [
  {
    name: "says nothing when we connect",
    settings: { command_seconds: 20 },
    break: ({ server }) => {
      server.greeting = undefined;
      server.cut();
      return undefined;
    },
    heal: ({ server }) => {
      server.greeting = "* OK ready";
    },
  },
  {
    name: "says half a greeting and no more",
    settings: { command_seconds: 20 },
    break: ({ server }) => {
      server.greeting = "* OK [CAPAB";
      server.cut();
      return undefined;
    },
    heal: ({ server }) => {
      server.greeting = "* OK ready";
    },
  },
  {
    name: "does not answer the login",
    settings: { command_seconds: 20 },
    break: ({ server }) => {
      server.cut();
      return ({ name }) => (name === "LOGIN" ? true : undefined);
    },
  },
  {
    name: "says BYE when we connect",
    break: ({ server }) => {
      server.greeting = "* BYE too busy";
      server.cut();
      return undefined;
    },
    heal: ({ server }) => {
      server.greeting = "* OK ready";
    },
  },
  {
    name: "greets with a line that does not end",
    break: ({ server }) => {
      server.greeting = `* OK ${"x".repeat(9 * 1024 * 1024)}`;
      server.cut();
      return undefined;
    },
    heal: ({ server }) => {
      server.greeting = "* OK ready";
    },
  },
  {
    name: "cannot log anybody in for a while",
    break: ({ server }) => {
      server.cut();
      return (asked) => {
        if (asked.name !== "LOGIN") return undefined;
        asked.connection.say(`${asked.tag} NO [UNAVAILABLE] later`);
        return true;
      };
    },
    // It asks for patience.
    within: 10 * minute,
  },
  {
    name: "refuses LIST",
    break: ({ server }) => {
      server.cut();
      return no("LIST");
    },
  },
  {
    name: "refuses EXAMINE",
    break: () => no("EXAMINE", "SELECT"),
  },
  {
    name: "answers EXAMINE with BAD",
    break: () => (asked) => {
      if (asked.name !== "EXAMINE") return undefined;
      asked.connection.say(`${asked.tag} BAD what`);
      return true;
    },
  },
  { name: "refuses SEARCH", break: () => no("UID SEARCH") },
  { name: "refuses every FETCH", break: () => no("UID FETCH") },
  { name: "refuses NOOP, STATUS and IDLE", break: () => no("NOOP", "STATUS", "IDLE") },
  {
    name: "stops in the middle of a FETCH, since something was deleted",
    break: () => (asked) => {
      if (!isBody(asked)) return undefined;
      const [first] = asked.connection.in(asked.rest);
      if (first !== undefined) asked.connection.fetch(first, asked.rest);
      asked.connection.say(`${asked.tag} NO [EXPUNGEISSUED] some are gone`);
      return true;
    },
  },
  {
    name: "announces a literal of {-1}",
    break: () => bodies(({ connection }, uid, seq) => connection.say(`* ${seq} FETCH (UID ${uid} BODY[] {-1}`)),
  },
  {
    name: "announces a literal of 5 GB",
    break: () =>
      bodies(({ connection }, uid, seq) => connection.raw(`* ${seq} FETCH (UID ${uid} BODY[] {5000000000}\r\nabc`)),
  },
  {
    name: "announces and sends a literal of 900 MB for a message that it called small",
    break: () =>
      bodies(({ connection: { socket } }, uid, seq) => {
        socket.write(`* ${seq} FETCH (UID ${uid} BODY[] {900000000}\r\n`);
        const chunk = Buffer.alloc(64 * 1024, "x");
        const most = 16 * 1024 * 1024;
        let sent = 0;
        const go = (): void => {
          while (!socket.destroyed) {
            sent += chunk.length;
            // What is not read does not leave: we hung up long before.
            expect(sent).toBeLessThan(most);
            if (!socket.write(chunk)) break;
          }
        };
        socket.on("drain", go);
        go();
      }),
  },
  {
    name: "gives NIL for a body",
    break: () => bodies(({ connection }, uid, seq) => connection.say(`* ${seq} FETCH (UID ${uid} BODY[] NIL)`)),
  },
  {
    name: "says that a FETCH is done, and gives nothing",
    break: () => (asked) => (isBody(asked) ? done(asked) : undefined),
  },
  {
    name: "adds messages that nobody asked for, and each one twice",
    break: () => (asked) => {
      if (!isBody(asked)) return undefined;
      const { connection, rest } = asked;
      for (const message of connection.in(rest)) {
        connection.fetch(message, rest, { uid: message.uid + 5_000, body: Buffer.from(mail("unasked")) });
        connection.say(`* 1 FETCH (FLAGS (\\Seen))`);
        connection.fetch(message, rest);
        connection.fetch(message, rest, { body: Buffer.from(mail("second")) });
      }
      return done(asked);
    },
  },
  {
    name: "answers one FETCH without end",
    break: () => (asked) => {
      if (!isFacts(asked)) return undefined;
      const flood = () => {
        if (asked.connection.socket.destroyed) return;
        asked.connection.raw("* 1 FETCH (UID 77 FLAGS ())\r\n".repeat(500));
        setImmediate(flood);
      };
      flood();
      return true;
    },
  },
  {
    name: "breaks in the middle of a body",
    break: () =>
      bodies(({ connection }, uid, seq) => {
        connection.raw(`* ${seq} FETCH (UID ${uid} BODY[] {500}\r\nFrom: half`);
        connection.socket.destroy();
      }),
  },
  {
    name: "says BYE at the first command after IDLE",
    break:
      () =>
      ({ name, connection }) => {
        if (name !== "UID SEARCH") return undefined;
        connection.say("* BYE maintenance");
        connection.socket.end();
        return true;
      },
  },
  {
    name: "goes silent in the middle of everything, and keeps the connection",
    settings: { command_seconds: 20 },
    break:
      () =>
      ({ name }) =>
        name === "UID FETCH" ? true : undefined,
  },
  {
    name: "never answers IDLE",
    settings: { command_seconds: 20 },
    break: ({ server }) => {
      server.cut();
      return ({ name }) => (name === "IDLE" ? true : undefined);
    },
  },
  {
    name: "drops the connection at each IDLE",
    break: ({ server }) => {
      server.cut();
      return ({ name, connection }) => {
        if (name !== "IDLE") return undefined;
        connection.socket.destroy();
        return true;
      };
    },
  },
  {
    name: "tells of new mail without end",
    break: () => (asked) => {
      if (asked.name !== "IDLE") return undefined;
      asked.connection.honest(asked);
      for (let n = 0; n < 2_000; n++) asked.connection.say(`* ${(n % 2) + 1} EXISTS`);
      return true;
    },
  },
  {
    name: "gives its messages new numbers while we wait",
    break: ({ server }) => {
      server.renumber("INBOX", 4_711);
      return undefined;
    },
  },
  {
    name: "gives new numbers again and again, one of them twice",
    break: ({ server }) => {
      let validity = 9_000;
      return ({ name }) => {
        if (name === "EXAMINE") server.renumber("INBOX", validity++ % 3 === 0 ? 1_000 : validity);
        return undefined;
      };
    },
  },
  {
    name: "is put back from a backup: the same UIDVALIDITY, a lower UIDNEXT, and old UIDs for new mail",
    break: ({ server }) => {
      const inbox = server.folder("INBOX");
      const [first] = inbox.messages;
      inbox.messages = first === undefined ? [] : [first];
      inbox.uidNext = 2;
      server.put("INBOX", mail("b"));
      server.put("INBOX", mail("reused"));
      return undefined;
    },
  },
  {
    name: "gives a UIDVALIDITY of 99999999999999999999",
    break: () => (asked) => select(asked, "* OK [UIDVALIDITY 99999999999999999999] no"),
  },
  { name: "gives no UIDVALIDITY", break: () => (asked) => select(asked, "* OK hello") },
  {
    name: "says a UIDNEXT far beyond what it has, and then the right one",
    break: ({ server }) => {
      const inbox = server.folder("INBOX");
      return (asked) => select(asked, `* OK [UIDVALIDITY ${inbox.uidValidity}] v`, "* OK [UIDNEXT 4000000000] n");
    },
  },
  {
    name: "lists UIDs that are none, twice, in any order, and of messages that it does not have",
    break: () => (asked) => {
      if (asked.name !== "UID SEARCH") return undefined;
      const found = asked.connection.in("1:*").map(({ uid }) => uid);
      asked.connection.say(`* SEARCH ${[...found, ...found].reverse().join(" ")} 0 99999999999 50 51 -3 x`);
      return done(asked);
    },
  },
  {
    name: "says wrong sizes, smaller and larger",
    break: ({ server }) => {
      server.put("INBOX", mail("small-said"), { size: 3 });
      server.put("INBOX", mail("large-said", "y".repeat(400_000)), { size: 500_000 });
      server.put("INBOX", mail("border", "z".repeat(400_000)), { size: 256 * 1024 });
      return undefined;
    },
  },
  {
    name: "cuts each body short",
    break: () => {
      let times = 0;
      return bodies(({ connection, rest }, uid) => {
        const [message] = connection.in(String(uid));
        // Another length each time, and nothing after it.
        const body = /<[1-9]/.test(rest) ? Buffer.alloc(0) : message?.bytes.subarray(0, 10 + (times++ % 90));
        if (message !== undefined && body !== undefined)
          connection.raw(`* ${uid} FETCH (UID ${uid} BODY[] {${body.length}}\r\n${body})\r\n`);
      });
    },
  },
  {
    name: "has a message that is too large, by its own word",
    break: ({ server }) => {
      server.put("INBOX", mail("too-large"), { size: 3_000_000 });
      return undefined;
    },
    without: ["too-large"],
  },
  {
    name: "has a message that is too large, and calls it small",
    break: ({ server }) => {
      server.put("INBOX", mail("too-large", "x".repeat(3_000_000)), { size: 2_000 });
      return undefined;
    },
    without: ["too-large"],
  },
  {
    name: "has a message on which it breaks every time",
    break: ({ server }) => {
      const poison = server.put("INBOX", mail("poison"));
      server.put("INBOX", mail("after-it"));
      return (asked) => breakOn(poison.uid, asked);
    },
    heal: ({ server }) => {
      const poison = server.folder("INBOX").messages.find(({ bytes }) => bytes.toString().includes("Subject: poison"));
      server.hook = (asked) => breakOn(poison?.uid ?? 0, asked);
    },
    without: ["poison"],
    brokenMs: 12 * minute,
  },
  {
    name: "has a message of which the mere question breaks the connection",
    break: ({ server }) => {
      for (let n = 0; n < 20; n++) server.put("INBOX", mail(`before-${n}`));
      const poison = server.put("INBOX", mail("poison"));
      server.put("INBOX", mail("after-it"));
      return (asked) => askBreaks(poison.uid, asked);
    },
    heal: ({ server }) => {
      const poison = server.folder("INBOX").messages.find(({ bytes }) => bytes.toString().includes("Subject: poison"));
      server.hook = (asked) => askBreaks(poison?.uid ?? 0, asked);
    },
    without: ["poison"],
    brokenMs: 12 * minute,
  },
  {
    name: "lists a message and says nothing of it",
    break: ({ server }) => {
      const mute = server.put("INBOX", mail("mute"));
      return (asked) => muteOn(mute.uid, asked);
    },
    heal: ({ server }) => {
      const mute = server.folder("INBOX").messages.find(({ bytes }) => bytes.toString().includes("Subject: mute"));
      server.hook = (asked) => muteOn(mute?.uid ?? 0, asked);
    },
    without: ["mute"],
    brokenMs: 12 * minute,
  },
  {
    name: "deletes messages while they are fetched",
    break: ({ server }) => {
      const doomed = server.put("INBOX", mail("doomed"));
      return (asked) => {
        const inbox = server.folder("INBOX");
        if (isFacts(asked)) inbox.messages = inbox.messages.filter((one) => one !== doomed);
        return undefined;
      };
    },
    without: ["doomed"],
  },
  {
    name: "hides a message for a while, below others that it shows",
    settings: { poll_seconds: 1_200 },
    break: ({ server }) => {
      const hidden = server.put("INBOX", mail("hidden"));
      return (asked) => {
        if (asked.name !== "UID SEARCH") return undefined;
        const set = /UID (\S+)/.exec(asked.rest)?.[1] ?? "1:*";
        const found = asked.connection.in(set).filter(({ uid }) => uid !== hidden.uid);
        asked.connection.say(`* SEARCH ${found.map(({ uid }) => uid).join(" ")}`);
        return done(asked);
      };
    },
    // The next sweep finds it.
    within: 85 * minute,
  },
  {
    name: "has folders without end, with names that no screen should see",
    break: ({ server }) => {
      server.cut();
      return (asked) => {
        if (asked.name !== "LIST" || asked.rest === '"" ""') return undefined;
        asked.connection.say('* LIST () "/" "INBOX"');
        for (let n = 0; n < 12_000; n++) asked.connection.raw(`* LIST () "/" "\u001b[31m${n}"\r\n`);
        asked.connection.say(`* LIST () "/" "${"deep/".repeat(3_000)}"`);
        return done(asked);
      };
    },
  },
  {
    name: "asks for patience",
    break: () => (asked) => {
      if (!isFacts(asked)) return undefined;
      asked.connection.say(`${asked.tag} NO [LIMIT] too many requests, try again later`);
      return true;
    },
    within: 10 * minute,
  },
];

function select(asked: Asked, ...lines: string[]): true | undefined {
  if (asked.name !== "EXAMINE" && asked.name !== "SELECT") return undefined;
  const inbox = asked.server.folder("INBOX");
  asked.connection.selected = inbox;
  asked.connection.say(`* ${inbox.messages.length} EXISTS`);
  for (const line of lines) asked.connection.say(line);
  asked.connection.say(`${asked.tag} OK [READ-ONLY] open`);
  return true;
}

function breakOn(uid: number, asked: Asked): true | undefined {
  if (!isBody(asked) || !asked.connection.in(asked.rest).some((one) => one.uid === uid)) return undefined;
  asked.connection.socket.destroy();
  return true;
}

function askBreaks(uid: number, asked: Asked): true | undefined {
  if (asked.name !== "UID FETCH" || !asked.connection.in(asked.rest).some((one) => one.uid === uid)) return undefined;
  asked.connection.socket.destroy();
  return true;
}

function muteOn(uid: number, asked: Asked): true | undefined {
  if (asked.name !== "UID FETCH") return undefined;
  for (const message of asked.connection.in(asked.rest))
    if (message.uid !== uid) asked.connection.fetch(message, asked.rest);
  return done(asked);
}

describe("a server that", () => {
  it.for(cases)("$name", async (one) => {
    const r = await rig();
    r.start({ poll_seconds: 30, ...one.settings });
    await r.until("it waits", () => r.server.commands.includes("IDLE"));
    r.server.put("INBOX", mail("a"));
    r.server.put("INBOX", mail("b"));
    await r.until("the first two came", () => r.bytes.size === 2);
    r.server.hook = one.break(r) ?? (() => undefined);
    r.server.put("INBOX", mail("c"));
    r.server.put("INBOX", mail("d"));
    const brokenUntil = r.clock.now() + (one.brokenMs ?? 40_000);
    let next = 0;
    await r.until(
      "time goes by",
      () => {
        // Others go on coming: a server that works for them is at fault for one.
        if (one.brokenMs !== undefined && r.clock.now() > brokenUntil - one.brokenMs + (next + 1) * minute) {
          r.server.put("INBOX", mail(`later-${next++}`));
        }
        return r.clock.now() >= brokenUntil;
      },
      24 * 60 * minute,
    );
    r.server.hook = () => undefined;
    one.heal?.(r);
    r.server.put("INBOX", mail("e"));
    const wanted = new Set(
      r.server
        .folder("INBOX")
        .messages.map(({ bytes }) => /^Subject: (.*)\r$/m.exec(bytes.toString("latin1"))?.[1] ?? "?")
        .concat("a", "b")
        .filter((subject) => !(one.without ?? []).includes(subject)),
    );
    await r.until(
      `all came: ${[...wanted]}`,
      () => [...wanted].every((subject) => r.subjects().includes(subject)),
      one.within ?? minute + 1_000,
    );
    // Each once, whole, and nothing that was never there.
    expect(r.subjects()).toEqual([...wanted].sort());
    for (const raw of r.bytes.values()) expect(raw.toString("latin1").endsWith("\r\n")).toBe(true);
    // And the ledger knows of every message that the server has.
    const known = async () => {
      const [folder] = await r.ledger.folders(account);
      const uids = r.server.folder("INBOX").messages.map(({ uid }) => uid);
      const fates = await r.ledger.fates(folder?.id ?? 0, uids);
      const open = fates.filter(({ state }) => state !== "landed");
      return fates.length === uids.length && open.length === uids.length - wanted.size + gone(r, wanted)
        ? open
        : undefined;
    };
    await r.until("all are accounted for", async () => (await known()) !== undefined, one.within ?? 2 * minute);
    for (const { state, reason } of (await known()) ?? []) {
      expect(state).toBe("quarantined");
      expect(reason).toMatch(/\S/);
    }
    expect(r.log.lines.filter(({ level, message }) => level === "error" && !/login/.test(message))).toEqual([]);
  });

  /** Of those wanted, how many the server does not have any more. */
  const gone = (r: Rig, wanted: ReadonlySet<string>): number => {
    const there = new Set(
      r.server
        .folder("INBOX")
        .messages.map(({ bytes }) => /^Subject: (.*)\r$/m.exec(bytes.toString("latin1"))?.[1] ?? "?"),
    );
    return [...wanted].filter((subject) => !there.has(subject)).length;
  };

  it("refuses the password: the account is blocked and says so, is not tried again and again, and goes on when it is mended", async () => {
    const r = await rig();
    r.server.password = "another";
    const imap = r.start();
    await r.until("it is blocked", async () => (await r.ledger.accountTally())[0]?.blockedReason != null);
    await imap.gauge();
    expect(r.metrics.gauges.get("imap_account_blocked")).toBe(1);
    await r.until("ten minutes", () => false, 10 * minute).catch(() => undefined);
    expect(r.server.logins).toBeLessThanOrEqual(2);
    r.server.password = "secret";
    imap.reload([{ tenant: "acme", settings: r.settings() }]);
    await r.until("it waits", () => r.server.commands.includes("IDLE"), minute);
    await r.until("it is open again", async () => (await r.ledger.accountTally())[0]?.blockedReason === null);
    expect(JSON.stringify(r.log.lines)).not.toContain("secret");
  });

  it("broke again and again before it refuses the password: the login is tried again as soon as ever", async () => {
    const r = await rig();
    r.server.greeting = "* BYE later";
    r.start();
    const broken = () => r.metrics.counts.get("imap_disconnects_total acme sales connection") ?? 0;
    await r.until("it broke ten times", () => broken() >= 10, 20 * minute);
    r.server.greeting = "* OK ready";
    r.server.password = "another";
    await r.until("it is refused", () => r.server.logins === 1, 2 * minute);
    await r.until("it is tried again", () => r.server.logins === 2, 16 * minute);
  });

  it("has another folder under the same name: its mail is read, and what is asked for is done to no other message", async () => {
    const r = await rig();
    const folder = r.server.folder("INBOX");
    folder.mailboxId = "m1";
    const mine = { internalDate: new Date(r.clock.now()) };
    r.start({ after: "seen", poll_seconds: 30 });
    await r.until("it waits", () => r.server.commands.includes("IDLE"));
    let stored = 0;
    r.server.hook = ({ name }) => {
      if (name === "UID STORE") {
        stored += 1;
        expect(r.subjects()).toContain("other");
      }
      // Deleted and made again, between the look and the act.
      if (name === "SELECT" && folder.mailboxId === "m1") {
        folder.mailboxId = "m2";
        folder.messages = [];
        folder.uidNext = 1;
        r.server.put("INBOX", mail("other"), mine);
      }
      return undefined;
    };
    r.server.put("INBOX", mail("one"), mine);
    await r.until("both came", () => r.bytes.size === 2, 5 * minute);
    await r.until("and is done", () => folder.messages[0]?.flags.has("\\Seen") === true, 5 * minute);
    expect(stored).toBeGreaterThan(0);
    expect(r.subjects()).toEqual(["one", "other"]);
  });

  it("puts words of its own before the encryption: we leave without a password", async () => {
    const r = await rig();
    r.server.capability = "IMAP4rev1 STARTTLS";
    r.server.hook = ({ name, tag, connection }) => {
      if (name !== "STARTTLS") return undefined;
      connection.raw(`${tag} OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n`);
      return true;
    };
    r.start({ tls: "starttls" });
    await r.until("it tried", () => r.server.commands.filter((line) => line === "STARTTLS").length >= 2);
    expect(r.server.logins).toBe(0);
  });

  it("offers no encryption where we ask for it: we leave without a password", async () => {
    const r = await rig();
    r.start({ tls: "starttls" });
    await r.until("it left", () => r.metrics.counts.get("imap_disconnects_total acme sales connection") !== undefined);
    expect(r.server.logins).toBe(0);
  });

  it("lets us have one connection only: all folders are read on it", async () => {
    const r = await rig();
    for (const name of ["Sent", "Sales"]) r.server.folder(name);
    r.server.hook = ({ name, tag, connection, server }) => {
      if (name !== "LOGIN" || server.connections.size < 2) return undefined;
      connection.say(`${tag} NO [LIMIT] too many connections`);
      return true;
    };
    r.start({ folders: ["INBOX", "Sent", "Sales"], connections: 3, poll_seconds: 30 });
    await r.until("all are known", async () => (await r.ledger.folders(account)).length === 3, 5 * minute);
    await r.until("it waits", () => r.server.commands.at(-1) === "IDLE", 5 * minute);
    for (const name of ["INBOX", "Sent", "Sales"]) r.server.put(name, mail(`in-${name}`));
    await r.until("all came", () => r.bytes.size === 3, 5 * minute);
    expect(r.server.connections.size).toBe(1);
  });

  it("refuses one folder, for good or for a while: the others are read, and that one when it may be", async () => {
    for (const closed of ["Sales", "INBOX"]) {
      const r = await rig();
      r.server.folder("Sales");
      let isClosed = true;
      r.server.hook = ({ name, rest, tag, connection }) => {
        if (!isClosed || name !== "EXAMINE" || !rest.includes(closed)) return undefined;
        connection.say(`${tag} NO [NOPERM] not yours`);
        return true;
      };
      const open = closed === "Sales" ? "INBOX" : "Sales";
      r.start({ folders: ["INBOX", "Sales"], connections: 1, poll_seconds: 30 });
      await r.until("the other is waited in", () => r.server.commands.at(-1) === "IDLE");
      const logins = r.server.logins;
      r.server.put(open, mail("one"));
      await r.until("it came", () => r.subjects().includes("one"), 5_000);
      await r.until("an hour", () => false, 60 * minute).catch(() => undefined);
      r.server.put(open, mail("two"));
      await r.until("it came, too", () => r.subjects().includes("two"), minute);
      expect(r.server.logins).toBe(logins);
      expect(r.metrics.counts.get("imap_folder_refused_total acme sales")).toBeGreaterThan(10);
      const said = r.log.lines.filter(({ message }) => /refuses a folder/.test(message));
      expect(said).toHaveLength(1);
      expect(JSON.stringify(said)).not.toMatch(/not yours|Sales/);
      isClosed = false;
      await r.until("it is read", async () => (await r.ledger.folders(account)).length === 2, minute);
      r.server.put(closed, mail("three"), { internalDate: new Date(r.clock.now()) });
      await r.until("its mail came", () => r.subjects().includes("three"), minute);
    }
  });

  it.each(["NO", "BAD"])(
    "says %s to the facts of one message: the others come, and it is given up visibly",
    async (word) => {
      const r = await rig();
      r.server.folder("Sales");
      r.server.put("INBOX", mail("poison"));
      r.server.put("INBOX", mail("poison too"));
      r.server.hook = (asked) => {
        const { tag, connection } = asked;
        const poisons = connection.in(asked.rest).filter(({ bytes }) => bytes.includes("Subject: poison"));
        if (!isFacts(asked) || poisons.length === 0) return undefined;
        connection.say(`${tag} ${word} [SERVERBUG] broken`);
        return true;
      };
      r.start({ folders: ["INBOX", "Sales"], connections: 1, poll_seconds: 30 });
      await r.until("it waits", () => r.server.commands.at(-1) === "IDLE");
      for (const name of ["a", "poison b", "c"]) r.server.put("INBOX", mail(name));
      r.server.put("Sales", mail("s"));
      await r.until("the others came", () => r.bytes.size === 3, 2 * minute);
      expect(r.subjects()).toEqual(["a", "c", "s"]);
      const fates = async () => {
        const inbox = (await r.ledger.folders(account)).find(({ path }) => path === "INBOX");
        return await r.ledger.fates(inbox?.id ?? 0, [4]);
      };
      expect(await fates()).toMatchObject([{ state: "waiting", reason: expect.stringContaining("FETCH") }]);
      r.server.put("INBOX", mail("d"));
      await r.until("it is given up", async () => (await fates())[0]?.state === "quarantined", 60 * minute);
      expect(r.metrics.counts.get("imap_disconnects_total acme sales refused")).toBeUndefined();
    },
  );

  it.each([
    ["with an id that stays", "m1"],
    ["without one", undefined],
  ] as const)("renames a folder %s: each message still once", async (_, mailboxId) => {
    const r = await rig();
    const folder = r.server.folder("Sales old");
    if (mailboxId !== undefined) folder.mailboxId = mailboxId;
    r.start({ folders: ["INBOX", "Sales*"], poll_seconds: 30 });
    await r.until("both are known", async () => (await r.ledger.folders(account)).length === 2);
    r.server.put("Sales old", mail("one"), { internalDate: new Date(r.clock.now()) });
    await r.until("it came", () => r.bytes.size === 1);
    folder.path = "Sales new";
    r.server.put("Sales new", mail("two"), { internalDate: new Date(r.clock.now()) });
    await r.until("the other came", () => r.bytes.size === 2, 20 * minute);
    const fates = async () => {
      const known = (await r.ledger.folders(account)).find(({ path }) => path === "Sales new");
      return await r.ledger.fates(known?.id ?? 0, [1, 2]);
    };
    await r.until("it is known by its new name", async () => (await fates()).length === 2, 20 * minute);
    expect(await fates()).toMatchObject([{ state: "landed" }, { state: "landed" }]);
    expect(r.subjects()).toEqual(["one", "two"]);
  });
});
