/** Patterns with `*`, matched in time that grows with text times pattern at most: never a regular expression out of a file. */

const fold = (text: string): string => text.normalize("NFC").toLowerCase();

/** Longer texts are looked at up to here: subjects and addresses are shorter, whatever a sender puts there. */
const mostChars = 4_000;

export interface Glob {
  /** The whole text. */
  is(text: string): boolean;
  /** Somewhere in the text. */
  isIn(text: string): boolean;
}

/** Letters without case. `*` is any run of characters, none included; everything else stands for itself. */
export function compileGlob(pattern: string): Glob {
  const pieces = fold(pattern).split("*");
  const matches = (text: string, anchored: boolean): boolean => {
    const folded = fold(text.slice(0, mostChars));
    return anchored ? whole(folded, pieces) : somewhere(folded, pieces);
  };
  return { is: (text) => matches(text, true), isIn: (text) => matches(text, false) };
}

function whole(text: string, pieces: readonly string[]): boolean {
  const first = pieces[0] ?? "";
  if (pieces.length === 1) return text === first;
  const last = pieces.at(-1) ?? "";
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  const end = inOrder(text, pieces.slice(1, -1), first.length);
  return end !== undefined && end <= text.length - last.length;
}

const somewhere = (text: string, pieces: readonly string[]): boolean => inOrder(text, pieces, 0) !== undefined;

/** The earliest place of each piece is as good as any later one: no way back is ever needed. */
function inOrder(text: string, pieces: readonly string[], from: number): number | undefined {
  let at = from;
  for (const piece of pieces) {
    const found = text.indexOf(piece, at);
    if (found === -1) return undefined;
    at = found + piece.length;
  }
  return at;
}
