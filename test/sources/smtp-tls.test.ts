/** STARTTLS: what is offered, what the envelope says, renewal of the certificate, and plaintext that tries to ride along. */

import { X509Certificate } from "node:crypto";
import { copyFile, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { tlsOf } from "../../src/sources/smtp/tls.ts";
import { FakeIntake, ManualClock, settle } from "./fakes.ts";
import { RawClient } from "./raw-client.ts";
import { certificate, inbox, startSmtp } from "./smtp-fixture.ts";

const serialOf = async (name: "localhost" | "renewed") =>
  new X509Certificate(await readFile(certificate(name).cert)).serialNumber;

async function serialServed(port: number): Promise<string | undefined> {
  const client = await RawClient.greeted(port);
  await client.startTls();
  const serial = client.tls.getPeerX509Certificate()?.serialNumber;
  client.close();
  return serial;
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "smtp-tls-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A folder with the first certificate, as an operator would have it. */
async function installed() {
  const dir = await folder();
  const files = { cert: join(dir, "tls.crt"), key: join(dir, "tls.key") };
  await copyFile(certificate("localhost").cert, files.cert);
  await copyFile(certificate("localhost").key, files.key);
  return { dir, files };
}

describe("a message over STARTTLS", () => {
  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "by %s is taken, and the envelope names version and cipher",
    async (version) => {
      const { port, intake } = await startSmtp({ tls: certificate("localhost") });
      const client = await RawClient.greeted(port);
      await client.startTls("", { minVersion: version, maxVersion: version });
      await client.command("EHLO client.test");
      expect(await client.deliver("x", inbox)).toMatchObject({ code: 250 });
      const { name, standardName } = client.tls.getCipher();
      expect(intake.taken[0]?.envelopes[0]?.smtp?.tls).toEqual({ version, cipher: standardName ?? name });
    },
  );

  test("keeps the rules of one in the clear: line ends, line length", async () => {
    const { port } = await startSmtp({ tls: certificate("localhost"), bare_newline: "refuse" });
    const client = await RawClient.greeted(port);
    await client.startTls();
    await client.send("NOOP\nNOOP\r\n");
    expect(await client.reply()).toMatchObject({ code: 500, status: "5.5.2" });
    expect(await client.reply()).toMatchObject({ code: 250 });
    await client.send("x".repeat(20_000));
    expect(await client.reply()).toMatchObject({ code: 421, status: "4.7.0" });
  });

  test("gives its place back when it leaves", async () => {
    const { port } = await startSmtp({ tls: certificate("localhost"), limits: { connections: 1 } });
    for (let i = 0; i < 3; i += 1) {
      const client = await RawClient.greeted(port);
      await client.startTls();
      await client.command("EHLO client.test");
      await client.command("QUIT");
      await client.closed;
      await settle();
    }
  });

  test("that was just destroyed is a connection like any other to a command that was still on its way", () => {
    const socket = new TLSSocket(new Socket(), { isServer: true });
    socket.destroy();
    expect(tlsOf(socket)).toEqual({ version: "unknown", cipher: "unknown" });
  });

  test("has the same deadlines as one in the clear", async () => {
    const clock = new ManualClock();
    const { port } = await startSmtp({ tls: certificate("localhost"), limits: { idle_seconds: 20 } }, { clock });
    const client = await RawClient.greeted(port);
    await client.startTls();
    for (let i = 0; i < 5; i += 1) {
      await clock.advance(15_000); // a NOOP in time keeps it, so bytes under TLS are seen
      expect(await client.command("NOOP")).toMatchObject({ code: 250 });
    }
    await settle();
    await clock.advance(21_000);
    expect(await client.reply()).toMatchObject({ code: 421, status: "4.4.2" });
  });

  test("with a refused handshake leaves the listener well", async () => {
    const { port } = await startSmtp({ tls: certificate("localhost"), limits: { connections: 1 } });
    const client = await RawClient.greeted(port);
    expect(await client.command("STARTTLS")).toMatchObject({ code: 220 });
    await client.send("this is no handshake\r\n".repeat(100));
    await client.closed;
    await settle();
    expect(await (await RawClient.greeted(port)).deliver("x", inbox)).toMatchObject({ code: 250 });
  });

  test("a handshake that never ends is cut off by the deadline", async () => {
    const clock = new ManualClock();
    const { port } = await startSmtp({ tls: certificate("localhost") }, { clock });
    const client = await RawClient.greeted(port);
    await client.command("STARTTLS");
    await clock.advance(61_000);
    await client.closed;
    expect(client.unread).toBe(""); // not a byte of cleartext into the handshake
  });
});

describe("plaintext pipelined behind STARTTLS", () => {
  const injected = `EHLO evil.test\r\nMAIL FROM:<evil@b.test>\r\nRCPT TO:<${inbox}>\r\nDATA\r\nevil\r\n.\r\n`;

  test.each([1, 200])("(%i times over) is answered by 220 alone and has no effect inside", async (times) => {
    const { port, intake } = await startSmtp({ tls: certificate("localhost") });
    const client = await RawClient.greeted(port);
    await client.command("MAIL FROM:<before@b.test>");
    expect(await client.startTls(injected.repeat(times)).catch(() => "handshake failed")).toBeDefined();
    if (client.socket.destroyed) return expect(intake.begun).toBe(0);
    expect(await client.command(`RCPT TO:<${inbox}>`)).toMatchObject({ code: 503 }); // EHLO demanded again
    await client.command("EHLO client.test");
    expect(await client.command(`RCPT TO:<${inbox}>`)).toMatchObject({ code: 503 }); // the MAIL before it is forgotten
    expect(client.unread).toBe("");
    expect(intake.begun).toBe(0);
  });

  test("STARTTLS with a parameter is 501 5.5.4, a second one 503 5.5.1", async () => {
    const { port } = await startSmtp({ tls: certificate("localhost") });
    const client = await RawClient.greeted(port);
    expect(await client.command("STARTTLS now")).toMatchObject({ code: 501, status: "5.5.4" });
    await client.startTls();
    expect(await client.startTls()).toMatchObject({ code: 503, status: "5.5.1" });
  });
});

describe("the certificate", () => {
  test("is taken again on reload", async () => {
    const { files } = await installed();
    const { port, source } = await startSmtp({ tls: files });
    expect(await serialServed(port)).toBe(await serialOf("localhost"));
    await copyFile(certificate("renewed").cert, files.cert);
    await copyFile(certificate("renewed").key, files.key);
    await source.reload?.();
    expect(await serialServed(port)).toBe(await serialOf("renewed"));
  });

  test("is taken again by itself when the files are replaced by rename", async () => {
    const { dir, files } = await installed();
    const { port, ports } = await startSmtp({ tls: files });
    for (const part of ["cert", "key"] as const) {
      await copyFile(certificate("renewed")[part], join(dir, "next"));
      await rename(join(dir, "next"), files[part]);
    }
    await ports.log.until("new certificate in use");
    expect(await serialServed(port)).toBe(await serialOf("renewed"));
  });

  test("is taken again by itself when a link on the way to it is turned, as Kubernetes and certbot do", async () => {
    const dir = await folder();
    for (const name of ["localhost", "renewed"] as const) {
      await writeFile(join(dir, `${name}.crt`), await readFile(certificate(name).cert));
      await writeFile(join(dir, `${name}.key`), await readFile(certificate(name).key));
    }
    const files = { cert: join(dir, "live.crt"), key: join(dir, "live.key") };
    await symlink("localhost.crt", files.cert);
    await symlink("localhost.key", files.key);
    const { port, ports } = await startSmtp({ tls: files });
    for (const [part, target] of [
      ["cert", "renewed.crt"],
      ["key", "renewed.key"],
    ] as const) {
      await symlink(target, join(dir, "turn"));
      await rename(join(dir, "turn"), files[part]);
    }
    await ports.log.until("new certificate in use");
    expect(await serialServed(port)).toBe(await serialOf("renewed"));
  });

  test.each([
    ["garbage", () => Buffer.from("no certificate")],
    ["another key's certificate", () => readFile(certificate("renewed").cert)],
  ])("that cannot be used (%s) changes nothing but the log", async (_name, content) => {
    const { files } = await installed();
    const { port, source, ports } = await startSmtp({ tls: files });
    await writeFile(files.cert, await content());
    await source.reload?.();
    expect(ports.log.lines.filter(({ level }) => level === "error").map(({ message }) => message)).toContain(
      "smtp: new certificate refused, the old one stays",
    );
    expect(await serialServed(port)).toBe(await serialOf("localhost"));
    await copyFile(certificate("renewed").cert, files.cert);
    await copyFile(certificate("renewed").key, files.key);
    await source.reload?.();
    expect(await serialServed(port)).toBe(await serialOf("renewed"));
  });

  test("that is missing, or whose key does not fit, at the start is a sentence", async () => {
    const { files } = await installed();
    await expect(startSmtp({ tls: { ...files, cert: "/nowhere/tls.crt" } })).rejects.toThrow(
      /^smtp\.tls: cannot use certificate \/nowhere\/tls\.crt with key .*ENOENT/,
    );
    await expect(startSmtp({ tls: { ...files, key: certificate("renewed").key } })).rejects.toThrow(/key must belong/);
  });

  test("that has expired is used, and warned of", async () => {
    const clock = new ManualClock(Date.UTC(2226, 0, 1));
    const { ports } = await startSmtp({ tls: certificate("localhost") }, { clock, intake: new FakeIntake() });
    expect((await ports.log.until("certificate has expired")).level).toBe("warn");
  });
});
