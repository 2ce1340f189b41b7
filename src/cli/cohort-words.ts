/** The words of `--cohort`: `domain=client.example since=2026-01-01 percent=10`. */
import type { Cohort } from "../model/runs.ts";
import { usage } from "./exit.ts";

const lists = ["domain", "sender", "recipient", "mailbox", "thread"] as const;
const times = ["since", "until"] as const;
type List = (typeof lists)[number];
type Time = (typeof times)[number];
const isList = (name: string): name is List => (lists as readonly string[]).includes(name);
const isTime = (name: string): name is Time => (times as readonly string[]).includes(name);

const known = [...lists, ...times, "percent"].join(", ");

/** `all` says that every stored message of the tenant is meant; nothing is taken for that. Throws a usage error. */
export function cohortOf(words: readonly string[]): Cohort {
  if (words.length === 0) throw usage(`say which messages: --cohort all, or NAME=VALUE with ${known}`);
  if (words.length === 1 && words[0] === "all") return {};
  const cohort: { -readonly [K in keyof Cohort]: Cohort[K] } = {};
  for (const word of words) {
    const at = word.indexOf("=");
    const [name, value] = [word.slice(0, Math.max(0, at)), word.slice(at + 1).trim()];
    if (at <= 0 || value === "") throw usage(`--cohort ${word}: NAME=VALUE is wanted, with ${known}`);
    if (isList(name)) cohort[name] = [...(cohort[name] ?? []), value];
    else if (isTime(name)) cohort[name] = timeOf(word, value);
    else if (name === "percent") cohort.percent = percentOf(word, value);
    else throw usage(`--cohort ${word}: there is no ${name}; one of ${known}`);
  }
  return cohort;
}

function timeOf(word: string, value: string): number {
  const time = Date.parse(value);
  if (Number.isNaN(time)) throw usage(`--cohort ${word}: a date or time is wanted, such as 2026-01-31`);
  return time;
}

function percentOf(word: string, value: string): number {
  const percent = /^\d{1,3}(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (!(percent >= 0 && percent <= 100)) throw usage(`--cohort ${word}: a number from 0 to 100 is wanted`);
  return percent;
}

/** As it is shown and printed as JSON: times as times. */
export function cohortShape({ since, until, ...rest }: Cohort): Record<string, unknown> {
  const shown = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());
  return JSON.parse(JSON.stringify({ ...rest, since: shown(since), until: shown(until) })) as Record<string, unknown>;
}
