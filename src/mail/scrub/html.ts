/** Replaces the words of HTML and leaves its markup: elements, layout, and what marks a quote or a signature. */
import { attributionMarks } from "../reply/attribution.ts";
import { labelled } from "../reply/labels.ts";
import { charsetKnown } from "./charset.ts";
import { replaceAttribution, replaceText, replaceWords, type Words } from "./text.ts";
import { classKept, markupKept, writtenDateKept } from "./vocabulary.ts";

/** Bounded, so that a mail full of "<" costs what it is long. */
const piece =
  /<(style)\b[^<>]{0,2000}>[^<]{0,200000}<\/style\s*>|<\/?[A-Za-z][^<>]{0,8000}>|<![^<>]{0,2000}>|&(?:#[xX]?[0-9a-fA-F]{1,7}|[A-Za-z]{2,12}\d?);?/g;
const attribute = /([A-Za-z_:][\w:.-]{0,80})(\s{0,20}=\s{0,20})("[^"]{0,8000}"|'[^']{0,8000}'|[^\s"'>]{1,8000})/g;
const layout = new Set(
  `style width height border cellpadding cellspacing colspan rowspan align valign bgcolor color face size dir lang type rel target media charset
  http-equiv clear link vlink alink text nowrap hidden role xmlns method`.split(/\s+/),
);
/** Outlook's comments are markup for itself. */
const conditional = /^<!--\[(?:if|endif)/i;
/** Of letters with a mark the mark stays. */
const marked = /^&([aeiouAEIOU])(uml|acute|grave|circ);?$/;
const signs = new Set(
  "nbsp amp lt gt quot apos copy reg trade hellip ndash mdash lsquo rsquo ldquo rdquo laquo raquo bull middot euro pound yen sect para times zwnj zwj shy ensp emsp thinsp iexcl iquest deg".split(
    " ",
  ),
);

export function replaceHtml(text: string, words: Words): string {
  let made = "";
  let at = 0;
  for (const found of text.matchAll(piece)) {
    made += between(text.slice(at, found.index), words);
    const [whole, style] = found;
    if (whole.startsWith("&")) made += entity(whole, words);
    else if (whole.startsWith("<!--") && !conditional.test(whole)) made += replaceWords(whole, words);
    else if (style !== undefined || whole.startsWith("<!")) made += replaceWords(whole, words, markupKept);
    else made += tag(whole, words);
    at = found.index + whole.length;
  }
  return made + between(text.slice(at), words);
}

/** A node of text may be the beginning of an attribution, or its end. */
function between(text: string, words: Words): string {
  const bare = text.trim();
  if (bare === "") return text;
  if (bare.length < 300 && !bare.includes("\n")) {
    if (labelled(bare) !== undefined) return replaceText(text, words);
    const opened = attributionMarks.opener.test(bare) && /\d/.test(bare);
    const closed = /[:：]$/.test(bare) && attributionMarks.verbs.some((verb) => verb.test(bare));
    if (opened || closed) {
      const indent = text.slice(0, text.indexOf(bare));
      return indent + replaceAttribution(bare, words) + text.slice(indent.length + bare.length);
    }
    if (/^\p{L}+\.?,? .{0,20}(?:19|20)\d\d/u.test(bare)) return replaceWords(text, words, writtenDateKept);
  }
  return replaceText(text, words);
}

function tag(whole: string, words: Words): string {
  const [name = ""] = /^<\/?[\w:-]*/.exec(whole) ?? [];
  const rest = whole.slice(name.length);
  let made = replaceWords(name, words, markupKept);
  let at = 0;
  for (const found of rest.matchAll(attribute)) {
    const [all, key = "", equals = "", value = ""] = found;
    made +=
      replaceWords(rest.slice(at, found.index), words, markupKept) + replaceWords(key, words, markupKept) + equals;
    const lower = key.toLowerCase();
    if (layout.has(lower)) made += replaceWords(value, words, markupKept);
    else if (lower === "class" || lower === "id") made += replaceWords(value, words, classKept);
    else if (lower === "content" && /charset\s*=/i.test(value)) made += declaration(value, words);
    else made += replaceWords(value, words);
    at = found.index + all.length;
  }
  return made + replaceWords(rest.slice(at), words, markupKept);
}

/** "text/html; charset=koi8-r" */
function declaration(value: string, words: Words): string {
  return value.replace(
    /(charset\s*=\s*)([\w.:-]{1,40})|[^;]+|;/gi,
    (piece, name: string | undefined, label: string | undefined) =>
      name !== undefined && label !== undefined && charsetKnown(label) ? piece : replaceWords(piece, words, markupKept),
  );
}

function entity(whole: string, words: Words): string {
  const name = /^&([A-Za-z]+)/.exec(whole)?.[1];
  // A figure for a figure, and no further: what stands for a letter may become a sign.
  if (name === undefined) return whole.startsWith("&#") ? figures(whole, words) : whole;
  if (signs.has(name.toLowerCase())) return whole;
  const [, letter = "", mark = ""] = marked.exec(whole) ?? [];
  if (mark === "") return replaceWords(whole, words);
  const other = "aeiou"["eioua".indexOf(letter.toLowerCase())] ?? letter;
  return `&${letter === letter.toLowerCase() ? other : other.toUpperCase()}${whole.slice(2)}`;
}

/** Blanks and quotation marks are written so too; they stay, because what is hidden is known by them. */
const harmless = new Set([
  9, 10, 13, 32, 34, 38, 39, 60, 62, 160, 8201, 8203, 8204, 8205, 8211, 8212, 8216, 8217, 8220, 8221, 8230, 65279, 847,
  173,
]);

function figures(whole: string, words: Words): string {
  const [, x = "", digits = ""] = /^&#([xX]?)([0-9a-fA-F]+)/.exec(whole) ?? [];
  const code = Number.parseInt(digits, x === "" ? 10 : 16);
  if (harmless.has(code)) return whole;
  return `&#${x}${words.standIns.hex(digits)}${whole.slice(2 + x.length + digits.length)}`;
}
