/** The table of dangerous files by the real road: sent by SMTP to a daemon without a virus scanner, opened by the links that the CRM shows. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSettingsLinks } from "../../src/main/links.ts";
import type { Links } from "../../src/model/links.ts";
import { loadSettings } from "../../src/settings/index.ts";
import { dangerous } from "../support/dangerous/table.ts";
import { type Home, makeHome, type RunningDaemon, startDaemon } from "./daemon.ts";
import { type Answer, leaks, losses, opener, type Shown, sent } from "./dangerous-road.ts";

const rows = dangerous();
let home: Home;
let daemon: RunningDaemon;
let links: Links;
let files: readonly Shown[];
let twins: readonly Shown[];

beforeAll(async () => {
  home = await makeHome([{ id: "crm", type: "local" }], {
    http: { host: "127.0.0.1", port: 0, public_url: "http://mail.example.com", trusted_proxies: ["127.0.0.1"] },
    links: { refresh_days: 30 },
  });
  daemon = await startDaemon(home);
  const all = rows.flatMap(({ what, file, twin }) => [
    { what, sample: file },
    { what: `the twin of ${what}`, sample: twin },
  ]);
  const shown = await sent(home, daemon, "deals@in.test", all);
  files = shown.filter((_, at) => at % 2 === 0);
  twins = shown.filter((_, at) => at % 2 === 1);
  const key = readFileSync(join(home.dataDir, "master.key"), "utf8").trim();
  const opened = openSettingsLinks(loadSettings(home.config, {}), key);
  if (opened === undefined) throw new Error("there are no links");
  links = opened;
}, 300_000);
afterAll(async () => {
  await daemon?.kill("SIGTERM");
  await home?.remove();
});

const fresh = (page: Buffer): string | undefined =>
  /<a href="([^"]+)">/.exec(page.toString())?.[1]?.replaceAll("&amp;", "&");

/** The link as it is a year later, and the one that its page gives: whoever holds it may have that. */
async function later({ id, what }: Shown, open: (url: string) => Promise<Answer>): Promise<string> {
  const expired = await open(links.until(id, Date.now() - 1_000));
  const link = fresh(expired.body);
  if (expired.status !== 410 || link === undefined) throw new Error(`${what}: no fresh link, ${expired.status}`);
  return link;
}

async function wrongs(shown: readonly Shown[], look: typeof leaks): Promise<string[]> {
  const client = opener(daemon);
  const queue = [...shown];
  const wrong: string[] = [];
  const work = async (): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const open = client();
      wrong.push(...(await look(one, open, [await later(one, open)])));
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  return wrong;
}

test("no link leads to a byte of a dangerous file, fresh or expired, whole or in parts", async () => {
  expect(await wrongs(files, leaks)).toEqual([]);
  expect(files.map(({ what, status }) => [what, status])).toEqual(rows.map(({ what, status }) => [what, status]));
});

test("every link of a harmless twin leads to the bytes that were sent, as a download", async () => {
  expect(await wrongs(twins, losses)).toEqual([]);
});

test("of what is stripped nothing is kept beside the raw mail", async () => {
  const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  const harmless = new Set(twins.map(({ sample }) => digest(sample.bytes)));
  // The same bytes may be harmless under another name.
  const stripped = files.filter(({ status, sample }) => status === "stripped" && !harmless.has(digest(sample.bytes)));
  const kept = (await readdir(join(home.dataDir, "blobs"), { recursive: true })).join("\n");
  expect(stripped.length).toBeGreaterThan(20);
  expect(stripped.filter(({ sample }) => kept.includes(digest(sample.bytes))).map(({ what }) => what)).toEqual([]);
  expect(twins.every(({ sample }) => kept.includes(digest(sample.bytes)))).toBe(true);
});
