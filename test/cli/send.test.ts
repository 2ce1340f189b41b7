import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCli } from "../../src/cli/cli.ts";
import { replay } from "../../src/cli/send/replay.ts";
import { command } from "./stage.ts";

let folder = "";
let server: Server;
let port = 0;
/** Subjects of the mails that were taken, in their order. */
let taken: string[] = [];
let recipients: string[] = [];
/** What becomes of the nth mail, counted from one over all connections. */
let fate: (nth: number) => "take" | "refuse" | "later" | "hang up" | "take and hang up" = () => "take";
let seen = 0;
/** Connections that are open. */
const lines = new Set<Socket>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "mailwright-send-"));
  mkdirSync(join(folder, "mail"));
  for (const name of ["c", "a", "b", "e", "d"])
    writeFileSync(join(folder, "mail", `${name}.eml`), `Subject: ${name}\r\n\r\nx\r\n`);
  writeFileSync(join(folder, "config.yaml"), 'tenants:\n  - { id: acme, recipients: ["deals@in.test"] }\n');
  answersQuit = true;
  onData = () => undefined;
  [taken, recipients, seen, fate] = [[], [], 0, () => "take"];
  server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  port = address === null || typeof address === "string" ? 0 : address.port;
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

function serve(socket: Socket): void {
  lines.add(socket);
  socket.on("close", () => lines.delete(socket));
  let unread = "";
  let data = false;
  socket.on("error", () => undefined);
  socket.write("220 mx.test\r\n");
  socket.on("data", (chunk) => {
    unread += chunk.toString("latin1");
    for (let end = unread.indexOf("\r\n"); end >= 0; end = unread.indexOf("\r\n")) {
      const line = unread.slice(0, end);
      unread = unread.slice(end + 2);
      if (line.startsWith("Subject: ")) subject = line.slice(9);
      if (line.startsWith("RCPT TO:")) recipients.push(line.slice(8));
      if (data && line === ".") {
        data = false;
        endOfMail(socket);
      } else if (!data) {
        data = line === "DATA";
        if (data) onData();
        if (line !== "QUIT" || answersQuit)
          socket.write(data ? "354 go\r\n" : line === "QUIT" ? "221 bye\r\n" : "250 ok\r\n");
      }
    }
  });
}
let subject = "";
let answersQuit = true;
let onData = (): void => undefined;
function endOfMail(socket: Socket): void {
  const become = fate(++seen);
  if (become.startsWith("take")) taken.push(subject);
  if (become.endsWith("hang up")) socket.destroy();
  else socket.write({ take: "250 ok\r\n", refuse: "554 no\r\n", later: "452 busy\r\n" }[become as "take"]);
}

const send = (...args: string[]) =>
  command(["send", "mail", "--config", "config.yaml", "--to", `127.0.0.1:${port}`, ...args], { cwd: folder });

describe("mailwright send of a folder", () => {
  test("hands the mails over by their names, to the address of the configuration, and counts", async () => {
    expect(await send()).toMatchObject({ code: 0, err: "5 taken\n" });
    expect(taken).toEqual(["a", "b", "c", "d", "e"]);
    expect(new Set(recipients)).toEqual(new Set(["<deals@in.test>"]));
  });

  test("to the addresses that are named", async () => {
    await send("--to", "x@in.test", "--to", "y@in.test");
    expect(recipients.slice(0, 2)).toEqual(["<x@in.test>", "<y@in.test>"]);
  });

  test("counts what was refused, for good and for now", async () => {
    fate = (nth) => (nth === 2 ? "refuse" : nth === 4 ? "later" : "take");
    const { code, err } = await send();
    expect({ code, err }).toEqual({ code: 4, err: "mailwright: 3 taken, 2 of 5 mails were refused (1 for now)\n" });
  });

  test("a run that was stopped goes on behind what was taken, and what was refused is tried again", async () => {
    fate = (nth) => (nth === 2 ? "later" : "take");
    expect((await send("--done", "done.jsonl")).code).toBe(4);
    const noted = readFileSync(join(folder, "done.jsonl"), "utf8");
    // The machine went down while the last line was written.
    writeFileSync(join(folder, "done.jsonl"), noted.slice(0, -20));
    fate = () => "take";
    expect(await send("--done", "done.jsonl")).toMatchObject({
      code: 0,
      err: "3 of 5 mails were taken before\n2 taken\n",
    });
    expect(taken).toEqual(["a", "c", "d", "e", "b", "e"]);
    expect((await send("--done", "done.jsonl")).err).toBe("5 of 5 mails were taken before\n");
  });

  test("a line that breaks is dialled again, and the mail whose fate is unknown is handed over again", async () => {
    fate = (nth) => (nth === 3 ? "take and hang up" : "take");
    const { code, err } = await send();
    expect(code).toBe(0);
    expect(err).toMatch(/broke off: .*; once more in 1 s\n5 taken\n/);
    expect(taken).toEqual(["a", "b", "c", "c", "d", "e"]);
  });
});

