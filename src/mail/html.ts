/** Reads html as text, for messages that have no text of their own. */
import { compile, type FormatCallback } from "html-to-text";

/** Half a second's work at most; a mail of a megabyte of html has said what it has to say. */
export const maxHtmlInputChars = 1024 * 1024;
/** htmlparser2 looks through all open elements for each end tag: a megabyte of `<b></x>` took it twelve seconds. */
const maxTags = 20_000;
/** Browsers flatten at 512. htmlparser2 is quadratic in the depth, and the conversion recurses. */
const maxDepth = 500;

/** Cells of one row are words of one line: "Qty 12", not "Qty12". */
const cell: FormatCallback = (elem, walk, builder) => {
  walk(elem.children, builder);
  builder.addInline(" ");
};
const alternative: FormatCallback = (elem, _walk, builder) => {
  builder.addInline(String(elem.attribs?.alt ?? ""));
};
const row = { leadingLineBreaks: 1, trailingLineBreaks: 1 };

/** Preview lines that are there for the list of messages, not for the reader. (`mso-hide:all` hides from Outlook alone.) */
const unseen = [
  ...["display:none", "display: none", "display :none", "visibility:hidden", "visibility: hidden"].map(
    (style) => `[style*="${style}" i]`,
  ),
  ...["max-height:0;", "max-height:0px", "max-height: 0;", "max-height: 0px"].map((style) => `[style*="${style}" i]`),
  "[hidden]",
];

const convert = compile({
  wordwrap: false,
  formatters: { cell, alternative },
  limits: { maxInputLength: maxHtmlInputChars, maxDepth, ellipsis: "" },
  selectors: [
    { selector: "table", format: "block", options: row },
    { selector: "tr", format: "block", options: row },
    { selector: "td", format: "cell" },
    { selector: "th", format: "cell" },
    { selector: "img", format: "alternative" },
    { selector: "a", options: { hideLinkHrefIfSameAsText: true, noAnchorUrl: true, linkBrackets: ["<", ">"] } },
    ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({ selector, options: { uppercase: false } })),
    { selector: "dt", format: "block", options: row },
    { selector: "dd", format: "block", options: row },
    ...unseen.map((selector) => ({ selector, format: "skip" })),
    { selector: "head", format: "skip" },
    { selector: "script", format: "skip" },
    { selector: "style", format: "skip" },
  ],
});

export interface HtmlText {
  readonly text: string;
  /** True when the html was longer than what is read. */
  readonly cut: boolean;
}

export function htmlToText(html: string): HtmlText {
  const cut = html.length > maxHtmlInputChars;
  const input = cut ? html.slice(0, maxHtmlInputChars) : html;
  return { text: hasTooManyTags(input) || nestsDeeply(input) ? withoutTags(input) : convert(input).trim(), cut };
}

/** Counted wherever they stand, in comments and attributes too: no trick of syntax hides one, as it can from `nestsDeeply`. */
function hasTooManyTags(html: string): boolean {
  let tags = 0;
  for (const _ of html.matchAll(/<[a-zA-Z/]/g)) if (++tags > maxTags) return true;
  return false;
}

const flat = new Set(
  (
    "area base br col embed hr img input link meta param source track wbr " +
    "p li dt dd option optgroup tr td th thead tbody tfoot rt rp"
  ).split(" "),
);

/** Void elements, and those that the next sibling closes, do not nest, however sloppy the markup. */
function nestsDeeply(html: string): boolean {
  let depth = 0;
  for (const [, slash, name = ""] of html.matchAll(/<(\/?)([a-zA-Z][a-zA-Z0-9:-]{0,30})/g)) {
    if (flat.has(name.toLowerCase())) continue;
    depth = slash === "/" ? Math.max(0, depth - 1) : depth + 1;
    if (depth > maxDepth) return true;
  }
  return false;
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/** For html that no parser should be given: every tag is a gap, scripts and styles are left out, the common entities are read. */
function withoutTags(html: string): string {
  return withoutElements(html)
    .replace(/<[^<>]*>/g, " ")
    .replace(/&(?:(amp|lt|gt|quot|apos|nbsp)|#(\d{1,7})|#x([0-9a-f]{1,6}));/gi, (whole, name, decimal, hex) =>
      name === undefined ? character(decimal, hex, whole) : (entities[String(name).toLowerCase()] ?? " "),
    )
    .replace(/\s+/g, (blanks) => (blanks.includes("\n") ? "\n" : " "))
    .trim();
}

function character(decimal: string | undefined, hex: string | undefined, whole: string): string {
  const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number.parseInt(decimal, 10);
  // Controls and halves of characters stay as they were written.
  return code < 0x20 || (code > 0xd7ff && code < 0xe000) || code > 0x10ffff ? whole : String.fromCodePoint(code);
}

/** One pass: an element that is never closed takes the rest, as it does in a browser. */
function withoutElements(html: string): string {
  let kept = "";
  let from = 0;
  for (const { index, 0: open, 1: name = "" } of html.matchAll(/<(script|style|title)\b/gi)) {
    if (index < from) continue;
    kept += html.slice(from, index);
    const close = new RegExp(`</${name}`, "gi");
    close.lastIndex = index + open.length;
    from = close.exec(html)?.index ?? html.length;
  }
  return kept + html.slice(from);
}
