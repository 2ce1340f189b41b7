/** Options that many commands share. */
import { InvalidArgumentError, Option } from "commander";

export const jsonOption = () => new Option("--json", "print JSON (docs/cli.schema.json)");

const mostRows = 100_000;

export const limitOption = () =>
  new Option("--limit <n>", "at most this many").default(50).argParser((text) => wholeNumber(text, 1, mostRows));

export function wholeNumber(text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || value < least || value > most) {
    throw new InvalidArgumentError(`A whole number from ${least} to ${most} is wanted.`);
  }
  return value;
}

export const portOf = (text: string): number => wholeNumber(text, 0, 65_535);

/** For options that may be given several times. */
export const collected = (value: string, before: readonly string[] = []): string[] => [...before, value];
