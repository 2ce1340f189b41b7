/** Kills the real daemon again and again while mail comes in and a nasty vendor answers, and judges what is left in the end. */
import { systemClock } from "../../src/main/system.ts";
import type { FaultPlan } from "../../src/sandbox/faults.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { startSandbox } from "../../src/sandbox/server.ts";
import { type Home, makeHome, type RunningDaemon, startDaemon } from "./daemon.ts";
import type { KillVendor } from "./kill-vendors.ts";
import { sendMail } from "./smtp-client.ts";
import {
  drained,
  eventsOf,
  type FilesFound,
  filesOf,
  judge,
  type SeenActivity,
  type SentMail,
  type Verdict,
} from "./verdict.ts";

/**
 * When the kill comes. random: at any moment. after_250: in the turn in which a client reads its 250. before_answer: the vendor has committed an
 * activity and its answer is held back.
 */
export type KillMoment = "random" | "after_250" | "before_answer";

export interface KillRun {
  readonly seed: number;
  readonly cycles: number;
  readonly moments: readonly KillMoment[];
  readonly vendor: KillVendor;
  readonly mailsPerCycle: number;
  /** How long the last life may take to have nothing to do any more: two minutes, where nothing is said. */
  readonly patienceMs?: number;
  /** Called after every cycle. */
  progress?(done: number): void;
}

export interface KillOutcome extends Verdict {
  readonly sent: number;
  readonly acknowledged: number;
  readonly kills: Readonly<Record<KillMoment, number>>;
  /** Kills at which a mail was logged whose answer the daemon never saw. */
  readonly unanswered: number;
  readonly contacts: { readonly senders: number; readonly made: number };
  readonly files: FilesFound;
}

/** The vendor's weather during the run: 429 5 %, 500 4 %, answers lost after the commit 8 % (durability sheet, base load). */
const weatherOf = ({ tooMany }: KillVendor): readonly FaultPlan[] => [
  { route: "*", probability: 0.05, fault: tooMany },
  { route: "*", probability: 0.04, fault: { kind: "status", status: 500 } },
  { route: "*", probability: 0.06, fault: { kind: "commit_then_drop" } },
  { route: "*", probability: 0.02, fault: { kind: "commit_then_status", status: 504 } },
];

export async function runKills(run: KillRun): Promise<KillOutcome> {
  const chance = randomOf(run.seed);
  const { vendor } = run;
  const crm = vendor.open({ unit: chance });
  const server = await startSandbox(crm);
  stoppedOnce ??= stopOnce(vendor.entry(server.url));
  await stoppedOnce;
  const home = await makeHome([vendor.entry(server.url)]);
  const sent: SentMail[] = [];
  const kills = { random: 0, after_250: 0, before_answer: 0 };
  let unanswered = 0;
  try {
    for (let cycle = 0; cycle < run.cycles; cycle++) {
      const moment = run.moments[cycle % run.moments.length] ?? "random";
      crm.faults.clear();
      for (const plan of weatherOf(vendor)) crm.faults.plan(plan);
      if (await killCycle({ run, vendor, cycle, moment, chance, crm, home, sent })) unanswered++;
      kills[moment]++;
      run.progress?.(cycle + 1);
    }
    await calm(home, crm, sent, run.patienceMs ?? 120_000);
    const seen = activitiesOf(crm, vendor);
    const verdict = judge(sent, seen, await eventsOf(home));
    const files = await filesOf(home, (id) => attachedTo(id)?.content);
    const contacts = { senders: new Set(seen.map(({ sender }) => sender)).size, made: vendor.contacts(crm) };
    return {
      ...verdict,
      sent: sent.length,
      acknowledged: sent.filter(({ acknowledged }) => acknowledged).length,
      kills,
      unanswered,
      contacts,
      files,
    };
  } finally {
    await server.close();
    await home.remove();
  }
}

let stoppedOnce: Promise<void> | undefined;

/** Node keeps what it makes of the code when a process ends by itself. Those that are killed find it, and start in half the time. */
async function stopOnce(entry: Record<string, unknown>): Promise<void> {
  const home = await makeHome([entry]);
  const daemon = await startDaemon(home);
  await daemon.parsing;
  await daemon.kill("SIGTERM");
  await home.remove();
}

interface Cycle {
  readonly run: KillRun;
  readonly vendor: KillVendor;
  readonly cycle: number;
  readonly moment: KillMoment;
  readonly chance: () => number;
  readonly crm: Sandbox;
  readonly home: Home;
  readonly sent: SentMail[];
}

/** Answers whether the kill came between a commit at the vendor and its answer. */
async function killCycle({ run, vendor, cycle, moment, chance, crm, home, sent }: Cycle): Promise<boolean> {
  const daemon = await startDaemon(home);
  const dead = Promise.withResolvers<void>();
  let killed = false;
  const kill = () => {
    if (killed) return;
    killed = true;
    void daemon.kill("SIGKILL").then(() => dead.resolve());
  };
  if (moment === "before_answer") {
    crm.faults.plan({ route: vendor.create, nth: 1 + Math.floor(chance() * 3), fault: { kind: "commit_then_hang" } });
    void crm.whenHeld(1).then(kill);
    // When no mail is logged any more in this cycle, the kill comes all the same.
    void daemon.parsing.then(() => setTimeout(kill, 4_000).unref());
  }
  if (moment === "random") {
    // Counted from when mail is parsed and delivered; one in five dies before, with nothing but accepted mail in the ledger.
    const [before, after] = [chance() * 300, chance() * 1_200];
    if (chance() < 0.2) setTimeout(kill, before);
    else void daemon.parsing.then(() => setTimeout(kill, after));
  }
  const mails = Array.from({ length: run.mailsPerCycle }, (_, index) => mailOf(run.seed, cycle, index, chance));
  sent.push(...mails.map(({ record }) => record));
  // Some mails of the cycle before that got no 250 come again, and some that did: their sender did not believe it.
  const again = sent.filter(({ acknowledged }) => !acknowledged || chance() < 0.05).slice(-2 * run.mailsPerCycle);
  const work = [...mails.map(({ record }) => record), ...again];
  await Promise.all(
    work.map(async (record, index) => {
      const outcome = await sendMail(daemon.smtpPort, wireMail(record), () => {
        record.acknowledged = true;
        if (moment === "after_250" && index % 3 === 1) kill();
      });
      if (outcome.kind === "acknowledged") record.acknowledged = true;
    }),
  );
  if (moment === "after_250") kill();
  await dead.promise;
  return crm.release() > 0;
}

