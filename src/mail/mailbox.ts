/** Finds the mailboxes in the value of an address header, by its delimiters alone; nothing is decoded here. */

export interface Mailbox {
  /** Display name, still encoded; a comment where there is no other name. */
  readonly name: string;
  /** What stands where the address should be; null when nothing does. */
  readonly spec: string | null;
  readonly raw: string;
  readonly anomalies: readonly string[];
}

export interface Mailboxes {
  readonly mailboxes: readonly Mailbox[];
  /** RFC 5322 §3.4 group syntax was used. */
  readonly grouped: boolean;
}

type PieceKind = "text" | "quoted" | "comment" | "angle";
interface Piece {
  readonly kind: PieceKind;
  readonly text: string;
  /** A blank or a comment stood before it. */
  readonly apart: boolean;
}

/** Between the commas of one name. */
const mostNameParts = 4;

/** Reads at most `most` mailboxes: a header of a hundred thousand is cut, not refused. One pass over the value. */
export function mailboxes(value: string, most: number): Mailboxes {
  const found: Mailbox[] = [];
  let grouped = false;
  let pieces: Piece[] = [];
  let from = 0;
  const scanner = scan(value);
  /** A name that ended in a comma: Smith, John <john@b.example> without the quotes that it needs; or in several: Smith, John, Dr. */
  let surname: { text: string; from: number; parts: number } | undefined;
  const end = (at: number, comma: boolean): void => {
    const bracket = pieces.some(({ kind }) => kind === "angle");
    const mailbox = mailboxOf(pieces, value.slice(bracket && surname !== undefined ? surname.from : from, at).trim());
    if (surname !== undefined && mailbox !== undefined && bracket) {
      found.splice(-surname.parts);
      found.push({ ...mailbox, name: `${surname.text}, ${mailbox.name}` });
      surname = undefined;
    } else if (mailbox !== undefined) {
      const isName = comma && mailbox.spec === null && mailbox.name !== "";
      found.push(mailbox);
      if (!isName) surname = undefined;
      else if (surname === undefined || surname.parts === mostNameParts)
        surname = { text: mailbox.name, from, parts: 1 };
      else surname = { ...surname, text: `${surname.text}, ${mailbox.name}`, parts: surname.parts + 1 };
    }
    pieces = [];
    from = at + 1;
  };
  for (const token of scanner) {
    if (found.length >= most) return { mailboxes: found, grouped };
    if (token.kind === "delimiter") {
      // "Sales: a@b, c@d;": the name of the group is no mailbox. A colon after an @ is no group.
      const opensGroup =
        token.text === ":" &&
        pieces.length > 0 &&
        pieces.every(({ kind, text }) => kind !== "angle" && !text.includes("@"));
      if (opensGroup) {
        grouped = true;
        pieces = [];
        from = token.at + 1;
      } else if (token.text === ":") {
        pieces.push({ kind: "text", text: ":", apart: token.apart });
      } else {
        end(token.at, token.text === ",");
      }
    } else {
      pieces.push({ kind: token.kind, text: token.text, apart: token.apart });
    }
  }
  end(value.length, false);
  return { mailboxes: found, grouped };
}

interface Token {
  readonly kind: PieceKind | "delimiter";
  readonly text: string;
  readonly at: number;
  readonly apart: boolean;
}

/** Senders leave commas, colons and parentheses in Q words, against RFC 2047 §5 (3). RFC 2047 §2: 75 characters; four times that are sent. */
const encodedWord = /=\?[^?\s]{1,60}\?[bq]\?[^?\s]{0,300}\?=/iy;

const enclosures: Readonly<Record<string, { kind: PieceKind; endOf: (value: string, at: number) => number }>> = {
  '"': { kind: "quoted", endOf: endOfQuoted },
  "(": { kind: "comment", endOf: endOfComment },
  "<": { kind: "angle", endOf: endOfAngle },
};

/** Quotes, comments and angle brackets that never close are text. */
function* scan(value: string): Generator<Token> {
  let at = 0;
  let apart = false;
  // What did not close once is not looked for again: "((((..." costs linear time.
  const unclosed = new Set<string>();
  while (at < value.length) {
    const start = at;
    const char = value[at] ?? "";
    if (char === " " || char === "\t") {
      at++;
      apart = true;
      continue;
    }
    const enclosure = unclosed.has(char) ? undefined : enclosures[char];
    const end = enclosure?.endOf(value, at) ?? -1;
    let token: Token;
    if (char === "," || char === ";" || char === ":") {
      at++;
      token = { kind: "delimiter", text: char, at: start, apart };
    } else if (enclosure !== undefined && end !== -1) {
      at = end;
      token = { kind: enclosure.kind, text: value.slice(start + 1, end - 1), at: start, apart };
    } else {
      if (enclosure !== undefined) unclosed.add(char);
      at = endOfText(value, at);
      token = { kind: "text", text: value.slice(start, at), at: start, apart };
    }
    yield token;
    apart = token.kind === "comment";
  }
}

function endOfText(value: string, start: number): number {
  encodedWord.lastIndex = start;
  if (value[start] === "=" && encodedWord.test(value)) return encodedWord.lastIndex;
  let at = start + 1;
  while (at < value.length && !' \t,;:"(<'.includes(value[at] ?? "")) at++;
  return at;
}

function endOfQuoted(value: string, at: number): number {
  for (let i = at + 1; i < value.length; i++) {
    if (value[i] === "\\") i++;
    else if (value[i] === '"') return i + 1;
  }
  return -1;
}

