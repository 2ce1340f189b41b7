/** What the header of one part says about it, read from its raw bytes. */
import { type RawField, unfold } from "./header.ts";
import { decodedParameter, firstToken, type Parameters, parameters } from "./parameters.ts";
import { type TransferEncoding, transferEncoding } from "./transfer.ts";
import { clean, decodeWords } from "./words.ts";

export interface PartHead {
  /** In lower case, what the part is treated as: RFC 2045 §5.2 where nothing, or nothing valid, is declared. */
  readonly type: string;
  /** As declared, in lower case; null where there is no Content-Type. */
  readonly declared: string | null;
  readonly params: ReadonlyMap<string, string>;
  readonly charset: string | null;
  readonly flowed: boolean;
  readonly delSp: boolean;
  readonly encoding: TransferEncoding;
  readonly disposition: "attachment" | "inline" | null;
  /** As sent, decoded; not yet safe to use as a label. */
  readonly filename: string | null;
  readonly contentId: string | null;
  readonly description: string | null;
  /** Codes. */
  readonly anomalies: readonly string[];
}

const maxChars = 1000;
const nothing: Parameters = { value: "", params: new Map() };

/** `implied` is the type of a part that declares none: message/rfc822 in a digest (RFC 2046 §5.1.5). */
export function partHead(fields: readonly RawField[], implied = "text/plain"): PartHead {
  const anomalies: string[] = [];
  const first = new Map<string, string>();
  for (const { key, raw } of fields) {
    // Of several dispositions the first that is one counts: which of them another reader takes is anybody's guess.
    if (key === "content-disposition") {
      if (first.has(key)) anomalies.push("duplicate_content_disposition");
      if (first.has(key) && isDisposition(first.get(key) ?? "")) continue;
      first.set(key, unfold(raw));
    } else if (!first.has(key) && key.startsWith("content-")) {
      first.set(key, unfold(raw));
    }
  }
  const read = (key: string): Parameters => {
    const value = first.get(key);
    return value === undefined ? nothing : parameters(separated(value));
  };
  const { value: declared, params } = read("content-type");
  const disposition = read("content-disposition");
  const name = filenameOf(disposition.params, params);
  if (name?.guessed === true) anomalies.push("charset_guess");
  const type = validType(declared) ?? implied;
  const flowed = type === "text/plain" && params.get("format")?.toLowerCase() === "flowed";
  return {
    type,
    declared: first.has("content-type") ? own(clean(declared), 200) : null,
    params,
    charset: params.get("charset")?.slice(0, 100) || null,
    flowed,
    delSp: flowed && params.get("delsp")?.toLowerCase() === "yes",
    encoding: transferEncoding(firstToken(first.get("content-transfer-encoding") ?? "")),
    disposition: dispositionOf(disposition.value),
    filename: name === undefined || name.text === "" ? null : own(name.text, 10_000),
    contentId: ownOrNull((first.get("content-id") ?? "").replace(/^[<\s]+|[>\s]+$/g, "")),
    description: ownOrNull(decodeWords((first.get("content-description") ?? "").slice(0, 4000)).text),
    anomalies,
  };
}

/**
 * `text/html charset=utf-8`, `text/html, charset=utf-8` and `inline filename=a.png`, as scripts write it: what would be no type, and so plain text
 * full of tags, or a file without its name.
 */
const separated = (value: string): string =>
  value.replace(/^(\s*[^\s;,=]+)(?:\s*,\s*|\s+)(?=[a-z-]+[*\d]*\s*=)/i, "$1; ");

const filenameOf = (disposition: Parameters["params"], type: Parameters["params"]) =>
  decodedParameter(disposition, "filename") ?? decodedParameter(type, "name") ?? decodedParameter(type, "filename");

const isDisposition = (value: string): boolean => /^(?:attachment|inline)$/.test(firstToken(value));

/** RFC 2183 §2.8: a disposition that is not known is an attachment. */
function dispositionOf(value: string): PartHead["disposition"] {
  if (value === "inline" || value === "") return value === "" ? null : value;
  return "attachment";
}

/** RFC 2045 §5.2: what is no type is plain text, which is what "text", "plain" and "text/" mean, too. */
function validType(value: string): string | undefined {
  if (/^[a-z0-9!#$&^_.+-]{1,100}\/[a-z0-9!#$&^_.+-]{1,100}$/.test(value)) return own(value, 200);
  return value === "html" ? "text/html" : undefined;
}

/** A copy: a slice would keep the whole header in memory as long as the event lives. */
const own = (text: string, most: number): string => Buffer.from(text.slice(0, most)).toString();

function ownOrNull(text: string): string | null {
  const plain = own(clean(text.slice(0, 4 * maxChars)).slice(0, maxChars), maxChars);
  return plain === "" ? null : plain;
}
