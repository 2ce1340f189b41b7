/** Options that many commands share. */
import { InvalidArgumentError, Option } from "commander";

export const jsonOption = () => new Option("--json", "print JSON (docs/cli.schema.json)");

const mostRows = 100_000;

export const limitOption = () =>
  new Option("--limit <n>", "at most this many").default(50).argParser((text) => wholeNumber(text, 1, mostRows));

export function wholeNumber(text: string, least: number, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || value < least || value > most) {
    throw new InvalidArgumentError(`A whole number from ${least} to ${most} is wanted.`);
  }
  return value;
}

export const sinceOption = () =>
  new Option("--since <time>", "only received since then (2026-01-31, or with a time)").argParser(timeOf);

function timeOf(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new InvalidArgumentError("A date or time is wanted, such as 2026-01-31T12:00:00Z.");
  return time;
}

export const portOf = (text: string): number => wholeNumber(text, 0, 65_535);

/** For options that may be given several times. */
export const collected = (value: string, before: readonly string[] = []): string[] => [...before, value];
