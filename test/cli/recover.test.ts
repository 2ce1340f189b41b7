/** What `recover` does to the data folder: nothing that was promised may afterwards lie where a daemon sweeps. */
import { existsSync, readdirSync } from "node:fs";
import { link, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { openKeyRing } from "../../src/blobs/index.ts";
import { openLedger } from "../../src/main.ts";
import { rawKey } from "../../src/pipeline/raw.ts";
import { command, type Ended } from "./stage.ts";

let dir: string;
let data: string;
let config: string;
const ledger = () => join(data, "ledger.sqlite");
const orphans = () => join(data, "ledger.sqlite.recovered.orphans");

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "mailwright-recover-"));
  data = join(dir, "data");
  config = join(dir, "mailwright.yaml");
  await writeFile(
    config,
    stringify({
      data_dir: "./data",
      seal: { key: Buffer.alloc(32, 7).toString("base64") },
      dns: { verify: false },
      limits: { disk_reserve_bytes: 0, disk_reserve_percent: 0 },
      tenants: [{ id: "acme", recipients: ["*@in.test"], destinations: [{ id: "crm", type: "local" }] }],
    }),
  );
  await mkdir(join(data, "spool"), { recursive: true, mode: 0o700 });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const recover = (): Promise<Ended> => command(["recover", "--config", config]);

/** A ledger with these spool files in its rows, closed in order. */
async function makeLedger(names: readonly string[]): Promise<void> {
  await mkdir(data, { recursive: true });
  const path = join(dir, "ledger.sqlite");
  const made = await openLedger({ path, thread: "calling" });
  await made.accept(
    names.map((name, index) => ({
      eventId: `event-${index}`,
      tenant: "acme",
      messageId: `<${index}@people.test>`,
      digest: String(index).padEnd(64, "0"),
      receivedAt: 1_000,
      envelope: { kind: "smtp", tenant: "acme", routes: ["deals@in.test"], received_at: 1_000 },
      rawSha256: "0".repeat(64),
      rawSize: 1,
      raw: { kind: "spool", name },
    })),
  );
  await made.maintain();
  await made.close();
  await rename(path, ledger());
}

/** A spool file under a seal that nobody here can open. */
const spool = (name: string) => writeFile(join(data, "spool", name), "sealed by another key", { mode: 0o600 });

test("mail that could not be taken in again leaves the spool, and every later run looks at it again", async () => {
  await spool("one.sealed");
  const first = await recover();
  expect(first.code).not.toBe(0);
  expect(first.err).toContain("1 kept files could not be taken in");
  expect(readdirSync(join(data, "spool"))).toEqual([]);
  expect(readdirSync(orphans())).toEqual(["one.sealed"]);
  const second = await recover();
  expect(second.err).toContain("1 kept files could not be taken in");
  expect(readdirSync(orphans())).toEqual(["one.sealed"]);
});

test("a spool file that a row names stays where the row says", async () => {
  await makeLedger(["named.sealed"]);
  await spool("named.sealed");
  await spool("unnamed.sealed");
  await recover();
  expect(readdirSync(join(data, "spool"))).toEqual(["named.sealed"]);
  expect(readdirSync(orphans())).toEqual(["unnamed.sealed"]);
});

test("a run that was cut off between its renames goes on without the old write-ahead log", async () => {
  await makeLedger(["named.sealed"]);
  await link(ledger(), `${ledger()}.recovered`);
  await rm(ledger());
  await writeFile(`${ledger()}-wal`, "the log of the damaged file");
  await spool("named.sealed");
  await spool("unnamed.sealed");
  const ran = await recover();
  expect(ran.out).toContain("the ledger is sound");
  expect(readdirSync(join(data, "spool"))).toEqual(["named.sealed"]);
  expect(readdirSync(data).filter((name) => /damaged-.*-wal$/.test(name))).toHaveLength(1);
  expect(existsSync(`${ledger()}.recovered`)).toBe(false);
  const opened = await openLedger({ path: ledger(), thread: "calling" });
  expect(await opened.find({ limit: 9 })).toMatchObject([{ eventId: "event-0" }]);
  await opened.close();
});

test("a backup gives back mail that moved from the spool to the attic while it was made", async () => {
  await makeLedger(["moved.sealed"]);
  const mail = Buffer.from("Message-ID: <0@people.test>\r\nSubject: moved\r\n\r\nHello\r\n");
  const attic = join(data, "blobs", dirname(rawKey({ tenant: "acme", eventId: "event-0" })));
  await mkdir(attic, { recursive: true });
  const ring = openKeyRing({ key: Buffer.alloc(32, 7).toString("base64") });
  await writeFile(join(attic, "event-0"), ring.seal(mail, "raw"));
  const folder = join(dir, "backup");
  expect((await command(["backup", "--config", config, folder])).code).toBe(0);
  await rm(data, { recursive: true });
  const ran = await command(["recover", "--config", config, "--from", folder]);
  expect(ran.err).not.toContain("could not be taken in");
  expect(ran).toMatchObject({ code: 0, out: expect.stringContaining("from the backup: 1 messages taken in again") });
});
