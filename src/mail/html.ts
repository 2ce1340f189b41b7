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
    // Preview lines that are there for the list of messages, not for the reader.
    { selector: '[style*="display:none"]', format: "skip" },
    { selector: '[style*="display: none"]', format: "skip" },
    { selector: "[hidden]", format: "skip" },
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

/** For html that no parser should be given: every tag is a gap, the common entities are read. */
function withoutTags(html: string): string {
  return html
    .replace(/<[^<>]*>/g, " ")
    .replace(/&(amp|lt|gt|quot|apos|nbsp);/g, (_, name: string) => entities[name] ?? " ")
    .replace(/\s+/g, (blanks) => (blanks.includes("\n") ? "\n" : " "))
    .trim();
}
