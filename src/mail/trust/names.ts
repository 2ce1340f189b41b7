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

/** Whether the name is a colleague's: all words of it, in any order. */
export function isNameOf(name: string, colleague: string): boolean {
  const wanted = wordsOf(colleague).map(skeleton);
  const found = wordsOf(name).map(skeleton);
  if (wanted.length === 0) return false;
  if (wanted.length === 1) return found.length === 1 && found[0] === wanted[0];
  return found.length <= wanted.length + maxBeside && wanted.every((word) => found.includes(word));
}

/** Whether the name is that of the company behind a domain: "Globex", "Globex Support", "globex.example". */
export function isBrandOf(name: string, ownDomain: string): boolean {
  if (name.normalize("NFKC").toLowerCase().includes(ownDomain)) return true;
  const { label } = nameOf(ownDomain);
  if (label.length < shortestBrand) return false;
  const words = wordsOf(name).filter((word) => !beside.has(word));
  return words.length > 0 && skeleton(words.join("")) === skeleton(label);
}