describe("the end of mailwright send", () => {
  test("waits a moment for a server that does not answer QUIT, and for nothing else", async () => {
    answersQuit = false;
    const begun = performance.now();
    expect((await send()).code).toBe(0);
    expect(performance.now() - begun).toBeLessThan(30_000);
    await expect.poll(() => lines.size).toBe(0);
  }, 90_000);

  test("leaves no line open to a server that waits for the rest of a mail which could not be read", async () => {
    onData = () => rmSync(join(folder, "mail", "a.eml"));
    expect(await send()).toMatchObject({ code: 1, err: expect.stringMatching(/ENOENT/) });
    await expect.poll(() => lines.size).toBe(0);
  });

  test("--done - makes no file of that name, and a mail from standard input is never one that was sent before", async () => {
    const { code, err } = await send("--done", "-");
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(/--done - : a file is wanted/) });
    expect(taken).toEqual([]);
    expect(readdirSync(folder)).not.toContain("-");
    const piped = async (subjectOfIt: string) =>
      await command(["send", "-", "--config", "config.yaml", "--to", `127.0.0.1:${port}`, "--done", "done.jsonl"], {
        cwd: folder,
        stdin: `Subject: ${subjectOfIt}\r\n\r\nx\r\n`,
      });
    for (const each of ["one", "two"]) expect((await piped(each)).code).toBe(0);
    expect(taken).toEqual(["one", "two"]);
  });
});

describe("the rate", () => {
  /** A clock that goes on when somebody sleeps, and with every mail. */
  function made(mailMs: number) {
    let now = 1_000_000;
    const at: number[] = [];
    fate = () => {
      at.push(now);
      now += mailMs;
      return "take";
    };
    const clock = {
      now: () => now,
      sleep: async (ms: number) => {
        now += ms;
      },
    };
    const nothing = { write: async () => undefined, isTerminal: false, columns: undefined };
    const surroundings = {
      env: {},
      cwd: folder,
      user: "t",
      clock,
      stdout: nothing,
      stderr: nothing,
    } as unknown as Parameters<typeof openCli>[0];
    return { at, cli: openCli(surroundings, () => undefined) };
  }
  const files = ["a", "b", "c", "d", "e"].map((name) => join("mail", `${name}.eml`));

  test.each([
    [10, 0, [0, 100, 200, 300, 400]],
    // A mail that takes longer than its share does not make the next ones come in a burst.
    [10, 250, [0, 250, 500, 750, 1000]],
    [0.5, 100, [0, 2000, 4000, 6000, 8000]],
  ])("of %d a second, of mails that take %d ms each, is kept", async (rate, mailMs, expected) => {
    const { at, cli } = made(mailMs);
    const envelope = { from: "", to: ["a@in.test"] };
    const stopping = new AbortController().signal;
    for await (const { ok } of replay(files, { server: { host: "127.0.0.1", port }, envelope, rate, stopping, cli }))
      expect(ok).toBe(true);
    expect(at.map((time) => time - 1_000_000)).toEqual(expected);
  });

  test("ends between two mails when it is told to stop", async () => {
    const { cli } = made(0);
    const stopping = new AbortController();
    const results = [];
    const wanted = {
      server: { host: "127.0.0.1", port },
      envelope: { from: "", to: ["a@in.test"] },
      rate: 1,
      stopping: stopping.signal,
      cli,
    };
    for await (const result of replay(files, wanted)) if (results.push(result) === 2) stopping.abort();
    expect(results.map(({ file }) => file)).toEqual(files.slice(0, 2));
  });
});
