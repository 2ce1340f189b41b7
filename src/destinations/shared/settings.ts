/** Settings that every vendor's destination has in the same words. */
import { z } from "zod";

/** A secret in a URL would be shown wherever the address of the API is. */
function isBare(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && [url.username, url.password, url.search, url.hash].every((part) => part === "");
}

export const baseUrl = (vendor: string, standard: string) =>
  z
    .url({ protocol: /^https?$/, error: "an http: or https: URL" })
    .refine(isBare, { error: "a URL without user, password, query or fragment: the key has a setting of its own" })
    .default(standard)
    .describe(
      `Where ${vendor}'s API is. Change it for the sandbox or a proxy; loopback and private addresses are allowed.`,
    );

export const liveReserve = z
  .int()
  .min(0)
  .max(99)
  .default(20)
  .describe(
    "Part of a day's budget that is kept for live mail, in percent: with less left, old mail (a mailbox's history, a mapping that is applied to it) waits, and live mail goes on.",
  );

/** What is kept of a day's budget for others and for live mail may not be all of it: old mail would wait for ever. */
export const allKept = (percent: number, others: string): string | undefined =>
  percent < 100
    ? undefined
    : `live_reserve_percent and ${others} add up to ${Math.floor(percent)} % of a day's budget: old mail would wait for ever; less than 100 %`;

export const secretWord = (what: string) =>
  z
    .string()
    .regex(/^[!-~]{1,2000}$/, "must be one printable word, without spaces or line ends")
    .describe(`${what} (secret). Give it by reference to the environment or to a file, never in clear.`)
    .meta({ secret: true });
