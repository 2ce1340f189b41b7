/**
 * What it costs to know who sent a mail: our whole road (the hop to the verifier's thread and back, the judgement, the thread, with what is looked up for them) beside
 * bare mailauth in this process, on the same mails, interleaved, by the CPU of all threads. All names are known to both. `npm run bench:auth
 * -- [--rounds 9] [--count 400]`. Fails when a bar is missed.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { authenticate } from "mailauth";
import { openHasher, openKeyRing } from "../src/blobs/index.ts";
import { parse } from "../src/mail/parse.ts";
import { compilePeople, noLists } from "../src/mail/people.ts";
import { placeThreads, threadFacts } from "../src/mail/thread.ts";
import { type CanonicalEvent, type Evidence, noEvidence, type ParsedMessage } from "../src/model/event.ts";
import type { Log, Metrics } from "../src/model/ports.ts";
import { defaultMarks } from "../src/model/threads.ts";
import { eventOf } from "../src/pipeline/enrich.ts";
import { judge, unjudged } from "../src/pipeline/judging.ts";
import { openVerifier } from "../src/pipeline/verifying.ts";
import { openLedger } from "../src/store/index.ts";
import { startDnsServer } from "../test/support/dns-server.ts";
import { type AuthMail, authMails, authZone } from "./auth-mails.ts";
import type { Mix } from "./mail.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "9" }, count: { type: "string", default: "400" } },
});
const rounds = Number(values.rounds);
const count = Number(values.count);
/** In hand at once, as the road has them. */
const width = 32;
/** A thread compiles what it runs often for itself. */
const warmUps = 3;
/** Our own trust and thread code may cost so much of bare authentication. */
const mostRatio = 1.25;

const quiet = (): void => undefined;
const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet, with: () => log };
const metrics: Metrics = { count: quiet, observe: quiet, gauge: quiet };

await using server = await startDnsServer(authZone());
const entry = new URL("../src/main/verify-thread.ts", import.meta.url);
const verifier = openVerifier({ entry, data: { dns: { servers: [server.address], timeoutMs: 5_000 } }, log, metrics });

const tenant = "bench";
const people = compilePeople(noLists, () => false);
const sealer = openKeyRing({ key: "00".repeat(32) });
const hasher = openHasher("00".repeat(32));
const ledger = await openLedger({ path: ":memory:", thread: "calling" });

/** A resolver as cheap as one can be: bare mailauth is not to lose by its DNS. */
const answers = new Map<string, Promise<unknown[]>>();
const resolver = (name: string, type: string): Promise<unknown[]> => {
  const key = `${type} ${name}`;
  const answer = answers.get(key) ?? server.zone.resolve(name, type);
  answers.set(key, answer);
  return answer;
};

/** A mail with what the road knows of it before it turns to its sender: the parse is no part of the comparison. */
interface Known extends AuthMail {
  readonly attempt: Parameters<typeof eventOf>[0];
  readonly parsed: ParsedMessage;
  /** But for its thread. */
  readonly event: CanonicalEvent;
}

async function known({ raw, from, ip }: AuthMail, index: number): Promise<Known> {
  const smtp = { remote_ip: ip, helo: "mx.client.example", tls: null, mail_from: from, rcpt_to: ["sales@in.test"] };
  const envelope = { kind: "smtp", tenant, routes: ["sales@in.test"], received_at: Date.now(), smtp } as const;
  const parsed = await parse(raw);
  const digest = createHash("sha256").update(raw).digest("hex");
  const attempt = {
    ...{ eventId: `event-${index}`, tenant, receivedAt: Date.now(), messageId: parsed.message.message_id, digest },
    ...{ conflict: false, rawSha256: digest, rawSize: raw.length },
    envelope: { ...envelope, routes: [...envelope.routes] },
    routes: envelope.routes,
  };
  const event = eventOf(attempt, parsed, unjudged(noEvidence, false), people);
  return { raw, from, ip, attempt, parsed, event };
}

const verify = ({ raw, from, ip }: Known): Promise<Evidence> =>
  verifier.verify(async () => once(raw), raw.length, {
    client: { ip, helo: "mx.client.example", mailFrom: from },
    hostname: "mx.in.test",
    at: Date.now(),
    authservIds: [],
  });

