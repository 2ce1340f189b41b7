/** Kills the real daemon, and commands beside it, at named writes on the way of mails' files, and judges what is left in the end. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openSettingsLinks } from "../../src/main/links.ts";
import { systemClock } from "../../src/main/system.ts";
import { type Ground, openGround } from "../../src/main.ts";
import type { FileRow } from "../../src/model/files.ts";
import type { Links } from "../../src/model/links.ts";
import { loadSettings } from "../../src/settings/index.ts";
import { command, shapedBy } from "../cli/stage.ts";
import { recordingLog } from "../destinations/fixtures.ts";
import { fakeClamd } from "../support/fake-clamd.ts";
import { png } from "../support/png.ts";
import { s3StorageOf, startS3 } from "../support/s3-server.ts";
import { mailwright } from "./command.ts";
import { type Home, makeHome, type RunningDaemon, startDaemon } from "./daemon.ts";
import { type Sent as Reply, sendMail } from "./smtp-client.ts";
import { drained, eventsOf, judge, type SentMail } from "./verdict.ts";

export interface FileKillRun {
  /** `<point>#<times>`, one life of the daemon each; with `command ` before it, that of a release or a drop beside it. */
  readonly points: readonly string[];
  /** Where the points are written down that were passed; nobody is killed then. */
  readonly record?: string;
  /** The store is a bucket. */
  readonly bucket?: boolean;
  progress?(point: string, reached: boolean): void;
}

export interface FileKillOutcome {
  readonly reached: readonly string[];
  readonly missed: readonly string[];
  readonly wrong: readonly string[];
  /** Lives that did not come to rest within a minute. */
  readonly slow: readonly string[];
  readonly files: number;
  readonly served: number;
}

const preload = fileURLToPath(new URL("./kill-point.ts", import.meta.url));
const hooked = (more: Record<string, string>) => ({ NODE_OPTIONS: `--import=${preload}`, ...more });

type Fate = "stored" | "quarantined" | "dropped" | "stripped";
interface Sent extends SentMail {
  readonly files: readonly {
    readonly name: string;
    readonly type: string;
    readonly bytes: Buffer;
    readonly fate: Fate;
  }[];
}

interface World {
  readonly home: Home;
  readonly links: () => Links;
  /** Beside a daemon, or after one. */
  readonly ground: () => Promise<Ground>;
  readonly sent: Sent[];
  /** Contents that the scanner called clean. */
  readonly clean: Set<string>;
  readonly wrong: Set<string>;
  /** What a life was waiting for when it had waited long enough. */
  readonly slow: string[];
  served: number;
  clients: number;
}

const shared = Buffer.from(`%PDF-1.4\n${"the same terms for everybody\n".repeat(500)}%%EOF\n`);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export async function runFileKills({ points, record, bucket, progress }: FileKillRun): Promise<FileKillOutcome> {
  const clean = new Set<string>();
  const clamd = await fakeClamd({
    verdict(bytes) {
      if (bytes.includes("EVIL")) return "2: stream: Test.Evil FOUND\0";
      clean.add(sha256(bytes));
      return "2: stream: OK\0";
    },
  });
  const s3 = bucket === true ? await startS3() : undefined;
  const home = await makeHome([{ id: "crm", type: "local" }], {
    http: { host: "127.0.0.1", port: 0, public_url: "http://mail.example.com", trusted_proxies: ["127.0.0.1"] },
    clamd: clamd.at,
    previews: { make: true },
    ...(s3 === undefined ? {} : { storage: s3StorageOf(s3, { prefix: "mw/" }) }),
  });
  const world = openWorld(home, clean);
  const [reached, missed]: [string[], string[]] = [[], []];
  try {
    for (const [cycle, point] of points.entries()) {
      const died = await life(world, cycle, point, record === undefined ? {} : { KILL_RECORD: record });
      (died ? reached : missed).push(point);
      progress?.(point, died);
    }
    await calm(world);
    const files = world.sent.reduce((sum, mail) => sum + mail.files.length, 0);
    return { reached, missed, wrong: [...world.wrong], slow: world.slow, files, served: world.served };
  } finally {
    await (await world.ground()).close();
    await s3?.stop();
    await clamd.stop();
    await home.remove();
  }
}

