/** Bytes into facts: MIME structure and decoding by mailparser, everything that headers say by our own reading of them. */
import { type AttachmentStream, MailParser, type StructuredHeader } from "mailparser";
import type { Attachment, ParsedMessage } from "../model/event.ts";
import type { BodyPart } from "./body.ts";
import { safeFilename } from "./filename.ts";
import { type Guard, openGuard } from "./guard.ts";
import { collectHead, type Head } from "./head.ts";
import { type RawField, readHeader, unfold } from "./header.ts";
import { parsingLines } from "./line-ends.ts";
import { Anomalies } from "./message.ts";
import { parameters } from "./parameters.ts";
import { complete, degraded, maxAttachments, type Parts } from "./parsed.ts";
import { plainText } from "./plain.ts";
import { isPeeked, type Peek } from "./structure.ts";
import { clean } from "./words.ts";

/** Encoded bytes of all text parts that are read; three times what the event keeps, because quoted-printable can treble them. */
const maxTextBytes = 9 * 1024 * 1024;
/** Enough of a calendar for its METHOD, and of a delivery status for all its recipients. */
const maxPeekBytes = 256 * 1024;
const headersOnlyBytes = 256 * 1024;
const maxPlainBytes = 1024 * 1024;
/** The fields that make the structure; mailparser gets no others, since we read the others better and faster. */
const structural = new Set([
  "content-type",
  "content-transfer-encoding",
  "content-disposition",
  "content-id",
  "mime-version",
]);

/** What mailparser 3.14.2 keeps of each part; its types leave it out. test/mail/parse.test.ts holds it to this. */
interface ParserNode {
  readonly contentType: string | false;
  readonly isAttachment?: boolean;
  readonly textContent?: string;
  readonly children: readonly ParserNode[];
}
interface ParserChunk {
  readonly type: string;
  readonly value?: Uint8Array;
}
interface ParserInside {
  readonly tree: ParserNode | false;
  readonly curnode: ParserNode | false;
  processChunk(chunk: ParserChunk, done: (error?: Error) => void): void;
}
const Inside = MailParser as unknown as new (options: object) => MailParser & ParserInside;

/** mailparser, but the text of a part is bounded while it streams, and the body is chosen by us. */
class BoundedParser extends Inside {
  textBytes = 0;

  override processChunk(chunk: ParserChunk, done: (error?: Error) => void): void {
    if (chunk.type === "body" && this.curnode !== false && this.curnode.isAttachment === false) {
      this.textBytes += chunk.value?.length ?? 0;
      if (this.textBytes > maxTextBytes) {
        setImmediate(done);
        return;
      }
    }
    super.processChunk(chunk, done);
  }

  /** Called by mailparser at the end; what it would make of the parts is not used. */
  getTextContent(): object {
    return { type: "text" };
  }
}

const options = {
  keepDeliveryStatus: true,
  ignoreEmbedded: true,
  skipTextToHtml: true,
  skipHtmlToText: true,
  skipTextLinks: true,
  skipImageLinks: true,
  checksumAlgo: "sha256",
};

/**
 * Never rejects for what the bytes are: what cannot be parsed gives the headers, with `parse_status` failed and the reason.
 * Rejects when reading `raw` does. Memory is bounded by what an event may hold; attachments are hashed, never kept. Feed whole
 * chunks of a file or a pipe: mailparser is quadratic on chunks of a few bytes.
 */
