/** Finds the lines that delimit parts, in the ways in which they are written, inside of the splitter of mailparser. */

/** What mailparser 3.14.2 has inside; its types leave it out. test/mail/parse.test.ts holds it to this. */
export interface SplitNode {
  readonly type: "node";
  readonly parentNode: SplitNode | false;
  readonly headers: { headers: Buffer | string | false; lines: unknown[] | false } | false;
  /** False for a multipart that has none. */
  readonly _boundary: Buffer | false;
}
interface SplitBytes {
  readonly type: "body" | "data";
  readonly node: SplitNode;
  readonly value?: Uint8Array;
}
export type SplitChunk = SplitNode | SplitBytes;
type LineTaken = (error?: Error | null, data?: SplitChunk | false, flush?: boolean) => void;
export interface Splitter {
  /** What the next line belongs to. */
  readonly node: { readonly multipart: string | false };
  read(): SplitChunk | null;
  compareBoundary: FindDelimiter;
  processLine: (line: Uint8Array | false, final: boolean, taken: LineTaken) => void;
}
/** 1: a part begins. 2: the multipart ends. */
type Delimiter = 1 | 2 | false;
/** `line` from `start` on, with its line end. */
type FindDelimiter = (line: Uint8Array, start: number, boundary: Uint8Array) => Delimiter;

const maxBeyondBoundary = 1000;

/**
 * Delimiter lines as `exact` knows them, and as some are written: with another number of blanks than the unfolded header has, with
 * blanks before the closing dashes, and, in a multipart that has no exact line before it, with words behind the boundary: a line only has
 * to begin with it (RFC 2046 §5.1.1).
 */
function delimiterFinder(exact: FindDelimiter): FindDelimiter {
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

const nowhere: SplitNode = { type: "node", parentNode: false, headers: false, _boundary: false };

/**
 * mailparser hands on the delimiter that ends a multipart without parts, and what comes behind, as bytes of that multipart, which are its
 * text: RFC 2046 §5.1.2 ends it there.
 */
export function findDelimiters(splitter: Splitter): void {
  const find = delimiterFinder(splitter.compareBoundary.bind(splitter));
  const take = splitter.processLine.bind(splitter);
  let found = false;
  splitter.compareBoundary = (line, start, boundary) => {
    const delimiter = find(line, start, boundary);
    found ||= delimiter !== false;
    return delimiter;
  };
  splitter.processLine = (line, final, taken) => {
    found = false;
    if (splitter.node.multipart === false) {
      take(line, final, taken);
      return;
    }
    take(line, final, (error, data, flush) => {
      if (!found || !data || data.type === "node") taken(error, data, flush);
      else taken(error, { ...data, node: nowhere }, true);
    });
  };
}