function openWorld(home: Home, clean: Set<string>): World {
  let links: Links | undefined;
  let ground: Promise<Ground> | undefined;
  return {
    home,
    sent: [],
    clean,
    wrong: new Set(),
    slow: [],
    served: 0,
    clients: 0,
    links() {
      links ??= linksOf(home);
      return links;
    },
    ground() {
      ground ??= openGround(loadSettings(home.config, {}), {
        thread: "calling",
        check: "none",
        log: recordingLog().log,
      });
      return ground;
    },
  };
}

function linksOf(home: Home): Links {
  const key = readFileSync(join(home.dataDir, "master.key"), "utf8").trim();
  const links = openSettingsLinks(loadSettings(home.config, {}), key);
  if (links === undefined) throw new Error("there are no links");
  return links;
}

/** True when the daemon, or a command beside it, was killed. */
async function life(world: World, cycle: number, point: string, more: Record<string, string>): Promise<boolean> {
  const { home, sent } = world;
  const ofCommand = point.startsWith("command ")
    ? hooked({ KILL_AT: point.slice("command ".length), ...more })
    : undefined;
  const env = ofCommand === undefined ? hooked({ KILL_AT: point, ...more }) : {};
  // It may die before it listens.
  const daemon = await startDaemon(home, { env }).catch(() => undefined);
  if (daemon === undefined) return true;
  let dead = false;
  const gone = once(daemon.process, "exit").then(() => {
    dead = true;
  });
  const untilQuiet = async (): Promise<void> => {
    if (!dead)
      await Promise.race([
        gone,
        drained(daemon.httpPort, 60_000).catch((error: Error) => {
          if (error.message.startsWith("not drained")) world.slow.push(`${point}: ${error.message}`);
        }),
      ]);
  };
  const watching = watch(world, daemon, () => dead);
  try {
    sent.push(...mailsOf(cycle));
    await Promise.all(sent.filter(({ acknowledged }) => !acknowledged).map((mail) => deliver(daemon, mail)));
    await untilQuiet();
    if (!dead) await openPreviews(world, daemon).catch(() => undefined);
    const commandDied = dead ? false : await decide(world, ofCommand);
    await untilQuiet();
    // What is deleted is deleted after all else.
    if (!dead && !commandDied) await Promise.race([gone, systemClock.sleep(200)]);
    return dead || commandDied;
  } finally {
    await daemon.kill("SIGKILL");
    await watching;
  }
}

/** A picture, a document that everybody gets, one that is dropped, one that is released, a bad one and a program. */
function mailsOf(cycle: number): Sent[] {
  const text = (words: string) => Buffer.from(`${words} ${cycle}\n`.repeat(3_000));
  const pdf = (words: string) => Buffer.concat([Buffer.from("%PDF-1.4\n"), text(words), Buffer.from("%%EOF\n")]);
  const file = (name: string, type: string, bytes: Buffer, fate: Fate) => ({ name, type, bytes, fate });
  const all: Sent["files"][] = [
    [
      file("terms.pdf", "application/pdf", shared, "stored"),
      file("photo.png", "image/png", png(40 + cycle, 30), "stored"),
      file("unwanted.pdf", "application/pdf", pdf("unwanted"), "dropped"),
    ],
    [
      file("scan.jpg", "image/jpeg", pdf("released"), "stored"),
      file("bad.txt", "text/plain", text("EVIL"), "quarantined"),
      file("setup.exe", "application/octet-stream", text("MZ"), "stripped"),
      file("terms.pdf", "application/pdf", shared, "stored"),
    ],
  ];
  return all.map((files, at) => ({
    id: `<f${cycle}.${at}@client.test>`,
    token: `token-${cycle}-${at}`,
    acknowledged: false,
    files,
  }));
}

