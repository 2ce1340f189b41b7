/** `mailwright attachments`, run as a command without a daemon: what the CRM lists of a file follows what persons decide about it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { ShapeName } from "../../src/cli/shapes.ts";
import { openGround } from "../../src/main.ts";
import type { FileStatus } from "../../src/model/files.ts";
import { loadSettings } from "../../src/settings/index.ts";
import { command, type Ended, shapedBy } from "../cli/stage.ts";
import { recordingLog } from "../destinations/fixtures.ts";
import { startDaemon } from "./daemon.ts";

let dir: string;
let config: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "mailwright-attachments-"));
  config = join(dir, "mailwright.yaml");
  configure({ public_url: "https://mail.example.com" });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function configure(http: Record<string, unknown>): void {
  const crm = { id: "crm", type: "local" };
  const limits = { disk_reserve_bytes: 0, disk_reserve_percent: 0 };
  const tenants = [{ id: "acme", recipients: ["*@in.test"], destinations: [crm] }];
  writeFileSync(config, stringify({ data_dir: "./data", limits, dns: { verify: false }, http, tenants }));
}

const run = (...args: string[]): Promise<Ended> => command([...args, "--config", config], { cwd: dir });
const shaped = <N extends ShapeName>(name: N, ...args: string[]) => shapedBy(run, name, args);

const pdf = Buffer.from("%PDF-1.4\n%%EOF\n");

/** A picture by its name and type, and a document by its content. */
async function received(name = "photo.jpg", type = "image/jpeg"): Promise<{ eventId: string; fileId: string }> {
  const file = join(dir, "mail.eml");
  const head = [
    "From: Ada <ada@customer.test>",
    "To: deals@in.test",
    "Message-ID: <m1@customer.test>",
    "Subject: A photo",
  ];
  const parts = [
    'Content-Type: multipart/mixed; boundary="b"',
    "",
    "--b",
    "Content-Type: text/plain",
    "",
    "Look.",
    "--b",
    `Content-Type: ${type}; name="${name}"`,
    `Content-Disposition: attachment; filename="${name}"`,
    "Content-Transfer-Encoding: base64",
    "",
    pdf.toString("base64"),
    "--b--",
  ];
  writeFileSync(file, `${[...head, "MIME-Version: 1.0", ...parts].join("\r\n")}\r\n`);
  const [row] = await shaped("reprocess", file);
  const eventId = row?.event_id ?? "";
  const [one] = await shaped("attachments list", "--event", eventId);
  return { eventId, fileId: one?.id ?? "" };
}

