/** Reads the results in the newest ARC-Authentication-Results (RFC 8617 §4.1.1): what the newest sealer saw before it changed the mail. */

export interface SealedResult {
  readonly method: string;
  readonly result: string;
  readonly properties: readonly (readonly [string, string])[];
}

const maxChars = 8_000;
const maxResults = 50;

/** Empty where there is none, or two with the same number. */
export function sealedResults(headers: readonly (readonly [string, string])[]): readonly SealedResult[] {
  let newest = 0;
  let text: string | undefined;
  for (const [name, value] of headers) {
    if (name.toLowerCase() !== "arc-authentication-results") continue;
    const instance = Number(/^\s*i\s*=\s*(\d{1,2})\s*;/i.exec(value)?.[1] ?? 0);
    if (instance > newest) text = value.slice(0, maxChars);
    else if (instance === newest) text = undefined;
    newest = Math.max(newest, instance);
  }
  if (text === undefined) return [];
  // i=1; authserv-id; method=result ptype.property=value …
  return split(uncommented(text))
    .slice(2, 2 + maxResults)
    .flatMap(resultOf);
}

function resultOf(text: string): SealedResult[] {
  const [first, ...rest] = text.trim().split(/\s+/);
  const found = /^([a-z][a-z0-9-]*)(?:\/\d+)?=([a-z]+)$/i.exec(first ?? "");
  if (found === null) return [];
  const properties = rest.flatMap((word): (readonly [string, string])[] => {
    const pair = /^([a-z]+\.[a-z][a-z0-9_-]*)=("?)([^"\s]+)\2$/i.exec(word);
    return pair === null ? [] : [[(pair[1] ?? "").toLowerCase(), pair[3] ?? ""]];
  });
  return [{ method: (found[1] ?? "").toLowerCase(), result: (found[2] ?? "").toLowerCase(), properties }];
}

/** Comments hold what an attacker wrote: they are left out, nested ones too. One that never ends takes the rest with it. */
function uncommented(text: string): string {
  let depth = 0;
  let quoted = false;
  let kept = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === "\\" && (quoted || depth > 0)) {
      if (depth === 0) kept += text.slice(at, at + 2);
      at++;
    } else if (depth === 0 && char === '"') {
      quoted = !quoted;
      kept += char;
    } else if (!quoted && char === "(") depth++;
    else if (!quoted && depth > 0 && char === ")") {
      depth--;
      kept += " ";
    } else if (depth === 0) kept += char;
  }
  return kept;
}

/** At semicolons outside of quotes. */
function split(text: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"' && text[at - 1] !== "\\") quoted = !quoted;
    else if (text[at] === ";" && !quoted) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}