async function deliver(daemon: RunningDaemon, mail: Sent): Promise<Reply> {
  const parts = mail.files.map(({ name, type, bytes }) =>
    [
      "--=_b",
      `Content-Type: ${type}`,
      "Content-Transfer-Encoding: base64",
      `Content-Disposition: attachment; filename="${name}"`,
      "",
      bytes.toString("base64").replaceAll(/.{76}/g, "$&\r\n"),
    ].join("\r\n"),
  );
  const head = [
    "From: Ada <ada@client.test>",
    "To: sales@in.test",
    `Subject: ${mail.token}`,
    `Message-ID: ${mail.id}`,
    "Date: Tue, 24 Nov 2026 10:00:00 +0000",
    "MIME-Version: 1.0",
    'Content-Type: multipart/mixed; boundary="=_b"',
  ];
  const text = `--=_b\r\nContent-Type: text/plain\r\n\r\nSee ${mail.token}.`;
  const data = `${head.join("\r\n")}\r\n\r\n${[text, ...parts].join("\r\n")}\r\n--=_b--`;
  const outcome = await sendMail(daemon.smtpPort, { from: "ada@client.test", to: ["sales@in.test"], data });
  if (outcome.kind === "acknowledged") mail.acknowledged = true;
  return outcome;
}

/** Newest first. */
async function rowsOf({ ground }: World, limit = 100_000): Promise<readonly FileRow[]> {
  return await (await ground()).ledger.files({ limit });
}

/** A stranger who tries every link again and again: what is served has been looked at, and is what its row says. */
async function watch(world: World, daemon: RunningDaemon, isDead: () => boolean): Promise<void> {
  const filesOfTwoLives = 14;
  while (!isDead()) {
    const began = systemClock.now();
    for (const row of await rowsOf(world, filesOfTwoLives)) {
      if (isDead()) return;
      await look(world, daemon, row).catch(() => undefined);
    }
    // Each opening is a write of the daemon: on a busy machine it would do little else.
    await systemClock.sleep(Math.max(200, 2 * (systemClock.now() - began)));
  }
}

/** From an address of its own each: one client may open so many in a minute. */
async function get(world: World, { httpPort }: RunningDaemon, url: string): Promise<{ status: number; body: Buffer }> {
  const { pathname, search } = new URL(url);
  const client = ++world.clients;
  const headers = { "x-forwarded-for": `10.${client >> 16}.${(client >> 8) & 255}.${client & 255}` };
  const answer = await fetch(`http://127.0.0.1:${httpPort}${pathname}${search}`, { redirect: "manual", headers });
  return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
}

async function look(
  world: World,
  daemon: RunningDaemon,
  { id, receivedAt, filename, sha256: sum }: FileRow,
): Promise<number> {
  const answer = await get(world, daemon, world.links().of(id, receivedAt));
  if (answer.status !== 200) return answer.status;
  world.served++;
  if (!world.clean.has(sum)) world.wrong.add(`${filename} was served, and no scanner had called it clean`);
  if (sha256(answer.body) !== sum) world.wrong.add(`${filename} was served with other bytes than its row has`);
  return 200;
}

async function openPreviews(world: World, daemon: RunningDaemon): Promise<void> {
  for (const { id, receivedAt, filename, status } of await rowsOf(world)) {
    if (filename !== "photo.png" || status !== "stored") continue;
    const answer = await get(world, daemon, world.links().previewOf(id, receivedAt));
    if (answer.status !== 200 || answer.body.toString("latin1", 8, 12) !== "WEBP")
      world.wrong.add(
        `the preview of ${filename} was answered with ${answer.status}: ${answer.body.toString().slice(0, 200)}`,
      );
  }
}

/** True when a command was killed. */
async function decide(world: World, env: Record<string, string> | undefined): Promise<boolean> {
  let died = false;
  for (const { id, filename, status } of await rowsOf(world)) {
    const isHeld = filename === "scan.jpg" && status === "quarantined";
    if (!isHeld && !(filename === "unwanted.pdf" && status === "stored")) continue;
    const args = ["attachments", isHeld ? "release" : "drop", id, "--note", "as it is", "--config", world.home.config];
    if (env === undefined) await command(args, { cwd: world.home.dir });
    else died = (await mailwright(args, { env })).code === null || died;
  }
  return died;
}

