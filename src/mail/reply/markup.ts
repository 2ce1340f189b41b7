/** Finds in html where clients mark a quote or a signature, and that place in the text of the same message. */

export interface Place {
  /** Offset into the text; the beginning of a line. */
  readonly at: number;
  readonly kind: "reply" | "signature";
}

/** The head and styles of Outlook take a hundred kilobytes; an answer that is longer than the rest of this is read by its text alone. */
const maxHtmlChars = 512 * 1024;
const maxTagChars = 2000;
const maxHits = 2000;
const maxSignatures = 3;

type Mark = "quote" | "rule" | "cite" | "signature";

/** In a class or an id; as a part, because Outlook prefixes what it quotes with x_ and Yahoo with ydp and a number. */
const marks: Readonly<Record<Mark, readonly string[]>> = {
  quote: [
    "gmail_quote",
    "divRplyFwdMsg",
    "appendonsend",
    "yahoo_quoted",
    "mail-editor-reference-message-container",
    "moz-cite-prefix",
    "moz-forward-container",
    "protonmail_quote",
    "tutanota_quote",
    "zmail_extra",
    "OLK_SRC_BODY_SECTION",
    "hmmessage_quote",
    "gwt-quote",
    "WPSMailSourceContainer",
    "isReplyContent",
  ],
  /** The line above the header block of Outlook for Windows. */
  rule: ["border-top"],
  /** Apple Mail and Thunderbird: the cited text itself. */
  cite: ['type="cite"', "type=cite", "type='cite'"],
  signature: [
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
  ],
};
const markOf: ReadonlyMap<string, Mark> = new Map(
  (Object.keys(marks) as Mark[]).flatMap((mark) => marks[mark].map((text): [string, Mark] => [text, mark])),
);
/** One pass: thirty searches took five times as long on a page without any of them. */
const anyMark = new RegExp([...markOf.keys()].join("|"), "g");
/** Since 2013, before, and for Mac; in the forms that html cleaners leave it in. */
const headerRule =
  /^border-top\s{0,3}:[^;"']{0,60}(?:#e1e1e1|#b5c4df|rgb\(225,\s?225,\s?225\)|rgb\(181,\s?196,\s?223\))/i;

/** Where the earliest quote and the signature above it begin. `isLabel` tells whether a line is the From line of a header block. */
export function placesOf(html: string, text: string, isLabel: (line: string) => boolean): readonly Place[] {
  const source = html.length > maxHtmlChars ? html.slice(0, maxHtmlChars) : html;
  const signatures: number[] = [];
  let quote: number | undefined;
  let hits = 0;
  for (const { 0: written, index } of source.matchAll(anyMark)) {
    if (++hits > maxHits) break;
    const tag = tagAround(source, index);
    if (tag === undefined) continue;
    const mark = markOf.get(written);
    if (mark === "signature") {
      if (signatures.length < maxSignatures) signatures.push(tag);
    } else if (
      mark === "quote" ||
      (mark === "rule" && isRuled(source, index, tag, isLabel)) ||
      (mark === "cite" && endsCited(source))
    ) {
      quote = tag;
      break;
    }
  }
  return [
    ...placed("reply", quote === undefined ? [] : [quote], source, text),
    ...placed("signature", signatures, source, text),
  ];
}

/** The first of the tags whose place in the text is found. */
function placed(kind: Place["kind"], tags: readonly number[], html: string, text: string): Place[] {
  for (const tag of tags) {
    const at = placeOf(html, tag, text);
    if (at !== undefined) return [{ at, kind }];
  }
  return [];
}

/** Where the tag that carries a mark opens; a mark in a style sheet or in the text is none. */
function tagAround(html: string, at: number): number | undefined {
  const open = html.lastIndexOf("<", at);
  if (open === -1 || at - open > maxTagChars) return undefined;
  const between = html.slice(open, at);
  return /^<(?:div|blockquote|span|a|td|table|p|section|br|hr)\b/i.test(between) && !between.includes(">")
    ? open
    : undefined;
}

/** Newsletters draw the same line: the words below it must begin with the label of a header block. */
function isRuled(html: string, at: number, tag: number, isLabel: (line: string) => boolean): boolean {
  return headerRule.test(html.slice(at, at + 120)) && isLabel(wordsAfter(html, tag, 60).raw);
}

/** People cite within an answer too: what is cited counts where nothing follows it. */
function endsCited(html: string): boolean {
  const end = html.lastIndexOf("</blockquote");
  return end !== -1 && wordsAfter(html, end, 1).words.length === 0;
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