export async function parse(input: AsyncIterable<Uint8Array> | Uint8Array): Promise<ParsedMessage> {
  const { raw, bareCr } = parsingLines(input);
  const head = collectHead();
  const guard = openGuard();
  let reading: Reading | undefined;
  let refused: string | undefined;
  const begin = (): Reading => {
    reading ??= beginParts(headOf(head.head(), bareCr()));
    return reading;
  };
  const take = (bytes: Uint8Array | undefined): Promise<void> | undefined => {
    if (bytes === undefined) return undefined;
    refused ??= head.head()?.whole === false ? "the header section is larger than 1 MiB" : guard.update(bytes);
    return refused === undefined ? begin().write(bytes) : undefined;
  };
  if (raw instanceof Uint8Array) {
    const body = head.push(raw) ?? head.end() ?? new Uint8Array(0);
    const plain = plainMessage(head.head(), bareCr(), body, guard);
    if (plain !== undefined) return plain;
    await take(body);
  } else {
    for await (const chunk of raw) {
      await take(head.push(chunk));
      if (refused !== undefined) break;
    }
  }
  await take(head.end());
  const { fields, anomalies, parts } = begin();
  if (refused !== undefined) {
    reading?.abandon();
    return degraded(fields, refused);
  }
  const found = await parts();
  return found instanceof Error ? degraded(fields, found.message) : complete(fields, found, anomalies);
}

/** The short way for what needs no MIME parser. */
function plainMessage(
  head: Head | undefined,
  bareCr: boolean,
  body: Uint8Array,
  guard: Guard,
): ParsedMessage | undefined {
  if (head === undefined || !head.whole || body.length > maxPlainBytes) return undefined;
  const { fields, anomalies } = headOf(head, bareCr);
  const text = plainText(fields, body);
  if (text === undefined || guard.update(body) !== undefined) return undefined;
  const root: BodyPart = { contentType: "text/plain", text, children: [] };
  return complete(fields, { root, attachments: [], peeks: [], textCut: false }, anomalies);
}

function headOf(head: Head | undefined, bareCr: boolean): { fields: readonly RawField[]; anomalies: Anomalies } {
  const anomalies = new Anomalies();
  const read = readHeader(head?.section ?? "");
  if (bareCr) anomalies.add("bare_cr");
  if (head?.leadingBlank === true) anomalies.add("leading_blank");
  for (const code of read.anomalies) anomalies.add(code);
  return { fields: read.fields, anomalies };
}

/** The degraded event, from the first 256 KiB: for what the parser rejects, and for what it died of. Never rejects for the bytes. */
export async function headersOnly(
  input: AsyncIterable<Uint8Array> | Uint8Array,
  reason = "not parsed",
): Promise<ParsedMessage> {
  const { raw } = parsingLines(input);
  const head = collectHead(headersOnlyBytes);
  if (raw instanceof Uint8Array) {
    head.push(raw);
  } else {
    for await (const chunk of raw) {
      head.push(chunk);
      if (head.head() !== undefined) break;
    }
  }
  head.end();
  return degraded(readHeader(head.head()?.section ?? "").fields, reason);
}

interface Reading {
  readonly fields: readonly RawField[];
  readonly anomalies: Anomalies;
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** All parts, or why there are none. */
  parts(): Promise<Parts | Error>;
  abandon(): void;
}

function beginParts({ fields, anomalies }: ReturnType<typeof headOf>): Reading {
  const stream = new BoundedParser(options);
  const collected = collectParts(stream);
  /** Goes with the first bytes of the body: each write costs mailparser a turn of the event loop. */
  let header: Buffer | undefined = Buffer.from(structuralHeader(fields, anomalies), "latin1");
  return {
    fields,
    anomalies,
    write(bytes) {
      if (bytes.length === 0 || stream.destroyed) return undefined;
      const next = header === undefined ? bytes : Buffer.concat([header, bytes]);
      header = undefined;
      if (stream.write(next)) return undefined;
      return new Promise((resolve) => {
        const go = () => {
          stream.off("drain", go).off("close", go).off("error", go);
          resolve();
        };
        stream.on("drain", go).on("close", go).on("error", go);
      });
    },
    parts() {
      if (!stream.destroyed) stream.end(header);
      return collected;
    },
    abandon: () => stream.destroy(),
  };
}

