/** Makes of a domain's name what the eye makes of it, so that two that can be taken for one another become the same. */
import { domainToUnicode } from "node:url";

/** Letters of other scripts that are read as ones of ASCII: those of UTS #39 that make whole words. Accents fall away before. */
const foreign: ReadonlyMap<string, string> = new Map(
  [
    ["а", "a"], ["ӑ", "a"], ["в", "b"], ["ь", "b"], ["с", "c"], ["ԁ", "d"], ["е", "e"], ["є", "e"], ["һ", "h"], ["н", "h"],
    ["і", "i"], ["ј", "j"], ["к", "k"], ["ӏ", "l"], ["м", "m"], ["п", "n"], ["о", "o"], ["р", "p"], ["ԛ", "q"], ["г", "r"],
    ["ѕ", "s"], ["т", "t"], ["ѵ", "v"], ["ԝ", "w"], ["х", "x"], ["у", "y"], ["ү", "y"], ["ո", "n"], ["ս", "u"], ["օ", "o"],
    ["հ", "h"], ["α", "a"], ["γ", "y"], ["η", "n"], ["ι", "i"], ["κ", "k"], ["ν", "v"], ["ο", "o"], ["ρ", "p"], ["τ", "t"],
    ["υ", "u"], ["ω", "w"], ["ɡ", "g"], ["ɑ", "a"], ["ı", "i"], ["ł", "l"], ["ø", "o"], ["đ", "d"], ["ħ", "h"], ["þ", "p"],
    ["ð", "d"], ["ŋ", "n"], ["æ", "ae"], ["œ", "oe"], ["ß", "ss"],
  ] as const,
); // biome-ignore format: a table
const digits = new Map([
  ["0", "o"],
  ["1", "l"],
  ["3", "e"],
  ["4", "a"],
  ["5", "s"],
  ["8", "b"],
  ["9", "g"],
  ["|", "l"],
]);
const maxChars = 63;

/** One label, as Punycode or not. `0` and `o`, `1`, `l` and `i`, `rn` and `m`, `vv` and `w`, `cl` and `d` are one; hyphens and doubled letters are none. */
export function skeleton(label: string): string {
  return letters(label)
    .replaceAll("rn", "m")
    .replaceAll("vv", "w")
    .replaceAll("cl", "d")
    .replaceAll("i", "l")
    .replace(/[-_.\s]/g, "")
    .replace(/(.)\1+/gu, "$1");
}

/** In ASCII as far as the eye reads it so; nothing is put together. */
function letters(label: string): string {
  if (!label.startsWith("xn--") && label.length <= maxChars && /^[a-z-]*$/.test(label)) return label;
  const shown = label.startsWith("xn--") ? domainToUnicode(label) || label : label;
  const bare = shown
    .slice(0, maxChars)
    .normalize("NFKD")
    .replace(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, "");
  let text = "";
  for (const char of bare.toLowerCase()) text += foreign.get(char) ?? digits.get(char) ?? char;
  return text;
}

/**
 * The letters of a label in the order of the alphabet: the same for a word with two letters changed over. Not those of its skeleton, where what
 * stands side by side is put together: changed over, it does so no more (silver and sivler).
 */
export const shuffled = (label: string): string =>
  [
    ...letters(label)
      .replaceAll("i", "l")
      .replace(/[-_.\s]/g, ""),
  ]
    .sort()
    .join("");

/** Apart by one letter more, one less, or two neighbours changed over; `other`: one that is another. */
export function slip(a: string, b: string): "more" | "less" | "swapped" | "other" | null {
  if (a === b || Math.abs(a.length - b.length) > 1) return null;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  if (a.length > b.length) return a.slice(at + 1) === b.slice(at) ? "more" : null;
  if (a.length < b.length) return a.slice(at) === b.slice(at + 1) ? "less" : null;
  if (a.slice(at + 1) === b.slice(at + 1)) return "other";
  return a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2) ? "swapped" : null;
}
