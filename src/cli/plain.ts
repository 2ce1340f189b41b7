/** Makes text from mail or vendors safe to show: nothing that steers a terminal survives, and nothing is longer than it may be. */

const esc = "\u001b";
/** The one-character forms of ESC [, ESC ], ESC P, ESC X, ESC ^ and ESC _ (ECMA-48 §5.4). */
const c1Introducers: Readonly<Record<string, string>> = {
  "\u009b": "[",
  "\u009d": "]",
  "\u0090": "P",
  "\u0098": "X",
  "\u009e": "^",
  "\u009f": "_",
};
const invisible =
  /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/**
 * Escape sequences go whole: CSI and control strings (OSC, DCS...) with what they carry, then the marks that reorder or hide text (bidi
 * controls, zero-width characters, tags). What a sender wrote can then not move the cursor, set a title or ask the terminal something.
 */
function withoutSequences(text: string): string {
  const unified = text.toWellFormed().replace(/[\u0090\u0098\u009b\u009d-\u009f]/g, (c1) => esc + c1Introducers[c1]);
  const [before = "", ...after] = unified.split(esc);
  return [before, ...after.map(withoutSequence)].join("").replace(invisible, "");
}

/** `rest` is what follows an ESC. */
function withoutSequence(rest: string): string {
  switch (rest[0]) {
    case "[":
      return rest.replace(/^\[[0-?]*[ -/]*[@-~]?/, "");
    case "]":
    case "P":
    case "X":
    case "^":
    case "_":
      // Up to BEL, ST or any other control; a terminator of ESC \ begins the next piece and goes there.
      return rest.replace(/^[^\p{Cc}]*/u, "");
    default:
      return rest.replace(/^[ -/]*[0-~]?/, "");
  }
}

/** Cut to `most` characters, whole ones. */
function bounded(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/u, "")}…`;
}

/** One line of at most `most` characters. Line ends, tabs and other controls become spaces. */
export function plain(text: string, most = 200): string {
  // Bounded before the patterns see it, so that a megabyte of escapes costs nothing.
  const line = withoutSequences(text.slice(0, most * 8))
    .replace(/[\p{Cc}\u2028\u2029]/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim();
  return bounded(line, most);
}

/** Several lines, kept as lines. */
export function plainLines(text: string, most = 20_000): string {
  const lines = withoutSequences(
    text
      .slice(0, most * 2)
      .replaceAll("\r\n", "\n")
      .replaceAll("\t", "    "),
  );
  return bounded(lines.replace(/(?!\n)[\p{Cc}\u2028\u2029]/gu, " "), most);
}

/**
 * JSON in which every character that could steer a terminal or reorder text is written as an escape: the same value to a program, and
 * harmless to look at. JSON.stringify itself escapes only what is below U+0020, and lone surrogates.
 */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Columns that a text takes in a terminal: wide characters (CJK, emoji) two, combining ones none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += /\p{Mn}|\p{Me}/u.test(character) ? 0 : isWide(character) ? 2 : 1;
  return width;
}

const isWide = (character: string): boolean =>
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]|[\u{20000}-\u{3fffd}]/u.test(
    character,
  );

/** Cut to `columns` columns. */
export function fitted(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let fit = "";
  let width = 0;
  for (const character of text) {
    width += widthOf(character);
    if (width > columns - 1) break;
    fit += character;
  }
  return `${fit}…`;
}