function endOfComment(value: string, at: number): number {
  let depth = 0;
  for (let i = at; i < value.length; i++) {
    if (value[i] === "\\") i++;
    else if (value[i] === "(") depth++;
    else if (value[i] === ")" && --depth === 0) return i + 1;
  }
  return -1;
}

/** A quoted local part may hold a ">". */
function endOfAngle(value: string, at: number): number {
  // A quote escaped within a string ends where the string does, and where one does not end, none after it does: each character is
  // looked at for a closing quote once, or `<"\"\"\"...` would cost the square of its length.
  let closingQuote = at;
  for (let i = at + 1; i < value.length; i++) {
    if (value[i] === ">") return i + 1;
    if (value[i] === '"' && i >= closingQuote) {
      const end = endOfQuoted(value, i);
      closingQuote = end === -1 ? value.length : end - 1;
      if (end !== -1 && value[end] === "@") i = end;
    }
  }
  return -1;
}

const unescaped = (text: string): string => text.replace(/\\(.)/g, "$1");
/** Pieces as one string, with a space where something stood between them. */
const joined = (pieces: readonly Piece[]): string =>
  pieces
    .map(
      (piece, index) =>
        (piece.apart && index > 0 ? " " : "") + (piece.kind === "quoted" ? unescaped(piece.text) : piece.text),
    )
    .join("");

function mailboxOf(pieces: readonly Piece[], raw: string): Mailbox | undefined {
  const comments = pieces.filter(({ kind }) => kind === "comment");
  const angles = pieces.filter(({ kind }) => kind === "angle");
  // The second bracket of <<a@b.example>>.
  const rest = pieces.filter(({ kind, text }) => (kind === "text" && text !== ">") || kind === "quoted");
  // A comment alone is a remark on an empty list: "Hidden recipients:(nobody that I know);".
  if (angles.length + rest.length === 0) return undefined;
  const comment = comments.map(({ text }) => unescaped(text)).join(" ");
  if (angles.length > 0) return bracketed(angles, rest, pieces, comment, raw);
  return bare(rest, comment, raw);
}

function bracketed(
  angles: readonly Piece[],
  rest: readonly Piece[],
  pieces: readonly Piece[],
  comment: string,
  raw: string,
): Mailbox {
  const name = joined(rest) || comment;
  // <b@y><a@x>, and "<a@x> b@y": which of the two a client shows is chance. No address, and a mark.
  const after = pieces.slice(pieces.findIndex(({ kind }) => kind === "angle") + 1);
  if (angles.length > 1 || after.some(({ kind, text }) => kind === "text" && text.includes("@"))) {
    return { name, spec: null, raw, anomalies: ["ambiguous_address"] };
  }
  const inner = angles[0]?.text ?? "";
  const anomalies = new Set<string>();
  // RFC 5322 §4.4 obsolete route: <@relay,@relay:user@domain>.
  const unrouted = /^\s*@[^:<>]{1,1000}:/.test(inner) ? inner.slice(inner.indexOf(":") + 1) : inner;
  const spec = withoutGaps(unrouted.replace(/^\s*mailto:/i, ""), anomalies);
  return { name, spec: spec === "" ? null : spec, raw, anomalies: [...anomalies] };
}

/**
 * An addr-spec may have blanks and comments around its dots and its @ (RFC 5322 §4.4): they are dropped, and said. Anywhere else a blank
 * stays, and makes it unusable: two words put together are an address that nobody wrote.
 */
function withoutGaps(inner: string, anomalies: Set<string>): string {
  const parts: string[] = [];
  let before = "";
  for (const piece of scan(inner)) {
    if (piece.kind === "comment") {
      anomalies.add("ambiguous_address");
      continue;
    }
    const text = piece.kind === "quoted" ? `"${piece.text}"` : piece.kind === "angle" ? `<${piece.text}>` : piece.text;
    if (piece.apart && before !== "") {
      anomalies.add("ambiguous_address");
      if (!/[.@]$/.test(before) && !/^[.@]/.test(text)) parts.push(" ");
    }
    parts.push(text);
    before = text;
  }
  return parts.join("");
}

/** Without angle brackets: `a@b.example`, `a@b.example (Ana)`, `Ana a@b.example`, or a name alone. */
function bare(rest: readonly Piece[], comment: string, raw: string): Mailbox {
  if (!rest.some(({ kind, text }) => kind === "text" && text.includes("@"))) {
    return { name: joined(rest) || comment, spec: null, raw, anomalies: [] };
  }
  // The address is the run of pieces around the @ that touch each other or are joined by a dot or the @ itself.
  const at = rest.findIndex(({ kind, text }) => kind === "text" && text.includes("@"));
  const joins = (index: number): boolean => {
    const left = rest[index - 1];
    const right = rest[index];
    if (left === undefined || right === undefined) return false;
    return !right.apart || /[.@]$/.test(left.text) || /^[.@]/.test(right.text);
  };
  let first = at;
  while (joins(first)) first--;
  let last = at;
  while (joins(last + 1)) last++;
  const spec = rest
    .slice(first, last + 1)
    .map(({ kind, text }) => (kind === "quoted" ? `"${text}"` : text))
    .join("");
  const gaps = rest.slice(first + 1, last + 1).some(({ apart }) => apart);
  // Something after the address could be the end of its domain.
  const trailing = rest.length > last + 1;
  return {
    name: joined(rest.slice(0, first)) || comment,
    spec: trailing ? null : spec,
    raw,
    anomalies: gaps || trailing ? ["ambiguous_address"] : [],
  };
}