/** What the keeping of files does where it looked into one; where it has done so by itself, it came to this, too. */
async function judged(eventId: string, status: FileStatus): Promise<void> {
  const ground = await openGround(loadSettings(config, {}), { thread: "calling", log: recordingLog().log });
  try {
    const now = ground.clock.now() + 60_000;
    const [taken] = await ground.ledger.filesToKeep({ tenants: ["acme"], room: 1, now, leaseMs: 60_000 });
    if (taken === undefined) return;
    const [file] = taken.files;
    const key = `attachment/acme/${file?.sha256.slice(0, 2)}/${file?.sha256}`;
    const { ref: storeKey } = await ground.stores.of("acme").put(key, once(pdf));
    const kept = taken.files.map(({ id, scan }) => ({
      id,
      status,
      reason: status === "stored" ? null : "its content is another than its name says",
      inspection: { detectedType: "application/pdf", findings: [{ code: "mismatch", detail: "photo.jpg" }] },
      storeKey,
      scan,
    }));
    expect(await ground.ledger.filesKept({ eventId, lease: taken.lease, now, kept })).toBe(true);
  } finally {
    await ground.close();
  }
  await shaped("reprocess", eventId);
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

const listed = async () => (await shaped("crm activities")).map(({ fields }) => fields.attachments);

describe("a file that is held back", () => {
  test("is listed at the CRM with its link from the beginning, released with a reason, and its list there follows", async () => {
    const { eventId, fileId } = await received();
    const [first] = await listed();
    const url = expect.stringMatching(
      new RegExp(`^https://mail\\.example\\.com/a/${fileId}\\?e=\\d{10}&k=1&s=[\\w-]{43}$`),
    );
    expect(first).toEqual([expect.objectContaining({ id: fileId, filename: "photo.jpg", url })]);
    await judged(eventId, "quarantined");
    expect(await listed()).toEqual([
      [expect.objectContaining({ id: fileId, status: "quarantined", reason: expect.any(String) })],
    ]);

    const explained = await shaped("explain", eventId);
    expect(explained.files).toMatchObject([{ id: fileId, status: "quarantined" }]);
    expect(explained.next.at(-1)).toMatchObject({ command: `mailwright attachments show ${fileId}` });
    expect((await shaped("attachments list", "--status", "quarantined")).map(({ id }) => id)).toEqual([fileId]);
    expect(await shaped("attachments list", "--status", "stored")).toEqual([]);
    expect(await shaped("attachments list", "--before", fileId)).toEqual([]);
    const unknown = await run("attachments", "list", "--before", "0".repeat(32));
    expect([unknown.code, unknown.out]).toEqual([1, ""]);
    expect(unknown.err).toContain("there is no file 0000");

    const released = await shaped("attachments release", fileId, "--note", "it is a scan", "--by", "Kim");
    expect(released).toMatchObject({
      id: fileId,
      status: "stored",
      by: "Kim",
      note: "it is a scan",
      worked_by: "command",
    });
    expect(
      released.deliveries[0]?.steps.filter(({ kind }) => kind === "file").every(({ state }) => state === "confirmed"),
    ).toBe(true);
    expect(await listed()).toEqual([[expect.objectContaining({ status: "stored", url })]]);

    const shown = await shaped("attachments show", fileId);
    expect(shown.audit).toMatchObject([{ what: "file.release", who: "Kim" }]);
    const words = (await run("attachments", "show", fileId)).out;
    expect(words).toMatch(
      /photo\.jpg.*image\/jpeg; its content is application\/pdf.*mismatch.*it is a scan.*link +https/s,
    );
    const events = (await run("events", "show", eventId)).out;
    expect(events).toContain(`${fileId}  photo.jpg (image/jpeg, 15 bytes), stored`);
  });

  test("is dropped, which stands, and no activity is made a second time", async () => {
    const { eventId, fileId } = await received();
    await judged(eventId, "quarantined");
    const dropped = await run("attachments", "drop", fileId, "--note", "nobody wants it");
    expect([dropped.code, dropped.out]).toEqual([0, `${fileId}: dropped (drop by tester)\n`]);
    expect(await listed()).toEqual([[expect.objectContaining({ status: "dropped" })]]);
    const again = await run("attachments", "release", fileId, "--note", "but I do");
    expect(again.code).toBe(1);
    expect(again.err).toMatch(/cannot be released: it was dropped already; nothing was changed/);
  });
});

describe("the command", () => {
  test("wants a reason, and says which file there is none of", async () => {
    const { fileId } = await received();
    const bare = await run("attachments", "release", fileId);
    expect([bare.code, bare.err]).toEqual([2, expect.stringContaining("say why")]);
    for (const answer of ["show", "release", "drop"]) {
      const note = answer === "show" ? [] : ["--note", "x"];
      const unknown = await run("attachments", answer, "f".repeat(32), ...note);
      expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("there is no file ffff")]);
      const odd = await run("attachments", answer, "photo.jpg", ...note);
      expect([odd.code, odd.err]).toEqual([2, expect.stringContaining("is no file's id")]);
    }
  });

  test("shows no link where nobody could reach us, and the CRM has none", async () => {
    configure({});
    const { fileId } = await received();
    expect((await shaped("attachments show", fileId)).url).toBeNull();
    expect(await listed()).toEqual([[expect.objectContaining({ id: fileId, url: null })]]);
  });
});

test("a running daemon serves what is stored to whoever holds its link, and the trail names them", async () => {
  configure({ host: "127.0.0.1", port: 0, public_url: "http://mail.example.com" });
  const { eventId, fileId } = await received("offer.pdf", "application/pdf");
  await judged(eventId, "stored");
  const { url, status } = await shaped("attachments show", fileId);
  expect(status).toBe("stored");
  const daemon = await startDaemon({ dir, config, dataDir: join(dir, "data"), remove: async () => undefined });
  try {
    const { pathname, search } = new URL(url ?? "");
    const open = (query: string) => fetch(`http://127.0.0.1:${daemon.httpPort}${pathname}${query}`);
    const answer = await open(search);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/pdf"]);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(pdf);
    expect((await open(search.replace("k=1", "k=2"))).status).toBe(403);
    const { audit } = await shaped("attachments show", fileId);
    expect(audit.map(({ what, outcome, who, from }) => [what, outcome, who, from])).toEqual([
      ["link.open", "wrong_signature", "link", "127.0.0.1"],
      ["link.open", "served", "link", "127.0.0.1"],
    ]);
  } finally {
    await daemon.kill("SIGTERM");
  }
});

test("config hash-password reads a line and prints what the configuration takes", async () => {
  const args = ["config", "hash-password"];
  const ended = await command(args, { stdin: "correct horse battery staple\n", cwd: dir });
  const hash = ended.out.trim();
  configure({ operators: [{ name: "Ada", password_hash: hash }] });
  const checked = await run("config", "check", "--json");
  expect([checked.code, checked.out]).toEqual([0, expect.not.stringContaining(hash)]);
  const short = await command(args, { stdin: "short\n", cwd: dir });
  expect([short.code, short.out]).toEqual([2, ""]);
});
