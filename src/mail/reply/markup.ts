/** Finds in html where clients mark a quote or a signature, and that place in the text of the same message. */

export interface Place {
  /** Offset into the text; the beginning of a line. */
  readonly at: number;
  readonly kind: "reply" | "signature";
}

/** The head and styles of Outlook take a hundred kilobytes; an answer that is longer than the rest of this is read by its text alone. */
const maxHtmlChars = 512 * 1024;
const maxTagChars = 2000;
const maxHits = 20;

/** In a class or an id; as a part, because Outlook prefixes what it quotes with x_ and Yahoo with ydp and a number. */
const quoteMarks: readonly string[] = [
  "gmail_quote",
  "divRplyFwdMsg",
  "appendonsend",
  "yahoo_quoted",
  "mail-editor-reference-message-container",
  "moz-cite-prefix",
  "moz-forward-container",
  "protonmail_quote",
  "zmail_extra",
  "OLK_SRC_BODY_SECTION",
  "hmmessage_quote",
  "tutanota_quote",
  "gwt-quote",
  "WPSMailSourceContainer",
  "isReplyContent",
];
const signatureMarks: readonly string[] = [
  "gmail_signature",
  "ms-outlook-mobile-signature",
  "AppleMailSignature",
  "lineBreakAtBeginningOfSignature",
  "moz-signature",
  "protonmail_signature_block-user",
  "tutanota_signature",
  'id="Signature"',
  'id="x_Signature"',
  "yahoo-signature",
  "ymail_android_signature",
];
/** The line above the header block of Outlook for Windows (since 2013; before; for Mac), in the forms that html cleaners leave it in. */
const headerRule =
  /^border-top\s{0,3}:[^;"']{0,60}(?:#e1e1e1|#b5c4df|rgb\(225,\s?225,\s?225\)|rgb\(181,\s?196,\s?223\))/i;

/** Where the earliest quote and the signature above it begin. `isLabel` tells whether a line is the From line of a header block. */
export function placesOf(html: string, text: string, isLabel: (line: string) => boolean): readonly Place[] {
  const source = html.length > maxHtmlChars ? html.slice(0, maxHtmlChars) : html;
  const places: Place[] = [];
  // Each scan ends where another has found: of a hundred kilobytes quoted below an answer, little is looked through.
  let scanned = source;
  let found: number | undefined;
  for (const find of finders) {
    const at = find(scanned, source, isLabel);
    if (at === undefined) continue;
    found = at;
    scanned = source.slice(0, at);
  }
  const quote = found === undefined ? undefined : placeOf(source, found, text);
  if (quote !== undefined) places.push({ at: quote, kind: "reply" });
  for (const mark of signatureMarks) {
    const at = marked(scanned, mark);
    const place = at === undefined ? undefined : placeOf(source, at, text);
    if (place === undefined) continue;
    places.push({ at: place, kind: "signature" });
    break;
  }
  return places;
}

/** Looks for one kind of mark in the beginning of the whole html; gives where its tag opens. */
type Finder = (scanned: string, whole: string, isLabel: (line: string) => boolean) => number | undefined;

const finders: readonly Finder[] = [
  ...quoteMarks.map(
    (mark): Finder =>
      (scanned) =>
        marked(scanned, mark),
  ),
  ruled,
  ...['type="cite"', "type=cite", "type='cite'"].map(
    (mark): Finder =>
      (scanned, whole) =>
        cited(scanned, whole, mark),
  ),
];

/** The tag that carries a mark; a mark in a style sheet or in the text is none. */
function marked(html: string, mark: string): number | undefined {
  let at = html.indexOf(mark);
  for (let hits = 0; at !== -1 && hits < maxHits; hits++) {
    const tag = tagAround(html, at);
    if (tag !== undefined) return tag;
    at = html.indexOf(mark, at + mark.length);
  }
  return undefined;
}

/** Newsletters draw the same line: the words below it must begin with the label of a header block. */
function ruled(scanned: string, whole: string, isLabel: (line: string) => boolean): number | undefined {
  let at = scanned.indexOf("border-top");
  for (let hits = 0; at !== -1 && hits < maxHits * 10; hits++) {
    const tag = headerRule.test(scanned.slice(at, at + 120)) ? tagAround(scanned, at) : undefined;
    if (tag !== undefined && isLabel(wordsAfter(whole, tag, 60).raw)) return tag;
    at = scanned.indexOf("border-top", at + 10);
  }
  return undefined;
}

/** Apple Mail and Thunderbird: the cited text itself. People cite within an answer too, so only where nothing follows it. */
function cited(scanned: string, whole: string, mark: string): number | undefined {
  const at = marked(scanned, mark);
  if (at === undefined) return undefined;
  const end = whole.lastIndexOf("</blockquote");
  return end !== -1 && wordsAfter(whole, end, 1).words.length === 0 ? at : undefined;
}

function tagAround(html: string, at: number): number | undefined {
  const open = html.lastIndexOf("<", at);
  if (open === -1 || at - open > maxTagChars) return undefined;
  const between = html.slice(open, at);
  return /^<(?:div|blockquote|span|a|td|table|p|section|br|hr)\b/i.test(between) && !between.includes(">")
    ? open
    : undefined;
}

interface Words {
  readonly words: readonly string[];
  readonly raw: string;
}

const word = /[\p{L}\p{N}]+/gu;
const maxWords = 8;
/** How far is looked for words: near first, because a page of tags is rare. */
const looks = [1200, 8000] as const;

function wordsAfter(html: string, at: number, chars: number): Words {
  let found: Words = { words: [], raw: "" };
  for (const most of looks) {
    const raw = visible(html.slice(at, at + most)).slice(0, Math.max(chars, 300));
    // The last may be cut in two.
    const words = (raw.match(word) ?? []).slice(0, maxWords + 1);
    found = { words: words.slice(0, maxWords), raw: raw.slice(0, chars) };
    if (words.length > maxWords) break;
  }
  return found;
}

function wordsBefore(html: string, at: number): readonly string[] {
  let found: string[] = [];
  for (const most of looks) {
    const slice = html.slice(Math.max(0, at - most), at);
    // The beginning may stand inside of a tag.
    const whole = at > most ? slice.slice(slice.indexOf(">") + 1) : slice;
    found = (visible(whole).match(word) ?? []).slice(-4);
    if (found.length === 4) break;
  }
  return found.slice(-3);
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/** What a reader sees of a piece of html, near enough to find it in a text. */
function visible(html: string): string {
  return html
    .replace(/<!--[\s\S]*?(?:-->|$)/g, " ")
    .replace(/<(style|script|title|head)\b[\s\S]*?(?:<\/\1>|$)/gi, " ")
    .replace(/<[^<>]*(?:>|$)/g, " ")
    .replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal, hex, name) => {
      if (name !== undefined) return entities[name] ?? whole;
      const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
      return code > 0 && code < 0x110000 ? String.fromCodePoint(code) : " ";
    })
    .trim();
}

