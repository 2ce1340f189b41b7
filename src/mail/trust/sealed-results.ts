/** Reads the results in the newest ARC-Authentication-Results (RFC 8617 §4.1.1): what the newest sealer saw before it changed the mail. */
import { type Claim, claimOf } from "./claimed.ts";

/** Empty where there is none, or two with the same number. */
export function sealedResults(headers: readonly (readonly [string, string])[]): Claim["results"] {
  let newest = 0;
  let text: string | undefined;
  for (const [name, value] of headers) {
    if (name.toLowerCase() !== "arc-authentication-results") continue;
    const found = /^\s*i\s*=\s*(\d{1,2})\s*;/i.exec(value);
    const instance = Number(found?.[1] ?? 0);
    if (instance > newest) text = value.slice(found?.[0].length);
    else if (instance === newest) text = undefined;
    newest = Math.max(newest, instance);
  }
  return text === undefined ? [] : claimOf(text).results;
}