/** What the road does for each mail, with the look-ups in the ledger. */
async function ours(mail: Known): Promise<void> {
  const evidence = await verify(mail);
  const { auth } = await judge(
    mail.attempt,
    mail.parsed,
    evidence,
    { people, arcSealers: [] },
    { ledger, sealer, hasher },
  );
  if (auth.trust !== "verified") throw new Error(`a mail is not verified: ${JSON.stringify(auth)}`);
  const facts = [threadFacts({ ...mail.event, auth }, { digest: mail.attempt.digest, hasher })];
  placeThreads(facts, await ledger.around({ tenant, facts, window: defaultMarks.window }), defaultMarks);
}

/** The verifier alone, hop included. */
async function verifierAlone(mail: Known): Promise<void> {
  const { dmarc } = await verify(mail);
  if (dmarc?.result !== "pass") throw new Error(`a mail did not pass: ${JSON.stringify(dmarc)}`);
}

async function bare({ raw, from, ip }: Known): Promise<void> {
  const result = await authenticate(raw, {
    ...{ ip, helo: "mx.client.example", sender: from, mta: "mx.in.test" },
    // mailauth's own type leaves MX records out.
    resolver: resolver as never,
  });
  if (result.dmarc === false || result.dmarc?.status.result !== "pass") throw new Error("a mail did not pass");
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** CPU microseconds a mail, of all threads of this process. */
async function cost(who: (mail: Known) => Promise<void>, mails: readonly Known[]): Promise<number> {
  const before = process.cpuUsage();
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let mail = mails[next++]; mail !== undefined; mail = mails[next++]) await who(mail);
  };
  await Promise.all(Array.from({ length: width }, worker));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / mails.length;
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const contestants = { bare, verifierAlone, ours } as const;
type Contestant = keyof typeof contestants;
const names = Object.keys(contestants) as Contestant[];

async function compare(mix: Mix): Promise<number> {
  const mails: Known[] = [];
  for (const [index, mail] of authMails(count, mix).entries()) mails.push(await known(mail, index));
  const taken: Record<Contestant, number[]> = { bare: [], verifierAlone: [], ours: [] };
  for (let round = 1 - warmUps; round <= rounds; round++) {
    // Each goes first as often as the others. The first rounds warm up, and fill both memories of names.
    for (let turn = 0; turn < names.length; turn++) {
      const who = names[(round + warmUps + turn) % names.length] ?? "bare";
      const microseconds = await cost(contestants[who], mails);
      if (round > 0) taken[who].push(microseconds);
    }
  }
  const ratio = (who: Contestant): number =>
    median(taken[who].map((own, round) => own / (taken.bare[round] ?? Number.NaN)));
  const columns = [
    ...names.map((who) => median(taken[who]).toFixed(0)),
    ...(["verifierAlone", "ours"] as const).map((who) => `${ratio(who).toFixed(2)}x`),
  ];
  process.stdout.write(`${mix.padEnd(12)}${columns.map((column) => column.padStart(16)).join("")}\n`);
  return ratio("ours");
}

const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
  cwd: import.meta.dirname,
  encoding: "utf8",
}).trim();
process.stdout.write(
  `npm run bench:auth -- --rounds ${rounds} --count ${count}\ncommit ${commit}, node ${process.version}, ${rounds} interleaved rounds, medians\n\n` +
    `CPU microseconds a mail, ${width} in hand; ours: verifier's thread, judge, thread, with their look-ups in the ledger\n`,
);
const head = ["mailauth", "verifier", "ours", "verifier/mailauth", "ours/mailauth"];
process.stdout.write(`${"".padEnd(12)}${head.map((name) => name.padStart(16)).join("")}\n`);
const ratios = [await compare("ordinary"), await compare("small")];
await verifier.close();
await ledger.close();
const missed = ratios.filter((ratio) => ratio > mostRatio);
process.stdout.write(missed.length === 0 ? "\nthe bar is met\n" : `\nmissed: at most ${mostRatio}x of bare mailauth\n`);
process.exitCode = missed.length === 0 ? 0 : 1;
