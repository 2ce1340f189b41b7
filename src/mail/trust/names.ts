/** Display names as they are recognised: whole words, in any order, however their letters are drawn. */
import { nameOf } from "./lookalike.ts";
import { skeleton } from "./skeleton.ts";

/** What stands beside a company's name in a display name without making it another one. */
const beside = new Set(
  "support team billing invoice invoices accounts accounting payroll payments hr it admin administrator security service services help helpdesk desk customer care sales info office mail no reply noreply postmaster notification notifications alerts inc corp co ltd llc gmbh ag group the".split(
    " ",
  ),
);
const maxWords = 12;
/** Titles and places may stand beside a colleague's name. */
const maxBeside = 3;
const shortestBrand = 4;

const wordsOf = (name: string): string[] =>
  name
    .normalize("NFKC")
    .toLowerCase()
    .split(/[^\p{L}\p{N}\p{M}]+/u)
    .filter((word) => word !== "")
    .slice(0, maxWords);

/** For comparing: null for what is no full name, which many people share. */
export function nameKey(name: string): string | null {
  const words = wordsOf(name).map(skeleton);
  return words.length < 2 ? null : words.sort().join(" ");
}

/** A name that is looked for, with its words as they are compared. */
interface Wanted<T> {
  readonly entry: T;
  readonly words: readonly string[];
}

/** The names that a tenant must not be deceived by, made ready once: there may be hundreds of colleagues, and every mail has a name. */
export interface Impostors {
  /** The colleague whose name this is: all words of it, in any order. */
  colleague(name: string): string | undefined;
  /** The domain of ours whose company this names: "Globex", "Globex Support", "globex.example". */
  brand(name: string): string | undefined;
}

export function impostorsOf(colleagues: readonly string[], ownDomains: readonly string[]): Impostors {
  const people = colleagues
    .map((entry): Wanted<string> => ({ entry, words: wordsOf(entry).map(skeleton) }))
    .filter(({ words }) => words.length > 0);
  const brands = ownDomains.map((domain) => {
    const { label } = nameOf(domain);
    return { domain, brand: label.length < shortestBrand ? null : skeleton(label) };
  });
  return {
    colleague(name) {
      const found = wordsOf(name).map(skeleton);
      return people.find(({ words }) => isNameOf(found, words))?.entry;
    },
    brand(name) {
      const shown = name.normalize("NFKC").toLowerCase();
      const rest = wordsOf(name).filter((word) => !beside.has(word));
      const bare = rest.length === 0 ? "" : skeleton(rest.join(""));
      return brands.find(({ domain, brand }) => shown.includes(domain) || (brand !== null && bare === brand))?.domain;
    },
  };
}

/** One word is a name where nothing stands beside it. */
function isNameOf(found: readonly string[], wanted: readonly string[]): boolean {
  if (wanted.length === 1) return found.length === 1 && found[0] === wanted[0];
  return found.length <= wanted.length + maxBeside && wanted.every((word) => found.includes(word));
}
