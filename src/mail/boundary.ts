/** Finds the boundary of the outermost multipart (RFC 2046 §5.1.1), as declared or as the body shows it, and the lines that hold one. */
import { decodedParameter } from "./parameters.ts";
import type { PartHead } from "./part.ts";

/** How much of a body is looked at for a boundary that its header does not name. */
export const maxGuessBytes = 64 * 1024;

/** A line of mail has 998, and files of mail longer ones; unbounded, each line of a body could cost as much as its header. */
const maxBoundaryChars = 8000;

/** Undefined where none is declared that a line could match. */
export function declaredBoundary({ params }: PartHead): string | undefined {
  const boundary = (decodedParameter(params, "boundary")?.text ?? "").trimEnd();
  return boundary.length <= maxBoundaryChars && /^[\x20-\x7e]+$/.test(boundary) ? boundary : undefined;
}

/** A line that begins like a delimiter, with the header of a part right below it. */
export function guessedBoundary(beginning: Buffer): string | undefined {
  const text = beginning.toString("latin1", 0, maxGuessBytes);
  return /^--([!-~][ -~]{0,199})\r?\nContent-[A-Za-z-]{1,40}:/im.exec(text)?.[1]?.trimEnd();
}

/** 1: a part begins. 2: the multipart ends. */
export type Delimiter = 1 | 2 | false;
/** `line` from `start` on, with its line end. */
export type FindDelimiter = (line: Uint8Array, start: number, boundary: Uint8Array) => Delimiter;

const maxBeyondBoundary = 1000;

/**
 * Delimiter lines as `exact` knows them, and as some are written: with another number of blanks than the unfolded header has, with
 * blanks before the closing dashes, and, in a multipart that has no exact line before it, with words behind the boundary (RFC 2046 §5.1.1:
 * "it is sufficient that the boundary appear in its entirety").
 */
export function delimiterFinder(exact: FindDelimiter): FindDelimiter {
  const style = new WeakMap<Uint8Array, "exact" | "with words">();
  return (line, start, boundary) => {
    const found = exact(line, start, boundary);
    if (found !== false) {
      if (!style.has(boundary)) style.set(boundary, "exact");
      return found;
    }
    const end = boundaryEnd(line, start + 2, boundary);
    if (end === undefined) return false;
    const rest = Buffer.from(line.buffer, line.byteOffset + end, line.length - end).toString("latin1");
    if (/^[ \t]*--\s*$/.test(rest)) return 2;
    if (!rest.endsWith("\n")) return false;
    if (rest.trim() === "") return 1;
    const known = style.get(boundary);
    if (/^--[ \t]/.test(rest)) return known === "with words" ? 2 : false;
    if (known === "exact" || !/^[ \t]/.test(rest)) return false;
    style.set(boundary, "with words");
    return 1;
  };
}

/** Where the boundary ends that stands at `from`; a run of blanks is one blank, as in an unfolded header. */
function boundaryEnd(line: Uint8Array, from: number, boundary: Uint8Array): number | undefined {
  if (line.length > 2 * boundary.length + maxBeyondBoundary) return undefined;
  let at = from;
  for (let index = 0; index < boundary.length; ) {
    if (line[at] !== boundary[index]) return undefined;
    const blank = boundary[index] === 0x20;
    at++;
    index++;
    if (!blank) continue;
    while (line[at] === 0x20) at++;
    while (boundary[index] === 0x20) index++;
  }
  return at;
}
