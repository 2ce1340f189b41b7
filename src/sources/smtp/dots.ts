/** DOTS: finds where a message ends and takes the stuffed dots out of it (RFC 5321 §4.5.2), in chunks cut anywhere. Pure. */

const DOT = 0x2e;
const CR = 0x0d;
const LF = 0x0a;

const lineStartDot = Buffer.from("\n.");
const nothing: Buffer = Buffer.alloc(0);

/** What a chunk brings. */
export interface Unstuffed {
  /** Of the message, without the stuffed dots. */
  readonly content: Buffer;
  /** What comes behind the end of the message; undefined while it goes on. */
  readonly rest: Buffer | undefined;
}

/**
 * One message. A dot alone on a line ends it only between two CRLF; of two dots at the start of a line the first goes, and there a bare LF
 * counts as a line end too, for the senders that write bare LFs stuff behind them. Everything else is content, a single dot before other
 * characters included. Searched for, not looked at byte by byte, which took a millisecond for each MiB.
 */
export class Unstuffing {
  /** A dot at the start of a line, with what came behind it: too little to tell what it means. */
  #held: Buffer = nothing;
  /** How the line ended that is followed by the next byte; undefined in the middle of a line. A message begins like a line. */
  #lineEnd: "CRLF" | "LF" | undefined = "CRLF";
  #last = LF;

  /** Takes the next bytes, and writes over them. */
  feed(chunk: Buffer): Unstuffed {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = nothing;
    /** Where the content ends that has been moved together so far, and from where on it has not. */
    let to = 0;
    let from = 0;
    const keep = (until: number): void => {
      if (to < from) bytes.copyWithin(to, from, until);
      to += until - from;
    };
    const starts = this.#lineEnd !== undefined && bytes[0] === DOT;
    let last = this.#last;
    for (let dot = starts ? 0 : next(bytes, 0); dot !== -1; dot = next(bytes, dot + 1)) {
      if (dot > 1) last = bytes[dot - 2] ?? last;
      const whole = dot === 0 ? this.#lineEnd === "CRLF" : last === CR;
      const [one, two] = [bytes[dot + 1], bytes[dot + 2]];
      if (one === undefined || (whole && one === CR && two === undefined)) {
        keep(dot);
        this.#held = Buffer.from(bytes.subarray(dot));
        this.#lineEnd = whole ? "CRLF" : "LF";
        return { content: bytes.subarray(0, to), rest: undefined };
      }
      if (whole && one === CR && two === LF) {
        keep(dot);
        return { content: bytes.subarray(0, to), rest: bytes.subarray(dot + 3) };
      }
      if (one === DOT) {
        keep(dot);
        from = dot + 1;
      }
    }
    this.#note(bytes);
    keep(bytes.length);
    return { content: bytes.subarray(0, to), rest: undefined };
  }

  #note(bytes: Buffer): void {
    const last = bytes.at(-1);
    if (last === undefined) return;
    const before = bytes.at(-2) ?? this.#last;
    this.#lineEnd = last !== LF ? undefined : before === CR ? "CRLF" : "LF";
    this.#last = last;
  }
}

/** The next dot behind an LF. */
function next(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(lineStartDot, from);
  return at === -1 ? -1 : at + 1;
}
