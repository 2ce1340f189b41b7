/** A text as lines: where each begins, and how deep it is quoted. */

/** A megabyte of line ends is not read to its end: what follows belongs to whatever stands here. */
const maxLines = 100_000;
/** Blanks before the first character; more is layout. */
const maxIndent = 12;

const lineFeed = 10;
const greaterThan = 62;

export class Lines {
  readonly text: string;
  /** Where each line begins, and at last where one after the last would. */
  private readonly starts: number[] = [0];

  constructor(text: string) {
    this.text = text;
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
      if (this.starts.length === maxLines) break;
      this.starts.push(at + 1);
    }
  }

  get count(): number {
    return this.starts.length;
  }

  /** False for a text that goes on after the last line that is counted. */
  get whole(): boolean {
    return this.text.indexOf("\n", this.start(this.count - 1)) === -1;
  }

  /** Where a line begins; the end of the text for the one after the last. */
  start(line: number): number {
    return this.starts[line] ?? this.text.length;
  }

  /** The line that holds an offset. */
  lineAt(offset: number): number {
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.start(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Before the line feed. */
  end(line: number): number {
    const next = this.starts[line + 1];
    return next === undefined ? this.text.length : next - 1;
  }

  /** A line without the blanks around it, its first `most` characters. */
  at(line: number, most = 1000): string {
    const start = this.start(line);
    return this.text.slice(start, Math.min(this.end(line), start + most)).trim();
  }

  isBlank(line: number): boolean {
    return this.first(line) === -1;
  }

  /** The first character that is no blank; -1 in a blank line. */
  first(line: number): number {
    const end = this.end(line);
    for (let at = this.start(line); at < end; at++) {
      const code = this.text.charCodeAt(at);
      if (!isBlankCode(code)) return code;
    }
    return -1;
  }

  /** The last character that is no blank; -1 in a blank line. */
  last(line: number): number {
    const start = this.start(line);
    for (let at = this.end(line) - 1; at >= start; at--) {
      const code = this.text.charCodeAt(at);
      if (!isBlankCode(code)) return code;
    }
    return -1;
  }

  isQuoted(line: number): boolean {
    const start = this.start(line);
    const most = Math.min(this.end(line), start + maxIndent);
    for (let at = start; at < most; at++) {
      const code = this.text.charCodeAt(at);
      if (code === greaterThan) return !this.isEscapedFrom(at);
      if (!isBlankCode(code)) return false;
    }
    return false;
  }

  /** A mailbox file writes ">From " for a line that begins with "From ". */
  private isEscapedFrom(at: number): boolean {
    return this.text.startsWith(">From ", at);
  }

  /** The first line from here on that is not blank. */
  next(line: number): number {
    let at = line;
    while (at < this.count && this.isBlank(at)) at++;
    return at;
  }
}

/** Tab, space, no-break space, and the marks that some clients put around an attribution for right-to-left writing. */
function isBlankCode(code: number): boolean {
  return (
    code === 32 ||
    code === 9 ||
    code === 160 ||
    code === 0x3000 ||
    code === 0x200b ||
    code === 0x200e ||
    code === 0x200f ||
    (code >= 0x202a && code <= 0x202e) ||
    code === lineFeed
  );
}

/** A quoted line without its first mark. */
export function unquoted(line: string): string {
  return line.replace(/^\s{0,12}> ?/, "");
}
