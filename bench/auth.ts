/**
 * What it costs to know who sent a mail: our whole road (the hop to the verifier's thread and back, and what is made of the evidence) beside
 * bare mailauth in this process, on the same mails, interleaved, by the CPU of all threads. All names are known to both. `npm run bench:auth
 * -- [--rounds 9] [--count 400]`. Fails when a bar is missed.
 */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { authenticate } from "mailauth";
import type { Evidence } from "../src/model/event.ts";
import type { Log, Metrics } from "../src/model/ports.ts";
import { openVerifier } from "../src/pipeline/verifying.ts";
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

/** A resolver as cheap as one can be: bare mailauth is not to lose by its DNS. */
const known = new Map<string, Promise<unknown[]>>();
const resolver = (name: string, type: string): Promise<unknown[]> => {
  const key = `${type} ${name}`;
  const answer = known.get(key) ?? server.zone.resolve(name, type);
  known.set(key, answer);
  return answer;
};

/** What our road does for a mail, in its order; each part is also shown alone. */
interface Part {
  readonly name: string;
  run(mail: AuthMail, evidence: Evidence | undefined): Promise<Evidence> | Evidence;
}

const verify: Part = {
  name: "verifier",
  run: ({ raw, from, ip }) =>
    verifier.verify(async () => once(raw), raw.length, {
      client: { ip, helo: "mx.client.example", mailFrom: from },
      hostname: "mx.in.test",
      at: Date.now(),
      authservIds: [],
    }),
};
const parts: readonly Part[] = [verify];

async function ours(mail: AuthMail): Promise<void> {
  let evidence: Evidence | undefined;
  for (const part of parts) evidence = await part.run(mail, evidence);
  if (evidence?.dmarc?.result !== "pass") throw new Error(`a mail did not pass: ${JSON.stringify(evidence)}`);
}

async function bare({ raw, from, ip }: AuthMail): Promise<void> {
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
async function cost(who: (mail: AuthMail) => Promise<void>, mails: readonly AuthMail[]): Promise<number> {
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

async function compare(mix: Mix): Promise<number> {
  const mails = authMails(count, mix);
  const taken: { ours: number[]; bare: number[] } = { ours: [], bare: [] };
  for (let round = 1 - warmUps; round <= rounds; round++) {
    const order = Math.abs(round) % 2 === 0 ? (["ours", "bare"] as const) : (["bare", "ours"] as const);
    // The first rounds warm up, and fill both memories of names.
    for (const who of order) {
      const microseconds = await cost(who === "ours" ? ours : bare, mails);
      if (round > 0) taken[who].push(microseconds);
    }
  }
  const ratio = median(taken.ours.map((own, round) => own / (taken.bare[round] ?? Number.NaN)));
  const columns = [median(taken.bare).toFixed(0), median(taken.ours).toFixed(0), `${ratio.toFixed(2)}x`];
  process.stdout.write(`${mix.padEnd(12)}${columns.map((column) => column.padStart(14)).join("")}\n`);
  return ratio;
}

const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
process.stdout.write(
  `npm run bench:auth -- --rounds ${rounds} --count ${count} (commit ${commit}, Node ${process.version})\n`,
);
process.stdout.write(`CPU microseconds a mail, ${width} in hand; ours: ${parts.map(({ name }) => name).join(", ")}\n`);
process.stdout.write(
  `${"mails".padEnd(12)}${["mailauth", "ours", "ratio"].map((name) => name.padStart(14)).join("")}\n`,
);
const ratios = [await compare("ordinary"), await compare("small")];
await verifier.close();
const missed = ratios.filter((ratio) => ratio > mostRatio);
if (missed.length > 0) {
  process.stderr.write(`missed: at most ${mostRatio}x of bare mailauth\n`);
  process.exitCode = 1;
}
