/** The list of a mail's files in the text of a logged mail: how it is written, and how it is found again to say what became of them. Pure. */
import type { Filed } from "../../model/step.ts";
import { count, escaped, shortLine, storable } from "./text.ts";

/** As many as a person reads; the activity is no file manager. */
const maxListed = 20;
/** Half of what the shorter of the two bodies may have in all (text.ts), so that there is always room for the mail itself. */
const maxChars = 14_000;
const maxUrlChars = 600;

/** Plain text, and the same as HTML. */
export type Form = "text" | "html";

interface Line {
  readonly words: string;
  readonly url: string | null;
}

function lineOf({ filename, content_type, size, status, reason, url }: Filed): Line {
  const what = `${shortLine(filename ?? "unnamed")} (${shortLine(content_type)}, ${count(size)} bytes)`;
  const link = url == null || url.length > maxUrlChars ? null : storable(url);
  const because = reason == null ? "" : `: ${clauseOf(shortLine(reason))}`;
  switch (status) {
    case undefined:
      return { words: what, url: null };
    case "stored":
      return { words: link === null ? what : `${what}: `, url: link };
    case "checking":
      return { words: `${what}: being checked${link === null ? "" : ": "}`, url: link };
    case "quarantined":
      return { words: `${what}: quarantined${because}`, url: null };
    case "stripped":
      return { words: `${what}: taken out${because}`, url: null };
    case "refused":
      return { words: `${what}: not kept${because}`, url: null };
    case "dropped":
      return { words: `${what}: dropped by a person`, url: null };
    case "removed":
      return { words: `${what}: removed after its time`, url: null };
    default:
      return status satisfies never;
  }
}

/** `It holds macros.` as the end of a line: `it holds macros`. */
const clauseOf = (sentence: string): string =>
  sentence.replace(/\.$/, "").replace(/^(?:It|The|A)(?= )/, (word) => word.toLowerCase());

function written({ words, url }: Line, form: Form): string {
  if (form === "text") return words + (url ?? "");
  return escaped(words) + (url === null ? "" : `<a href="${escaped(url)}">${escaped(url)}</a>`);
}

function block(files: readonly Filed[], listed: number, form: Form): string {
  const lines = files.slice(0, listed).map((file) => written(lineOf(file), form));
  const more = files.length - listed;
  if (more > 0) lines.push(listed === 0 ? `${count(more)} files` : `and ${count(more)} more`);
  return form === "text" ? ["Attachments:", ...lines].join("\n") : `<p>${["Attachments:", ...lines].join("<br>")}</p>`;
}

/** Whole if it can be, else with fewer files, within `room` characters where that is possible at all; undefined where there is none. */
export function attachmentBlock(files: readonly Filed[], form: Form, room = maxChars): string | undefined {
  if (files.length === 0) return undefined;
  let listed = Math.min(files.length, maxListed);
  while (listed > 0 && block(files, listed, form).length > Math.min(room, maxChars)) listed--;
  return block(files, listed, form);
}

/** What emails said of their files before these had ids and links: one line. */
function formerBlock(files: readonly Filed[], form: Form): string {
  const listed = files
    .slice(0, maxListed)
    .map((file) => lineOf({ ...file, status: undefined }).words)
    .join(", ");
  const more = files.length - Math.min(files.length, maxListed);
  const line = `Attachments: ${listed}${more > 0 ? `, and ${more} more` : ""}`;
  return form === "text" ? line : `<p>${escaped(line)}</p>`;
}

/** Every way in which this list may have been written. */
function blocksOf(files: readonly Filed[], form: Form): string[] {
  if (files.length === 0) return [];
  const fewest = Math.min(files.length, maxListed);
  const blocks = Array.from({ length: fewest + 1 }, (_, less) => block(files, fewest - less, form));
  return files.some(({ id }) => id !== undefined) ? blocks : [...blocks, formerBlock(files, form)];
}

export type Brought =
  /** It says so already. */
  | { readonly kind: "there" }
  | { readonly kind: "changed"; readonly body: string }
  /** None of the lists that we may have written is in it: somebody changed them. */
  | { readonly kind: "foreign" };

/** A body that lists `was` (one of them) made to list `files`, within `limit` characters where it is not longer already. */
export function brought(
  body: string,
  { files, was }: { readonly files: readonly Filed[]; readonly was: readonly (readonly Filed[])[] },
  form: Form,
  limit: number,
): Brought {
  const wanted = blocksOf(files, form);
  if (wanted.some((text) => placeOf(body, text, form) !== undefined)) return { kind: "there" };
  for (const text of was.flatMap((list) => blocksOf(list, form))) {
    const place = placeOf(body, text, form);
    if (place === undefined) continue;
    const rest = body.length - (place.end - place.start);
    const fresh = attachmentBlock(files, form, Math.max(limit, body.length) - rest) ?? "";
    return { kind: "changed", body: body.slice(0, place.start) + fresh + body.slice(place.end) };
  }
  // A mapping that wants no files listed any more: their lines are not there.
  return { kind: files.length === 0 ? "there" : "foreign" };
}

interface Place {
  readonly start: number;
  readonly end: number;
}

/** The last one: further up it is quoted, or written by the sender. */
function placeOf(body: string, wanted: string, form: Form): Place | undefined {
  return form === "text" ? textPlace(body, wanted) : markupPlace(body, wanted);
}

/** Whole lines, whichever line ends came back. */
function textPlace(body: string, wanted: string): Place | undefined {
  for (const text of [wanted, wanted.replaceAll("\n", "\r\n")]) {
    for (
      let start = body.lastIndexOf(text);
      start !== -1;
      start = start === 0 ? -1 : body.lastIndexOf(text, start - 1)
    ) {
      const end = start + text.length;
      const isWhole =
        (start === 0 || body[start - 1] === "\n") && (end === body.length || /[\r\n]/.test(body[end] ?? ""));
      if (isWhole) return { start, end };
    }
  }
  return undefined;
}

/** HubSpot cleans HTML: attributes may have been added to our tags, and characters spelled another way. The words are what counts. */
function markupPlace(body: string, wanted: string): Place | undefined {
  const pattern = wanted
    .split(/(<[^<>]*>|&(?:amp|lt|gt|quot|#39);)/)
    .map((piece) => spellings.get(piece) ?? (piece.startsWith("<a ") ? linkTag(piece) : literal(piece)))
    .join("");
  let last: Place | undefined;
  for (const { index, 0: found } of body.matchAll(new RegExp(pattern, "g"))) {
    last = { start: index, end: index + found.length };
  }
  return last;
}

const spellings: ReadonlyMap<string, string> = new Map([
  ["<p>", "<p(?:\\s[^<>]{0,500})?>\\s{0,9}"],
  ["</p>", "\\s{0,9}</p>"],
  ["<br>", "\\s{0,9}<br\\s{0,9}/?>\\s{0,9}"],
  ["&amp;", "(?:&amp;|&)"],
  ["&lt;", "&lt;"],
  ["&gt;", "(?:&gt;|>)"],
  ["&quot;", '(?:&quot;|&#34;|")'],
  ["&#39;", "(?:&#39;|&#x27;|&apos;|')"],
]);

/** Where it leads has to be ours; what else stands in the tag does not matter. */
function linkTag(tag: string): string {
  const url = /href="([^"]*)"/.exec(tag)?.[1] ?? "";
  const spelled = url.split("&amp;").map(literal).join("(?:&amp;|&)");
  return `<a\\s(?:[^<>]{0,500}\\s)?href=["']${spelled}["'][^<>]{0,500}>`;
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
