/**
 * What `bench:drain` can be held against: the least that any drain of this kind does, on the same mails and against the same CRM. The sealed mail is
 * read from a bare ledger, parsed by simpleParser in one of two processes, its event sealed and kept, the sender found or made, the mail logged,
 * and each write at the CRM noted before it is sent. No identity, no verification, no judge, no threads, no mapping, no retries, no limits.
 * `npm run bench:drain-floor -- [--count 4000] [--rounds 3]`
 */
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Pool } from "undici";
import { openKeyRing } from "../src/blobs/index.ts";
import { openBareLedger } from "./bare-ledger.ts";
import { machineCpu, processCpu, threadCpu } from "./cpu.ts";
import type { FloorAnswer, FloorOrder } from "./drain-floor-parser.ts";
import { benchMails } from "./mail.ts";

const { values } = parseArgs({
  options: { count: { type: "string", default: "4000" }, rounds: { type: "string", default: "3" } },
});
const count = Number(values.count);
const senders = Math.max(1, Math.floor(count / 3));
/** As many as the product has in its lane and before it. */
const inHand = 64;
const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const dir = mkdtempSync(join(tmpdir(), "mailwright-drain-floor-"));
const ledger = await openBareLedger(join(dir, "bare.sqlite"));
const sealer = openKeyRing({ key: "00".repeat(32) });
const parsers = [0, 1].map(() => fork(script("./drain-floor-parser.ts"), [], { serialization: "advanced" }));
const crm = fork(script("./crm-server.ts"), [], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
const [{ url }] = (await once(crm, "message")) as [{ url: string }];
const pool = new Pool(url, { connections: 32 });
const objects = "/crm/objects/2026-03";

const parsing = new Map<number, (event: string) => void>();
for (const parser of parsers) {
  parser.on("message", ({ n, event }: FloorAnswer) => {
    parsing.get(n)?.(event);
    parsing.delete(n);
  });
}

function parse(n: number, raw: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    parsing.set(n, resolve);
    parsers[n % parsers.length]?.send({ n, raw } satisfies FloorOrder);
  });
}

async function send(method: "GET" | "POST", path: string, body?: unknown): Promise<string | undefined> {
  const headers = { authorization: "Bearer pat-bench", "content-type": "application/json" };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const { statusCode, body: answer } = await pool.request({ method, path, headers, ...sent });
  const said = (await answer.json()) as { id?: string; message?: string };
  // Another mail of the same sender came first.
  if (statusCode === 409) return /ID: (\d+)/.exec(said.message ?? "")?.[1];
  if (statusCode !== 404 && statusCode >= 300) throw new Error(`${method} ${path}: ${statusCode}`);
  return said.id;
}

const contacts = new Map<string, string>();

async function contactOf(n: number, email: string): Promise<string> {
  const known = contacts.get(email);
  if (known !== undefined) return known;
  const found = await send("GET", `${objects}/contacts/${encodeURIComponent(email)}?idProperty=email&properties=email`);
  if (found === undefined) await ledger.call({ what: "note", n, state: "contact sent", ref: null });
  const id = found ?? (await send("POST", `${objects}/contacts`, { properties: { email } })) ?? "";
  contacts.set(email, id);
  return id;
}

async function drainOne(n: number): Promise<void> {
  const sealed = await ledger.call({ what: "take", n });
  if (sealed === undefined) throw new Error(`no mail ${n}`);
  const text = await parse(n, sealer.open(sealed).plain);
  await ledger.call({ what: "prepare", n, sealed: sealer.seal(Buffer.from(text), "") });
  const event = JSON.parse(text) as { from: string; subject?: string; text?: string; html?: string | false };
  const contact = await contactOf(n, event.from);
  await ledger.call({ what: "note", n, state: "email sent", ref: contact });
  const ref = await send("POST", `${objects}/emails`, {
    properties: {
      mailwright_key: `floor-${n}`,
      hs_timestamp: "2026-11-29T12:00:00Z",
      hs_email_direction: "INCOMING_EMAIL",
      hs_email_subject: event.subject,
      hs_email_text: event.text,
      hs_email_html: event.html,
    },
    associations: [
      { to: { id: contact }, types: [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId: 198 }] },
    ],
  });
  await ledger.call({ what: "note", n, state: "processed", ref: ref ?? null });
}

let kept = 0;
async function fill(run: string): Promise<void> {
  let waiting: Promise<unknown>[] = [];
  for (const { data } of benchMails(count, senders, run)) {
    waiting.push(ledger.call({ what: "keep", n: kept, key: `${run}-${kept}`, sealed: sealer.seal(data, "") }));
    kept += 1;
    if (waiting.length < 500) continue;
    await Promise.all(waiting);
    waiting = [];
  }
  await Promise.all(waiting);
}

let next = 0;
async function drain(): Promise<void> {
  const hand = async (): Promise<void> => {
    while (next < kept) await drainOne(next++);
  };
  await Promise.all(Array.from({ length: inHand }, hand));
}

function used(): Map<string, number> {
  const parsed = parsers.reduce((sum, { pid }) => sum + processCpu(pid ?? 0), 0);
  return new Map([...threadCpu(process.pid), ["parsers", parsed], ["CRM", processCpu(crm.pid ?? 0)]]);
}

try {
  // The first round warms up.
  for (let round = 0; round <= Number(values.rounds); round++) {
    const run = `floor${round}`;
    await fill(run);
    const args = [script("./parse-rate.ts"), String(count), String(senders), run, "ordinary"];
    const [bare = 0, bareCpu = 0] = execFileSync(process.execPath, args, { encoding: "utf8" }).split(" ").map(Number);
    const [before, machine, from] = [used(), machineCpu(), performance.now()];
    await drain();
    const rate = count / ((performance.now() - from) / 1000);
    const after = machineCpu();
    if (round === 0) continue;
    const parts = [...used()].map(([name, us]) => [name, Math.round((us - (before.get(name) ?? 0)) / count)] as const);
    const idle = (after.idle - machine.idle) / (after.idle - machine.idle + after.busy - machine.busy);
    process.stdout.write(
      `round ${round}: ${rate.toFixed(0)}/s, simpleParser alone ${bare.toFixed(0)}/s (${bareCpu.toFixed(0)} us), ratio ${(rate / bare).toFixed(2)}; CPU us a message: ` +
        `${parts.flatMap(([name, us]) => (us > 0 ? [`${name} ${us}`] : [])).join(", ")}, all ${parts.reduce((sum, [, us]) => sum + us, 0)}; ${(100 * idle).toFixed(0)} % of both processors idle\n`,
    );
  }
} finally {
  for (const parser of parsers) parser.disconnect();
  crm.kill();
  await pool.close();
  await ledger.close();
  rmSync(dir, { recursive: true, force: true });
}
