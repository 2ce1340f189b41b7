import { createServer, type Server, type Socket } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { dotStuffed, openSmtpSession } from "../../src/cli/smtp-session.ts";

const open: Server[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await new Promise<void>((resolve) => server.close(() => resolve()));
});

/** A server that answers each line from a script and keeps what it heard. */
async function scripted(answer: (line: string) => string | undefined): Promise<{ port: number; heard: string[] }> {
  const heard: string[] = [];
  const server = createServer((socket: Socket) => {
    let unread = "";
    socket.on("error", () => undefined);
    socket.write("220 mx.example ESMTP\r\n");
    socket.on("data", (chunk) => {
      unread += chunk.toString("latin1");
      for (let end = unread.indexOf("\r\n"); end >= 0; end = unread.indexOf("\r\n")) {
        const line = unread.slice(0, end);
        unread = unread.slice(end + 2);
        heard.push(line);
        const reply = answer(line);
        if (reply === "hang up") socket.destroy();
        else if (reply !== undefined) socket.write(reply);
      }
    });
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, heard };
}

const polite = (line: string): string | undefined => {
  const verb = line.split(" ")[0]?.toUpperCase();
  if (verb === "EHLO") return "250-mx.example\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n";
  if (verb === "DATA") return "354 go\r\n";
  if (verb === "MAIL" || verb === "RCPT" || verb === "RSET" || line === ".") return "250 2.0.0 ok\r\n";
  if (verb === "QUIT") return "221 bye\r\n";
  return undefined;
};

const mailOf = (text: string) => ({
  async *read() {
    yield Buffer.from(text);
  },
});

async function sendTo(port: number, text: string, to: readonly string[] = ["a@in.example"]) {
  const session = await openSmtpSession({ host: "127.0.0.1", port, clientName: "client.example" });
  try {
    return await session.send(mailOf(text), { from: "s@example.com", to });
  } finally {
    await session.quit();
  }
}

describe("the SMTP client", () => {
  test("hands a mail over and reports the last reply", async () => {
    const { port, heard } = await scripted(polite);
    const result = await sendTo(port, "Subject: x\r\n\r\n.dot\r\n");
    expect(result).toEqual({ accepted: true, reply: "250 2.0.0 ok" });
    expect(heard).toEqual([
      "EHLO client.example",
      "MAIL FROM:<s@example.com> BODY=8BITMIME",
      "RCPT TO:<a@in.example>",
      "DATA",
      "Subject: x",
      "",
      "..dot",
      ".",
      "QUIT",
    ]);
  });

  test("a refused recipient is a result, with the server's words", async () => {
    const { port } = await scripted((line) => (line.startsWith("RCPT") ? "550 5.1.1 nobody\r\n" : polite(line)));
    expect(await sendTo(port, "x")).toEqual({ accepted: false, reply: "550 5.1.1 nobody" });
  });

  test("one good recipient of two is enough", async () => {
    const { port } = await scripted((line) => (line.includes("bad@") ? "550 5.1.1 nobody\r\n" : polite(line)));
    expect((await sendTo(port, "x", ["bad@in.example", "a@in.example"])).accepted).toBe(true);
  });

  test("an address cannot smuggle a command in", async () => {
    const { port, heard } = await scripted(polite);
    await expect(sendTo(port, "x", ["a@in.example>\r\nRSET\r\nMAIL FROM:<x"])).rejects.toThrow(/line end/);
    expect(heard).not.toContain("RSET");
  });

  test("a server that goes away is an error that says so", async () => {
    const { port } = await scripted((line) => (line === "DATA" ? "hang up" : polite(line)));
    await expect(sendTo(port, "x")).rejects.toThrow(/^127\.0\.0\.1:\d+ broke off: /);
  });

  test("nothing listening is an error that names the place and asks after the daemon", async () => {
    const { port } = await scripted(polite);
    const server = open.pop();
    await new Promise<void>((resolve) => server?.close(() => resolve()));
    await expect(openSmtpSession({ host: "127.0.0.1", port, clientName: "c" })).rejects.toThrow(
      `nothing answers at 127.0.0.1:${port} (ECONNREFUSED); is the daemon running?`,
    );
  });
});

describe("dot-stuffing (RFC 5321 §4.5.2)", () => {
  async function stuffed(text: string, cuts: readonly number[] = []): Promise<string> {
    const bytes = Buffer.from(text, "latin1");
    const edges = [0, ...[...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b), bytes.length];
    async function* chunks() {
      for (const [index, edge] of edges.slice(1).entries()) yield bytes.subarray(edges[index], edge);
    }
    const out: Uint8Array[] = [];
    for await (const chunk of dotStuffed(chunks())) out.push(chunk);
    return Buffer.concat(out).toString("latin1");
  }

  test.each([
    ["", ".\r\n"],
    ["a", "a\r\n.\r\n"],
    ["a\r\n", "a\r\n.\r\n"],
    ["a\nb\n", "a\r\nb\r\n.\r\n"],
    [".\r\n..\r\n", "..\r\n...\r\n.\r\n"],
  ])("%j goes out as %j", async (mail, wire) => {
    expect(await stuffed(mail)).toBe(wire);
  });

  test("a server undoes it to the same lines, however the file was cut into chunks", async () => {
    const unit = fc.constantFrom("a", ".", "\r\n", "\n", "é");
    await fc.assert(
      fc.asyncProperty(fc.string({ unit }), fc.array(fc.nat(50)), async (text, cuts) => {
        const wire = await stuffed(text, cuts);
        const end = wire.endsWith("\r\n.\r\n") ? 3 : wire === ".\r\n" ? 3 : -1;
        expect(end).toBe(3);
        const received = wire.slice(0, -3).replace(/(^|\r\n)\./g, "$1");
        const normal = text.replace(/\r?\n/g, "\r\n");
        expect(received).toBe(normal === "" || normal.endsWith("\r\n") ? normal : `${normal}\r\n`);
      }),
    );
  });
});
