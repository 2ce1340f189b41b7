/** Which folders of an account are read: pure. */
import type { Listed } from "./client.ts";

export interface Chosen {
  readonly path: string;
  /** Its levels apart by `/`, whatever the server writes. */
  readonly name: string;
  /** Whoever owns the account wrote what is in it. */
  readonly sent: boolean;
}

/** No pattern means these: what nobody sent, what nobody wants, and a second copy of everything. */
const neverByPattern = new Set(["\\drafts", "\\junk", "\\trash", "\\all", "\\flagged", "\\important"]);

export const nameOf = ({ path, delimiter }: Pick<Listed, "path" | "delimiter">): string =>
  delimiter === "/" ? path : path.split(delimiter).join("/");

/** As the server or we write it. RFC 9051 §5.1: INBOX is the one name whose case does not count. */
export const isNamed = ({ path, name }: Pick<Chosen, "path" | "name">, wanted: string): boolean =>
  path === wanted || name === wanted || (path.toUpperCase() === "INBOX" && wanted.toUpperCase() === "INBOX");

/** What servers put between levels, beside the one that we write. */
const otherDelimiters = [".", "\\", "^", "|", ":"];

/** Those of one account's paths that a name means, as the server or we write it, where no server is there to say what it puts between levels. */
export function pathsNamed(paths: readonly string[], wanted: string): readonly string[] {
  const under = (delimiter: string): readonly string[] =>
    paths.filter((path) => isNamed({ path, name: nameOf({ path, delimiter }) }, wanted));
  const plainly = under("/");
  // A server that puts `/` between levels puts nothing else there.
  if (plainly.length > 0 || paths.some((path) => path.includes("/"))) return plainly;
  return otherDelimiters.map(under).find((found) => found.length > 0) ?? [];
}

/** In the order of the selectors, each folder once; and the selectors that match nothing. */
export function choose(
  listed: readonly Listed[],
  selectors: readonly string[],
): { readonly folders: readonly Chosen[]; readonly missing: readonly string[] } {
  const wanted = selectors.filter((one) => !one.startsWith("!"));
  const unwanted = selectors.filter((one) => one.startsWith("!")).map((one) => one.slice(1));
  const open = listed.filter(({ selectable }) => selectable);
  const chosen = new Map<string, Chosen>();
  const missing: string[] = [];
  for (const selector of wanted) {
    const found = open.filter((folder) => matches(folder, selector));
    if (found.length === 0) missing.push(selector);
    for (const folder of found) {
      if (unwanted.some((one) => matches(folder, one, true))) continue;
      const { path, specialUse } = folder;
      chosen.set(path, { path, name: nameOf(folder), sent: specialUse?.toLowerCase() === "\\sent" });
    }
  }
  return { folders: [...chosen.values()], missing };
}

function matches(folder: Listed, selector: string, evenSpecial = false): boolean {
  const use = folder.specialUse?.toLowerCase() ?? null;
  if (selector.startsWith("\\")) return use === selector.toLowerCase();
  const name = nameOf(folder);
  // RFC 9051 §5.1: INBOX is the one name whose case does not count.
  if (name.toUpperCase() === "INBOX" || selector.toUpperCase() === "INBOX") {
    if (!/[*%]/.test(selector)) return name.toUpperCase() === selector.toUpperCase();
  }
  if (!/[*%]/.test(selector)) return name === selector;
  if (!evenSpecial && use !== null && neverByPattern.has(use)) return false;
  return glob(name, selector);
}

/** `*` is anything, `%` anything within a level (RFC 9051 §6.3.9). Without backtracking: a pattern is short, a name may be long. */
function glob(name: string, pattern: string): boolean {
  let reached = new Set([0]);
  for (const char of pattern) {
    const next = new Set<number>();
    for (const at of reached) {
      if (char !== "*" && char !== "%") {
        if (name[at] === char) next.add(at + 1);
        continue;
      }
      for (let to = at; to <= name.length; to++) {
        next.add(to);
        if (char === "%" && name[to] === "/") break;
      }
    }
    reached = next;
  }
  return reached.has(name.length);
}
