/**
 * Puts to a live account of a vendor what its documentation leaves open: `npm run probe:close`, with a token of a trial account in the
 * environment. Never part of CI. Everything that it makes is marked and taken away again; what could not be is listed.
 */
import { systemClock } from "../src/main.ts";
import { openWire } from "../src/wire/http.ts";
import { probe } from "./probes/lab.ts";
import { probedVendors } from "./probes/list.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const fail = (line: string): never => {
  process.stderr.write(`${line}\n`);
  process.exit(2);
};

const [name = ""] = process.argv.slice(2);
const vendor =
  probedVendors.find((one) => one.name === name) ??
  fail(`usage: node scripts/probe.ts ${probedVendors.map((one) => one.name).join("|")}`);
if (process.env.CI !== undefined && process.env.CI !== "")
  fail("probes write to a live account: they do not run in CI");
const token =
  process.env[vendor.tokenFrom] ??
  fail(`${vendor.tokenFrom} is not set: the token of a trial or developer account, never of one that people work in`);
const urlFrom = vendor.tokenFrom.replace(/TOKEN$/, "URL");
const baseUrl = process.env[urlFrom] ?? vendor.url ?? fail(`${urlFrom} is not set: the address of the account's API`);

const metrics = { count: () => undefined, observe: () => undefined, gauge: () => undefined };
const wire = openWire({ vendor: vendor.name, baseUrl, headers: vendor.headers(token), clock: systemClock, metrics });
say(`${vendor.name} at ${baseUrl}; ${vendor.probes.length} questions`);
try {
  const run = systemClock.now().toString(36);
  const { answers, left } = await probe(vendor, { wire, clock: systemClock, run }, say);
  const count = (guessed: boolean | null): number => answers.filter(({ asGuessed }) => asGuessed === guessed).length;
  const unasked = answers.filter(({ unasked: why }) => why !== undefined).length;
  say(
    `\n${count(true)} as guessed, ${count(false)} otherwise, ${count(null)} not settled, ${unasked} not asked; ${left.length} records left behind`,
  );
  for (const { question, changes } of answers.filter(({ asGuessed }) => asGuessed === false))
    say(`- ${question}\n  ${changes}`);
  process.exitCode = left.length > 0 ? 1 : 0;
} finally {
  await wire.close();
}
