/** Previews by the running daemon: a picture that came by mail is shown small by its own signed link; without the library nothing starts, and says why. */
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { command, shapedBy } from "../cli/stage.ts";
import { png } from "../support/png.ts";
import { mailwright } from "./command.ts";
import { type Home, makeHome, startDaemon } from "./daemon.ts";
import { sendMail } from "./smtp-client.ts";
import { drained } from "./verdict.ts";

let home: Home;
afterEach(() => home.remove());

const http = { host: "127.0.0.1", port: 0, public_url: "http://mail.example.com" };
const previews = { make: true };

test("a picture is shown small, by a link of its own, and the trail says so", async () => {
  home = await makeHome([{ id: "crm", type: "local" }], { http, previews });
  const daemon = await startDaemon(home);
  try {
    const picture = png(600, 400, 400, "where it was taken");
    const lines = [
      "From: Ada <ada@customer.test>",
      "To: deals@in.test",
      "Message-ID: <p@customer.test>",
      "Subject: A photo",
      "MIME-Version: 1.0",
      'Content-Type: multipart/mixed; boundary="b"',
      "",
      "--b",
      "Content-Type: text/plain",
      "",
      "Look.",
      "--b",
      "Content-Type: image/png; name=photo.png",
      "Content-Disposition: attachment; filename=photo.png",
      "Content-Transfer-Encoding: base64",
      "",
      picture.toString("base64").replaceAll(/.{76}/g, "$&\r\n"),
      "--b--",
    ];
    await sendMail(daemon.smtpPort, { from: "ada@customer.test", to: ["deals@in.test"], data: lines.join("\r\n") });
    await drained(daemon.httpPort, 120_000);
    const run = (...args: string[]) => command([...args, "--config", home.config], { cwd: home.dir });
    const [file] = await shapedBy(run, "attachments list", []);
    const shown = await shapedBy(run, "attachments show", [file?.id ?? ""]);
    expect(shown).toMatchObject({ status: "stored", preview_url: expect.stringContaining("/preview?") });
    const { pathname, search } = new URL(shown.preview_url ?? "");
    const open = (query = search) => fetch(`http://127.0.0.1:${daemon.httpPort}${pathname}${query}`);
    const answer = await open();
    const small = Buffer.from(await answer.arrayBuffer());
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "image/webp"]);
    expect([small.readUInt16LE(26) & 0x3fff, small.readUInt16LE(28) & 0x3fff]).toEqual([320, 213]);
    expect(small.includes("where it was taken")).toBe(false);
    expect(Buffer.from(await (await open()).arrayBuffer())).toEqual(small);
    expect((await open(search.replace("k=1", "k=2"))).status).toBe(403);
    const { audit } = await shapedBy(run, "attachments show", [file?.id ?? ""]);
    expect(audit.map(({ outcome }) => outcome)).toEqual(["wrong_signature", "preview", "preview"]);
    // What is not wanted any more is shown no more, and its small picture is gone with it.
    await run("attachments", "drop", file?.id ?? "", "--note", "not wanted");
    expect((await open()).status).toBe(410);
  } finally {
    await daemon.kill("SIGTERM");
  }
});

test("without the library, the daemon does not start and says what to do; so do config check and doctor", async () => {
  home = await makeHome([{ id: "crm", type: "local" }], { http, previews });
  const env = { NODE_OPTIONS: `--import=${fileURLToPath(new URL("./without-sharp.ts", import.meta.url))}` };
  const run = (...args: string[]) => mailwright([...args, "--config", home.config], { env });
  const started = await run("run");
  expect([started.code, started.err]).toEqual([
    1,
    expect.stringMatching(/^[^\n]*npm install --save-prod sharp[^\n]*\n$/),
  ]);
  const checked = await run("config", "check");
  expect(checked.code).toBe(3);
  expect(checked.err).toMatch(
    /mailwright\.yaml:\d+:1: previews\.make: found true.*sharp is not installed.*npm install/,
  );
  const doctor = await run("doctor", "--json");
  const { findings } = doctor.json<{ findings: { about: string; level: string; what: string }[] }>();
  expect(findings.find(({ about }) => about === "previews")).toMatchObject({
    level: "problem",
    what: expect.stringContaining("npm install --save-prod sharp"),
  });
});