async function calm(world: World): Promise<void> {
  const { home, sent } = world;
  const daemon = await startDaemon(home);
  let ended = false;
  const watching = watch(world, daemon, () => ended);
  try {
    for (const mail of sent.filter(({ acknowledged }) => !acknowledged)) {
      const { kind, ...said } = await deliver(daemon, mail);
      // Nobody has promised anything then, and all its files are missed below.
      if (!mail.acknowledged) world.wrong.add(`${mail.token} was not taken: ${kind} ${JSON.stringify(said)}`);
    }
    await drained(daemon.httpPort, 120_000);
    await decide(world, undefined);
    await drained(daemon.httpPort, 120_000);
    await systemClock.sleep(500);
    await openPreviews(world, daemon);
    for (const what of await linksAreWrong(world, daemon)) world.wrong.add(what);
  } finally {
    ended = true;
    await watching;
    await daemon.kill("SIGTERM");
  }
  for (const what of await keptIsWrong(world)) world.wrong.add(what);
}

const answersTo: Readonly<Record<Fate, number>> = { stored: 200, quarantined: 403, dropped: 410, stripped: 403 };

/** What the CRM shows of each mail: one activity, every file in its state, and a link that gives what it says. */
async function linksAreWrong(world: World, daemon: RunningDaemon): Promise<string[]> {
  const { home, sent } = world;
  const wrong: string[] = [];
  const run = (...args: string[]) => command([...args, "--config", home.config], { cwd: home.dir });
  const activities = await shapedBy(run, "crm activities", ["--limit", "10000"]);
  for (const { token, files } of sent) {
    const found = activities.filter(({ fields }) => fields.subject === token);
    if (found.length !== 1) wrong.push(`${token} has ${found.length} activities`);
    const listed = (found[0]?.fields.attachments ?? []) as readonly { name: string; status: string; url: string }[];
    for (const [at, { name, bytes, fate }] of files.entries()) {
      const shown = listed[at];
      if (shown?.status !== fate) wrong.push(`${token}: ${name} is shown as ${shown?.status}, not as ${fate}`);
      const answer = shown === undefined ? undefined : await get(world, daemon, shown.url);
      if (answer?.status !== answersTo[fate]) wrong.push(`${token}: the link of ${name} answers ${answer?.status}`);
      if (fate === "stored" && answer?.body.equals(bytes) === false) wrong.push(`${token}: ${name} has other bytes`);
    }
  }
  return wrong;
}

/** Rows without bytes, and bytes without rows, of a stopped daemon. */
async function keptIsWrong(world: World): Promise<string[]> {
  const { home, sent } = world;
  const wrong: string[] = [];
  const { lost, doubled } = judge(
    sent,
    sent.map(({ id }) => ({ messageId: id, body: "", contacts: 1 })),
    await eventsOf(home),
  );
  wrong.push(...lost.map((id) => `${id} is lost`), ...doubled.map((id) => `${id} is doubled`));
  const { ledger, stores } = await world.ground();
  const store = stores.of("acme");
  const events = new Map((await ledger.find({ limit: 100_000 })).map(({ eventId, messageId }) => [eventId, messageId]));
  const known = new Set<string>();
  for (const row of await rowsOf(world)) {
    const mail = sent.find(({ id }) => id === events.get(row.eventId));
    const file = mail?.files.find(({ name }) => name === row.filename);
    if (row.status !== file?.fate) wrong.push(`${mail?.id}: ${row.filename} is ${row.status} (${row.reason})`);
    const lives = row.status === "stored" || row.status === "quarantined";
    if (lives !== (row.storeKey !== null)) wrong.push(`${row.filename} is ${row.status} and kept as ${row.storeKey}`);
    if (row.storeKey === null) continue;
    known.add(row.storeKey);
    const opened = await store.open(row.storeKey);
    const bytes = opened === undefined ? undefined : await new Response(opened.plain).bytes();
    if (bytes === undefined || sha256(bytes) !== row.sha256) wrong.push(`the bytes of ${row.filename} are not there`);
    const preview = await ledger.preview(row);
    if (preview !== undefined) known.add(preview.storeKey);
    if (row.filename === "photo.png" && preview?.state !== "made") wrong.push(`the preview is ${preview?.state}`);
  }
  for (const { storeKey } of await ledger.filesToDelete({ limit: 1_000 }))
    wrong.push(`${storeKey} is still to be deleted`);
  for (const kind of ["attachment/", "preview/"])
    for await (const { ref } of store.list(kind)) if (!known.delete(ref)) wrong.push(`nobody knows ${ref}`);
  return [...wrong, ...[...known].map((key) => `there is no ${key}`)];
}
