/** What a download says of itself, and which part of a file a request wants: pure. */

/**
 * A file is never shown by the browser: what is not sure to be harmless is bytes (facts: html and svg only as a download). By what its content
 * is, never by what its sender says.
 */
const harmless =
  /^(?:image\/(?:png|jpeg|gif|webp|bmp|tiff|heic|avif)|audio\/[\w.+-]{1,60}|video\/[\w.+-]{1,60}|application\/(?:pdf|zip|gzip|x-7z-compressed|x-tar|vnd\.openxmlformats-officedocument\.(?:wordprocessingml\.document|spreadsheetml\.sheet|presentationml\.presentation)|vnd\.oasis\.opendocument\.(?:text|spreadsheet|presentation)|epub\+zip))$/;

export const contentTypeOf = (detected: string | null): string =>
  detected !== null && harmless.test(detected) ? detected : "application/octet-stream";

const mostNameChars = 180;

/**
 * RFC 6266 §4.3: `filename` for what knows nothing else, in plain ASCII, and `filename*` (RFC 8187) for the rest. Neither can hold what would
 * end it: the name is hostile.
 */
export function dispositionOf(filename: string): string {
  const name = labelOf(filename);
  const ascii = name.replace(/[^ -~]|["\\%]/gu, "_");
  const extended = [...Buffer.from(name, "utf8")].map(encoded).join("");
  return `attachment; filename="${ascii}"; filename*=UTF-8''${extended}`;
}

/** RFC 8187 §3.2.1: attr-char as it is, all else by its bytes. */
const encoded = (byte: number): string => {
  const char = String.fromCharCode(byte);
  return /[A-Za-z0-9!#$&+.^_`|~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
};

/** A label and never a path, whatever comes in; its extension stays where it has one. */
export function labelOf(filename: string): string {
  const clean = filename
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is taken out
    .replace(/[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, "")
    .replace(/[/\\:*?"<>|]/g, "_")
    .replace(/^[\s.]+|[\s.]+$/g, "");
  if (clean === "") return "file";
  const chars = [...clean];
  if (chars.length <= mostNameChars) return clean;
  const extension = /\.[A-Za-z0-9]{1,12}$/.exec(clean)?.[0] ?? "";
  return chars.slice(0, mostNameChars - extension.length).join("") + extension;
}

export interface Range {
  readonly start: number;
  /** Included. */
  readonly end: number;
}

/**
 * RFC 9110 §14.2: the one range that is asked for; undefined for the whole file, also where several are asked for or none can be understood.
 * `if_range`: another file than the one that was begun is sent whole (§13.1.5); a date is no sure sign.
 */
export function rangeOf(
  { range, if_range }: { readonly range: string | undefined; readonly if_range: string | undefined },
  size: number,
  etag: string,
): Range | "unsatisfiable" | undefined {
  if (range === undefined || (if_range !== undefined && if_range !== etag)) return undefined;
  const found = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(range);
  if (found === null) return undefined;
  const [first = "", last = ""] = found.slice(1);
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size - 1 : Math.min(Number(last), size - 1) };
}