/** What mailparser is told of the outermost part. A multipart without a usable boundary is text: mailparser would show nothing. */
function structuralHeader(fields: readonly RawField[], anomalies: Anomalies): string {
  let lines = "";
  let typed = false;
  for (const { name, key, raw } of fields) {
    if (!structural.has(key)) continue;
    if (key === "content-type" && !typed) {
      typed = true;
      const { value, params } = parameters(unfold(raw));
      const boundary = params.get("boundary") ?? "";
      // RFC 2231 continuations (boundary*0=) are mailparser's to put together.
      if (value.startsWith("multipart/") && !/^[\x21-\x7e][\x20-\x7e]*$/.test(boundary) && !/boundary\*/i.test(raw)) {
        anomalies.add("no_boundary");
        lines += "Content-Type: text/plain\r\n";
        continue;
      }
    }
    lines += `${name}:${raw}\r\n`;
  }
  return `${lines}\r\n`;
}

function collectParts(stream: BoundedParser): Promise<Parts | Error> {
  return new Promise((resolve) => {
    const attachments: Attachment[] = [];
    const peeks: Peek[] = [];
    const fail = (error: Error): void => {
      resolve(error);
      stream.destroy();
    };
    stream.on("data", (data) => {
      if (data.type !== "attachment") return;
      receiveAttachment(data, fail, (attachment, peek) => {
        if (attachments.length < maxAttachments) attachments.push(attachment);
        if (peek !== undefined) peeks.push(peek);
      });
    });
    stream.on("error", fail);
    stream.on("end", () => {
      const root = stream.tree === false ? undefined : bodyPart(stream.tree);
      resolve({ root, attachments, peeks, textCut: stream.textBytes > maxTextBytes });
    });
  });
}

function bodyPart(node: ParserNode): BodyPart {
  const isText = node.isAttachment === false && node.textContent !== undefined;
  return {
    contentType: node.contentType === false ? "text/plain" : node.contentType,
    text: isText ? (node.textContent ?? null) : null,
    children: node.children.map(bodyPart),
  };
}

/** Reads the content to its end for its hash and size, keeps the beginning where that says what the message is. */
function receiveAttachment(
  stream: AttachmentStream,
  fail: (error: Error) => void,
  done: (attachment: Attachment, peek: Peek | undefined) => void,
): void {
  const contentType = declaredType(stream);
  const wanted = isPeeked(contentType);
  const kept: Buffer[] = [];
  let room = wanted ? maxPeekBytes : 0;
  stream.content.on("data", (chunk: Buffer) => {
    if (room <= 0) return;
    kept.push(chunk.subarray(0, room));
    room -= chunk.length;
  });
  stream.content.on("error", fail);
  stream.content.on("end", () => {
    const original = stream.filename === undefined ? null : clean(stream.filename).slice(0, 1000);
    const filename = safeFilename(stream.filename ?? "") ?? "attachment";
    const disposition = stream.contentDisposition?.toLowerCase();
    const contentId = clean(stream.cid ?? "").slice(0, 1000);
    done(
      {
        filename,
        filename_original: stream.filename === filename ? null : original,
        content_type: contentType,
        size: stream.size ?? 0,
        content_id: contentId === "" ? null : contentId,
        sha256: stream.checksum ?? "",
        disposition: disposition === "attachment" || disposition === "inline" ? disposition : null,
        part_id: stream.partId ?? "",
        detected_type: null,
        related: stream.related === true,
        referenced: false,
        inline: disposition === "inline",
        description: null,
        nested_message_id: null,
        nested: null,
        from_tnef: false,
        transfer_decoded: null,
        encrypted: false,
      },
      wanted ? { contentType, method: methodOf(stream), bytes: Buffer.concat(kept) } : undefined,
    );
    stream.release?.();
  });
}

/** mailparser takes the type from the file name where the part says application/octet-stream; the event says what was declared. */
function declaredType(stream: AttachmentStream): string {
  const declared = typeHeader(stream)?.value ?? "";
  const type = clean(declared || stream.contentType || "").toLowerCase();
  return type === "" ? "application/octet-stream" : type.slice(0, 200);
}

function methodOf(stream: AttachmentStream): string | null {
  return typeHeader(stream)?.params.method ?? null;
}

function typeHeader(stream: AttachmentStream): StructuredHeader | undefined {
  const header = stream.headers.get("content-type");
  return typeof header === "object" && "params" in header ? (header as StructuredHeader) : undefined;
}
