/** Letters that are written as their figures: `%6d` in addresses of pages, `=6D`, `\\6d ` in style sheets, `&#109;`. */
import type { Words } from "./text.ts";
import type { Keeping } from "./vocabulary.ts";

const unit =
  /([%=])([0-9a-f]{2})|(\\x\{)([0-9a-f]{1,6})|(\\u|\\x|\\')([0-9a-f]{2,4})|(\\)([0-9a-f]{1,6})|(&#x)([0-9a-f]{1,6})|(&#)([0-9]{1,7})/gi;
/** No letter and no figure: it parts words. */
const other = " ";

interface Unit {
  readonly mark: string;
  readonly figures: string;
  readonly code: number;
  readonly start: number;
}

/** A run of them, read as a text and written down again as it was: what parts the words stays, and no figure is more or less. */
export function replaceFigures(
  run: string,
  words: Words,
  keeping: Keeping,
  replace: (text: string, words: Words, keeping: Keeping) => string,
): string {
  const units = [...run.matchAll(unit)].map((found): Unit => {
    const [mark = "", figures = ""] = found.slice(1).filter((group) => group !== undefined);
    return {
      mark,
      figures,
      code: Number.parseInt(figures, mark === "&#" ? 10 : 16),
      start: found.index + mark.length,
    };
  });
  const text = units.map(({ code }) => (code < 0x80 ? String.fromCharCode(code) : other)).join("");
  const kept: Keeping = keeping.words === undefined ? {} : { words: keeping.words };
  const made = replace(text, words, kept);
  let out = "";
  let at = 0;
  for (const [index, each] of units.entries()) {
    out += run.slice(at, each.start) + figuresOf(each, made.charCodeAt(index), words);
    at = each.start + each.figures.length;
  }
  return out + run.slice(at);
}

function figuresOf({ mark, figures, code }: Unit, made: number, { standIns }: Words): string {
  if (code < 0x80) return made === code ? figures : written(made, mark, figures);
  // In these each is a byte of a letter.
  if (mark === "%" || mark === "=") return written(standIns.stray(code), mark, figures);
  const isLetter = code <= 0x10ffff && /[\p{L}\p{M}\p{N}]/u.test(String.fromCodePoint(code));
  return isLetter ? standIns.hex(figures) : figures;
}

function written(code: number, mark: string, figures: string): string {
  const text = code.toString(mark === "&#" ? 10 : 16).padStart(figures.length, "0");
  // A decimal figure more than there is room for: the last ones make a sign of it, and no letter of anybody's.
  const fitting = text.slice(text.length - figures.length);
  return /[a-f]/.test(figures) || mark === "&#" ? fitting : fitting.toUpperCase();
}