interface Composed {
  readonly record: SentMail & { readonly sender: string };
}

const composed = new Map<string, { sender: string; token: string; references: string | undefined }>();

/** A tenth are large enough for the spool; a third answer an earlier mail; few senders, so that they meet. */
function mailOf(seed: number, cycle: number, index: number, chance: () => number): Composed {
  const id = `<k${seed}.${cycle}.${index}@client.test>`;
  const token = `token-${seed}-${cycle}-${index}-${Math.floor(chance() * 1e9).toString(36)}`;
  const sender = `person${Math.floor(chance() * 12)}@client.test`;
  const references = chance() < 0.3 && cycle > 0 ? `<k${seed}.${cycle - 1}.${index}@client.test>` : undefined;
  composed.set(id, { sender, token, references });
  return { record: { id, token, acknowledged: false, sender } };
}

/** Every other mail has a file; some of them the same one. */
function attachedTo(id: string): { readonly name: string; readonly content: string } | undefined {
  const index = Number(/\.(\d+)@/.exec(id)?.[1]);
  if (index % 2 === 1) return undefined;
  const content = index % 4 === 0 ? "the same terms for everybody\n".repeat(50) : `an offer for ${id}\n`.repeat(2_000);
  return { name: "offer.txt", content };
}

function withAttached(text: string, id: string): { head: readonly string[]; text: string } {
  const file = attachedTo(id);
  if (file === undefined) return { head: [], text };
  const base64 = Buffer.from(file.content).toString("base64").replaceAll(/.{76}/g, "$&\r\n");
  const parts = [
    "--=_b",
    "Content-Type: text/plain",
    "",
    text,
    "--=_b",
    `Content-Type: text/plain; name="${file.name}"`,
    "Content-Transfer-Encoding: base64",
    `Content-Disposition: attachment; filename="${file.name}"`,
    "",
    base64,
    "--=_b--",
    "",
  ];
  const head = ["MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="=_b"'];
  return { head, text: parts.join("\r\n") };
}

function wireMail({ id }: SentMail) {
  const mail = composed.get(id);
  if (mail === undefined) throw new Error(`no mail ${id}`);
  const large = id.length % 10 === 0 || mail.token.endsWith("a");
  const head = [
    `From: Customer <${mail.sender}>`,
    "To: sales@in.test",
    `Subject: About ${mail.token}`,
    `Message-ID: ${id}`,
    ...(mail.references === undefined ? [] : [`References: ${mail.references}`]),
    "Date: Tue, 24 Nov 2026 10:00:00 +0000",
  ];
  const filler = large ? `\r\n${"The same words again and again. ".repeat(3_000).replaceAll(/.{70}/g, "$&\r\n")}` : "";
  const content = withAttached(`Please look at ${mail.token}.${filler}`, id);
  return {
    from: mail.sender,
    to: ["sales@in.test"],
    data: `${[...head, ...content.head].join("\r\n")}\r\n\r\n${content.text}`,
  };
}

/** The weather clears, every sender who got no 250 sends again, and the daemon is left alone until it has nothing to do. */
async function calm(home: Home, crm: Sandbox, sent: readonly SentMail[], patienceMs: number): Promise<void> {
  crm.faults.clear();
  crm.release();
  const daemon: RunningDaemon = await startDaemon(home);
  try {
    for (const record of sent.filter(({ acknowledged }) => !acknowledged)) {
      let outcome = await sendMail(daemon.smtpPort, wireMail(record));
      // On a machine that is slow for others a commit may take longer than the daemon makes a sender wait: it says so, and senders come again.
      for (let tries = 0; tries < 60 && outcome.kind === "refused" && outcome.reply.startsWith("4"); tries++) {
        await systemClock.sleep(1_000);
        outcome = await sendMail(daemon.smtpPort, wireMail(record));
      }
      if (outcome.kind !== "acknowledged")
        throw new Error(`in calm weather ${record.id} got ${JSON.stringify(outcome)}`);
      record.acknowledged = true;
    }
    await drained(daemon.httpPort, patienceMs);
  } finally {
    await daemon.kill("SIGTERM");
  }
}

function activitiesOf(crm: Sandbox, vendor: KillVendor): (SeenActivity & { sender: string })[] {
  return vendor.activities(crm).map(({ subject, body, contacts }) => {
    const token = subject.replace(/^About /, "");
    const [id, mail] = [...composed].find(([, candidate]) => candidate.token === token) ?? [
      `unknown ${subject}`,
      undefined,
    ];
    return { messageId: id, body, contacts, sender: mail?.sender ?? "" };
  });
}

/** mulberry32: small, seeded, good enough to choose moments. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
