/** What a file's extension and its declared type say that it is, and which content makes that a lie worth stopping. */
import type { Content } from "./contents.ts";

type Claim = "image" | "media" | "pdf" | "office" | "archive" | "page" | "text";

const families: readonly (readonly [Claim, RegExp, RegExp])[] = [
  ["image", /^(?:jpe?g|jpe|jfif|png|gif|bmp|tiff?|webp|heic|heif|avif|ico)$/, /^image\/(?!svg)/],
  ["media", /^(?:mp3|mp4|m4a|m4v|mov|avi|mkv|webm|wav|ogg|oga|ogv|flac|aac|wma|wmv|amr|mpe?g)$/, /^(?:audio|video)\//],
  ["pdf", /^pdf$/, /^application\/(?:x-)?pdf$/],
  [
    "office",
    /^(?:doc|docx|docm|dot|dotx|dotm|xls|xlsx|xlsm|xlsb|xlt|xltx|xltm|xlam|ppt|pptx|pptm|pps|ppsx|ppsm|pot|potx|potm|odt|ods|odp|odg|rtf)$/,
    /^application\/(?:msword|vnd\.ms-(?:excel|powerpoint|word)|vnd\.openxmlformats-officedocument|vnd\.oasis\.opendocument|rtf)/,
  ],
  [
    "archive",
    /^(?:zipx?|7z|rar|r\d\d|gz|tgz|taz|tar|tbz2?|bz2|txz|xz|tzst|zst|lzma|lz|lz4|z|cab|arj|lzh|lha|ace|cpio|cpgz|zoo|alz|egg|sitx?|uue?|xxe)$/,
    /^application\/(?:x-)?(?:zip|7z-compressed|rar|vnd\.rar|gzip|tar|bzip2|zip-compressed)$/,
  ],
  ["page", /^(?:html?|xhtml?|xht|shtml|mhtml?|mht)$/, /^(?:text\/html|application\/xhtml\+xml)$/],
  ["text", /^(?:txt|csv|log|md|json|xml|ya?ml|ics|vcf|eml)$/, /^text\/(?!html)/],
];

const active = /<(?:script|iframe|object|embed|form|meta\s+http-equiv)[\s>/]|javascript:/i;

export interface Claims {
  /** It says that it is a page. */
  readonly page: boolean;
  /** In words; undefined where nothing is wrong with it. `text`: its beginning, read as text. */
  contradictedBy(content: Content, text: string): string | undefined;
}

export function claimsOf(extension: string, type: string): Claims {
  const byName = families.find(([, pattern]) => pattern.test(extension))?.[0];
  const byType = families.find(([, , pattern]) => pattern.test(type))?.[0];
  const claims = [byName, byType].filter((claim) => claim !== undefined);
  return {
    page: byName === "page" || byType === "page",
    contradictedBy(content, text) {
      // Many programs declare a document as something else; whoever opens it goes by its name.
      if (byName === content.family) return undefined;
      const claim = claims.find((one) => isLie(one, content, text)) ?? hiddenIn(extension, content, text);
      return claim === undefined ? undefined : `${wordFor(content)}, not ${claim}`;
    },
  };
}

/** Programs, scripts and macros are found whatever they are called; this is about what is harmless under its own name only. */
function isLie(claim: Claim, { family }: Content, text: string): boolean {
  switch (family) {
    case "html":
      if (claim === "image" || claim === "media" || claim === "pdf" || claim === "archive") return true;
      // Many programs call a table in html a spreadsheet; a form or a script in it is none of theirs.
      return claim === "office" && active.test(text);
    case "svg":
      return claim === "pdf" || claim === "office" || claim === "archive" || claim === "media" || claim === "image";
    // Both may run something when they are opened, and a picture or a film is opened without a thought.
    case "pdf":
      return claim !== "pdf" && claim !== "text";
    case "ole":
      return claim === "image" || claim === "media" || claim === "pdf" || claim === "page";
    case "zip":
    case "gzip":
    case "tar":
    case "unlisted":
      return claim === "image" || claim === "media" || claim === "pdf";
    case "starts":
      return claim !== "archive";
    default:
      return false;
  }
}

const packages = /^(?:(?:do[ct]|xl[st]|pp[ts]|pot)[xm]|xlsb|xlam|od[tspg])$/;
const holding: ReadonlySet<string> = new Set(["zip", "gzip", "tar", "unlisted", "starts"]);

/**
 * What is named as an archive and begins as none: some programs find one behind what stands in front of it, or know a kind that is not known here.
 * Undefined where there is nothing of that.
 */
export function hiddenIn(extension: string, { family }: Content, text: string): Claim | undefined {
  if (text === "") return undefined;
  if (families.find(([, pattern]) => pattern.test(extension))?.[0] === "archive" && !holding.has(family))
    return "archive";
  return packages.test(extension) && (family === "plain" || family === "text") ? "office" : undefined;
}

const wordFor = ({ family, what }: Content): string =>
  family === "html" ? "a web page" : family === "svg" ? "an SVG drawing" : (what ?? family);