const maxCandidates = 200;
const enoughAlone = 6;
/** Written behind its words in a text that was made from html. */
const link = /<(?:https?|mailto|tel):[^<>]{0,2000}>/gi;

/** The place in the text where the words after a place in the html begin a line, after the words before it. */
function placeOf(html: string, at: number, text: string): number | undefined {
  const after = wordsAfter(html, at, 0).words;
  const [first = ""] = after;
  if (first === "") return undefined;
  const before = wordsBefore(html, at);
  let best: { at: number; score: number } | undefined;
  let lone: number[] = [];
  let candidates = 0;
  for (let hit = text.indexOf(first); hit !== -1; hit = text.indexOf(first, hit + first.length)) {
    if (++candidates > maxCandidates) break;
    const line = lineBegin(text, hit);
    if (line === undefined) continue;
    const matched = matchesAfter(text, hit, after);
    if (matched < Math.min(3, after.length)) continue;
    const preceding = matchesBefore(text, line, before);
    // Nothing may stand between the two: the same words further down are another mail of the chain.
    if (preceding < Math.min(2, before.length)) {
      if (matched >= enoughAlone) lone = [...lone.slice(0, 1), line];
      continue;
    }
    const score = matched + preceding * 2;
    if (best === undefined || score > best.score) best = { at: line, score };
  }
  // A picture, or a link written out, may stand before it; words that occur once can be no other mail.
  return best?.at ?? (lone.length === 1 ? lone[0] : undefined);
}

/** The beginning of the line, when nothing but marks and blanks stands before the word. */
function lineBegin(text: string, at: number): number | undefined {
  const begin = text.lastIndexOf("\n", at - 1) + 1;
  return at - begin <= 60 && !/[\p{L}\p{N}]/u.test(text.slice(begin, at)) ? begin : undefined;
}

function matchesAfter(text: string, at: number, words: readonly string[]): number {
  const found =
    text
      .slice(at, at + 400)
      .replace(link, " ")
      .match(word) ?? [];
  let matched = 0;
  while (matched < words.length && found[matched] === words[matched]) matched++;
  return matched;
}

function matchesBefore(text: string, at: number, words: readonly string[]): number {
  const found =
    text
      .slice(Math.max(0, at - 300), at)
      .replace(link, " ")
      .match(word) ?? [];
  let matched = 0;
  while (matched < words.length && found.at(-1 - matched) === words.at(-1 - matched)) matched++;
  return matched;
}
