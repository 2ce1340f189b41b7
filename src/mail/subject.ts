/** The part of a subject that a conversation keeps: without what clients and lists put around it. */

/**
 * What clients write before a reply or a forward, in the languages they speak; RFC 5256 §2.1 knows re, fw and fwd alone. In lower case.
 */
const prefixes = [
  ...["re", "fw", "fwd", "ref", "rep", "ré", "fwd\\.", "re\\."],
  // German, Dutch, Danish, Norwegian, Swedish, Finnish, Icelandic
  ...["aw", "antw", "antwort", "wg", "doorst", "sv", "vs", "vb", "vl", "videresendt", "svar"],
  // French, Spanish, Portuguese, Italian, Romanian, Catalan
  ...["tr", "rv", "res", "enc", "rif", "inol", "râsp", "red"],
  // Polish, Czech, Slovak, Croatian, Slovenian, Hungarian, Turkish, Greek
  ...["odp", "pd", "přep", "predané", "odg", "prosl", "vá", "továbbítás", "ynt", "ilt", "İlt", "απ", "σχετ", "πρθ"],
  // Russian, Ukrainian, Bulgarian, Hebrew, Arabic, Indonesian
  ...[
    "отв",
    "ответ",
    "на",
    "пересл",
    "вiдп",
    "відп",
    "перес",
    "отг",
    "прп",
    "השב",
    "תשובה",
    "הועבר",
    "رد",
    "إعادة توجيه",
    "bls",
    "trs",
  ],
  // Chinese, Japanese, Korean
  ...["回复", "回覆", "答复", "答覆", "转发", "轉寄", "轉發", "返信", "転送", "회신", "답장", "전달"],
].join("|");

/** "Re[2]:", "Re^2:", "RE (3) :", "AW2:"; and the colon of Chinese keyboards. Italian clients write a single capital letter. */
const reply = new RegExp(
  String.raw`(?:(?:${prefixes})|(?-i:[RI](?= ?:)))(?: ?[[(]\d{1,4}[\])]|[\^*]?\d{1,3})? ?(?:\[[^[\]]{1,80}\] ?)?[:：﹕] ?`,
  "iuy",
);
const tag = /\[[^[\]]{1,80}\] ?/y;
const forwarded = /\[fwd?[:：] ?/iy;
const trailer = / ?\((?:fwd|wg|fw)\)$/i;
const bracketed = /^\[[^[\]]*\]$/;

/**
 * Null where nothing is left: a subject of prefixes alone names no conversation. `subject` is decoded and clean; one pass, but for
 * what is taken off its end.
 */
export function normalisedSubject(subject: string): string | null {
  let text = subject.replace(/\s+/gu, " ").trim();
  // RFC 5256 §2.1 (2): as often as there is one.
  while (trailer.test(text)) text = text.replace(trailer, "");
  let at = 0;
  let end = text.length;
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text) || pattern.lastIndex > end) return false;
    at = pattern.lastIndex;
    return true;
  };
  for (;;) {
    if (skip(reply)) continue;
    const before = at;
    // "[Fwd: Order 17]" is a forward of "Order 17"; any other bracket is a list's tag, unless it is all there is.
    if (text[end - 1] === "]" && skip(forwarded)) {
      end--;
      continue;
    }
    if (skip(tag)) {
      if (at < end && hasMore(text, at, end)) continue;
      at = before;
    }
    break;
  }
  const rest = text.slice(at, end).trim();
  return rest === "" ? null : rest;
}

/** Where what clients write before a reply or a forward ends, one that begins at `from`; `from` where there is none. */
export function prefixEnd(text: string, from: number): number {
  reply.lastIndex = from;
  return reply.test(text) ? reply.lastIndex : from;
}

/** Whether something that is no prefix follows: "[Order 17] Re:" is still about order 17. */
function hasMore(text: string, from: number, end: number): boolean {
  reply.lastIndex = from;
  let at = from;
  while (reply.test(text)) at = reply.lastIndex;
  return at < end || bracketed.test(text.slice(from, end));
}
