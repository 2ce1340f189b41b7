/** Finds the boundary of the outermost multipart (RFC 2046 §5.1.1): as declared, or as the body shows it. */
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
