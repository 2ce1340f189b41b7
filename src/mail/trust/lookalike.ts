/** Says when a domain can be taken for another one that matters, and how. */
import { shuffled, skeleton, slip } from "./skeleton.ts";

/** A registrable domain, cut where its public suffix begins. */
export interface Name {
  readonly domain: string;
  /** `good` of good.co.uk. */
  readonly label: string;
  /** `co.uk` of good.co.uk. */
  readonly suffix: string;
}

export function nameOf(registrable: string): Name {
  const dot = registrable.indexOf(".");
  return dot === -1
    ? { domain: registrable, label: registrable, suffix: "" }
    : { domain: registrable, label: registrable.slice(0, dot), suffix: registrable.slice(dot + 1) };
}

export type Likeness = "letters" | "swapped" | "slip" | "ending" | "inside" | "combined";
export const likenessInWords: Readonly<Record<Likeness, string>> = {
  letters: "its letters look the same",
  swapped: "two letters have changed places",
  slip: "one letter is added, left out or another",
  ending: "it is the same name under another ending",
  inside: "the other domain stands inside of it",
  combined: "it is the other name with a word that asks for trust",
};

/** Shorter names are apart by one letter by chance: acme and acne, fine and line. */
const shortestSlip = 5;
const shortestOther = 7;
const shortestSkeleton = 3;
const shortestCombined = 4;
/** What is put beside a name to make a domain that anybody can buy. */
const lures = new Set(
  "login signin secure security support billing invoice invoices invoicing payment payments pay account accounts accounting mail email online verify verification service services help helpdesk hr it admin portal update finance team group inc corp co com net org ltd llc gmbh office bank contact info sales".split(
    " ",
  ),
);

/** How `host`, whose registrable domain is `theirs`, resembles the registrable domain `own`; null where it does not, or is the same. */
export function likeness(host: string, theirs: string, own: string): Likeness | null {
  if (theirs === own) return null;
  const a = nameOf(theirs);
  const b = nameOf(own);
  if (standsInside(host, own)) return "inside";
  if (a.label === b.label) return "ending";
  if (skeleton(b.label).length >= shortestSkeleton && skeleton(a.label) === skeleton(b.label)) return "letters";
  const apart = slip(a.label, b.label);
  const long = Math.min(a.label.length, b.label.length);
  if (apart === "swapped" && long >= shortestSlip) return "swapped";
  if (a.suffix === b.suffix && apart !== null && long >= (apart === "other" ? shortestOther : shortestSlip))
    return "slip";
  if (isCombined(a.label, b.label)) return "combined";
  return null;
}

/** good.co.evil.example, good.co-login.example, good-co.evil.example. */
function standsInside(host: string, own: string): boolean {
  const padded = `.${host}`;
  const hyphenated = own.replaceAll(".", "-");
  return [`.${own}.`, `.${own}-`, `.${hyphenated}.`, `.${hyphenated}-`].some((part) => padded.includes(part));
}

function isCombined(label: string, own: string): boolean {
  if (own.length < shortestCombined) return false;
  const words = label.split("-");
  const others = words.filter((word) => skeleton(word) !== skeleton(own));
  if (others.length < words.length && others.length > 0) return others.every((word) => lures.has(word));
  const rest = label.startsWith(own) ? label.slice(own.length) : label.endsWith(own) ? label.slice(0, -own.length) : "";
  return rest !== "" && lures.has(rest);
}

/** Endings that are typed or read for one another. */
const neighbours: Readonly<Record<string, readonly string[]>> = Object.assign(Object.create(null), {
  com: ["co", "cm", "om", "net", "org", "com.co"],
  co: ["com"],
  cm: ["com"],
  om: ["com"],
  net: ["com", "ne"],
  ne: ["net"],
  org: ["com"],
  "com.co": ["com"],
});

/** The same name under endings that are taken for this one. */
export const underNearEndings = ({ label, suffix }: Name): string[] =>
  (neighbours[suffix] ?? []).map((ending) => `${label}.${ending}`);

/** Every domain that could stand inside of a host name as in good.co.evil.example, a few at most. */
export function insideOf(host: string, registrable: string): string[] {
  const labels = host
    .slice(0, -registrable.length - 1)
    .split(".")
    .filter((label) => label !== "")
    .slice(-5);
  const found: string[] = [];
  for (let from = 0; from < labels.length; from++) {
    for (let length = 2; length <= 3 && from + length <= labels.length; length++)
      found.push(labels.slice(from, from + length).join("."));
  }
  return found;
}

/** A label by its exact letters, by its look, and with its letters changed over: what is remembered of a known domain. */
export function looks(label: string): { readonly skeleton: string; readonly shuffled: string } | null {
  const look = skeleton(label);
  return look.length < shortestSkeleton ? null : { skeleton: look, shuffled: shuffled(label) };
}
export const canBeShuffled = (label: string): boolean => label.length >= shortestSlip;
