/** Looks for messages made to be expensive, in one pass over the bytes, before the MIME parser gets them. */

/** Where the parser stops reading, and why. */
export interface Stop {
  /** Offset into the bytes that were looked at last: behind the line that was too much. The same for any chunking. */
  readonly at: number;
  readonly reason: string;
}

export interface Guard {
  update(bytes: Uint8Array): Stop | undefined;
}

/**
 * mailparser works line by line: 25 MB of bare line ends took it 15 s and 1.5 GB, 24 MB of "--" lines 6 s and 1.7 GB. An honest
 * message of 150 MiB has two million lines, hardly any of them empty or like a boundary.
 */
const most = { lines: 6_000_000, tinyLines: 1_000_000, boundaryLines: 100_000 };
const tinyLineBytes = 4;
const lf = 0x0a;
const dash = 0x2d;

export function openGuard(): Guard {
  let lines = 0;
  let tinyLines = 0;
  let boundaryLines = 0;
  /** Bytes of the line that the last chunk left unfinished, and how it began. */
  let carried = 0;
  let carriedDashes = 0;

  return {
    update(bytes) {
      let start = 0;
      for (let at = bytes.indexOf(lf); at !== -1; at = bytes.indexOf(lf, start)) {
        lines++;
        const length = carried + at - start + 1;
        if (length <= tinyLineBytes) tinyLines++;
        if (startsLikeBoundary(bytes, start)) boundaryLines++;
        carried = carriedDashes = 0;
        start = at + 1;
        const reason = tooMuch();
        if (reason !== undefined) return { at: start, reason };
      }
      for (let at = start; at < bytes.length && carried + at - start < 2; at++) {
        if (bytes[at] === dash) carriedDashes++;
      }
      carried += bytes.length - start;
      return undefined;
    },
  };

  function tooMuch(): string | undefined {
    if (tinyLines > most.tinyLines) return `more than ${most.tinyLines} empty lines`;
    if (boundaryLines > most.boundaryLines) return `more than ${most.boundaryLines} lines like a MIME boundary`;
    return lines > most.lines ? `more than ${most.lines} lines` : undefined;
  }

  function startsLikeBoundary(bytes: Uint8Array, start: number): boolean {
    if (carried >= 2) return carriedDashes === 2;
    if (carried === 1) return carriedDashes === 1 && bytes[start] === dash;
    return bytes[start] === dash && bytes[start + 1] === dash;
  }
}
