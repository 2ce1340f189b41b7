/** Bytes into facts: the MIME tree by mailparser, everything that headers and parts say by our own reading of them. */
import { MailParser } from "mailparser";
import type { ParsedMessage } from "../model/event.ts";
import { typesOf } from "./attachments.ts";
import { declaredBoundary, guessedBoundary, maxGuessBytes } from "./boundary.ts";
import { calendarsOf } from "./calendar.ts";
import { type Collected, type CollectOptions, Collector, type Inside, maxParts } from "./collect.ts";
import { findDelimiters, type SplitChunk, type SplitNode, type Splitter } from "./delimiter.ts";
import { openGuard } from "./guard.ts";
import { collectHead, type Head } from "./head.ts";
import { type RawField, readHeader, splitHeader } from "./header.ts";
import { lookInside } from "./inside.ts";
import { parsingLines } from "./line-ends.ts";
import { nestedMessage } from "./nested.ts";
import { complete, degraded } from "./parsed.ts";
import { type PartHead, partHead } from "./part.ts";
import { splitWhole, type WholeBody } from "./split.ts";
import type { Part } from "./tree.ts";

const headersOnlyBytes = 256 * 1024;
/** Of the header of one part; mailparser itself allows it a mebibyte. */
const maxPartHeaderBytes = 64 * 1024;

/** test/mail/parse.test.ts holds mailparser 3.14.2 to this. */
interface ParserInside {
  /** Where the chunks come from. */
  readonly splitter: Splitter;
  processChunk(chunk: SplitChunk, done: (error?: Error) => void): void;
}
const Splitting = MailParser as unknown as new (options: object) => MailParser & ParserInside;

/** mailparser, as far as it splits a message into parts: decoding, choosing and keeping are ours. */
class TreeParser extends Splitting {
  readonly #collector: Collector;
  readonly #fields: readonly RawField[];
  readonly #parts = new WeakMap<SplitNode, Part | undefined>();
  #busy: Promise<void> | undefined;

  constructor(fields: readonly RawField[], collector: Collector) {
    // An embedded message stays one part. One part more than is read, so that the last that is read has ended when it gives up.
    super({ ignoreEmbedded: true, keepDeliveryStatus: true, maxChildNodes: maxParts + 1 });
    this.#fields = fields;
    this.#collector = collector;
    findDelimiters(this.splitter);
  }

  override processChunk(chunk: SplitChunk, done: (error?: Error) => void): void {
    try {
      this.#busy = this.#take(chunk);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (this.#busy === undefined) done();
    else this.#busy.then(() => done(), done);
  }

  /** What was split before the parser failed, so that the parts before the fault are there however the bytes were cut. */
  async takeRest(): Promise<void> {
    await this.#busy;
    for (let chunk = this.splitter.read(); chunk !== null; chunk = this.splitter.read()) await this.#take(chunk);
  }

  /** Called by mailparser at the end; what it would make of the parts is not used. */
  getTextContent(): object {
    return { type: "text" };
  }

  #take(chunk: SplitChunk): Promise<void> | undefined {
    if (chunk.type !== "node") return this.#collector.push(this.#parts.get(chunk.node), chunk.value ?? nothing);
    const closed = this.#collector.close();
    if (closed === undefined) return this.#open(chunk);
    return closed.then(() => this.#open(chunk));
  }

  #open(node: SplitNode): Promise<void> | undefined {
    const parent = node.parentNode === false ? undefined : this.#parts.get(node.parentNode);
    // Below a part that was one too many.
    if (node.parentNode !== false && parent === undefined) return undefined;
    const { fields, raw } = node.parentNode === false ? { fields: this.#fields, raw: nothing } : headOf(node);
    const part = this.#collector.part(fields, parent, node._boundary !== false);
    this.#parts.set(node, part);
    // A part without a header, and without the empty line that says so (RFC 2046 §5.1): what stands there is its text.
    if (part === undefined || fields.length > 0 || raw.every((byte) => byte <= 0x20)) return undefined;
    this.#collector.note("bad_header_end");
    return this.#collector.push(part, raw);
  }
}

const nothing = new Uint8Array(0);

function headOf({ headers }: SplitNode): { readonly fields: readonly RawField[]; readonly raw: Uint8Array } {
  if (headers === false) return { fields: [], raw: nothing };
  const raw = headers.headers;
  // Parents live as long as their children: five hundred levels with a mebibyte of header each would stay in memory.
  headers.headers = false;
  headers.lines = [];
  if (!(raw instanceof Buffer)) return { fields: [], raw: nothing };
  return { fields: splitHeader(raw.toString("latin1", 0, maxPartHeaderBytes)), raw };
}

/** Takes the body of a message of which the header is known. */
interface Body {
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** Resolves when all is collected; rejects for a defect. */
  end(stopped: string | undefined): Promise<void>;
}

/** A message of one part needs no splitting: more than half of what people write. */
function singlePart(fields: readonly RawField[], collector: Collector): Body {
  const part = collector.part(fields, undefined, false);
  return {
    write: (bytes) => collector.push(part, bytes),
    end: async (stopped) => (stopped === undefined ? collector.close() : collector.cut("parse_cut", stopped)),
  };
}

function streamedParts(fields: readonly RawField[], boundary: string, collector: Collector): Body {
  const stream = new TreeParser(fields, collector);
  // Goes with the first bytes of the body: each write costs mailparser a turn of the event loop.
  let header: Buffer | undefined = Buffer.from(
    `Content-Type: multipart/mixed; boundary="${boundary.replace(/["\\]/g, "\\$&")}"\r\n\r\n`,
  );
  let failure: Error | undefined;
  const ended = new Promise<void>((resolve) => {
    stream.on("error", (error) => {
      failure = error;
      resolve();
    });
    stream.on("end", resolve);
  });
  stream.resume();
  return {
    write(bytes) {
      if (bytes.length === 0 || stream.destroyed) return undefined;
      const next = header === undefined ? bytes : Buffer.concat([header, bytes]);
      header = undefined;
      return stream.write(next) ? undefined : drained(stream);
    },
    async end(stopped) {
      if (!stream.destroyed) stream.end(header);
      await ended;
      if (failure !== undefined) {
        // More parts, or a longer header of a part, than mailparser reads. Anything else is a defect.
        if ((failure as { code?: unknown }).code !== "EMAXLEN") throw failure;
        await stream.takeRest();
      }
      const reason = failure?.message ?? stopped;
      await (reason === undefined ? collector.close() : collector.cut("parse_cut", reason));
    },
  };
}

/** What comes in one piece is split in it; what comes in more, or is written in no plain way, goes through mailparser. */
function severalParts(fields: readonly RawField[], boundary: string, collector: Collector): Body {
  let first: Uint8Array | undefined;
  let streamed: Body | undefined;
  return {
    async write(bytes) {
      if (bytes.length === 0) return;
      if (streamed === undefined && first === undefined) {
        first = bytes;
        return;
      }
      if (streamed === undefined) {
        streamed = streamedParts(fields, boundary, collector);
        await streamed.write(first ?? nothing);
      }
      await streamed.write(bytes);
    },
    async end(stopped) {
      const body = Buffer.from(first?.buffer ?? nothing.buffer, first?.byteOffset ?? 0, first?.byteLength ?? 0);
      const whole = streamed === undefined ? splitWhole(body, boundary) : undefined;
      if (whole === undefined) {
        if (streamed === undefined) {
          streamed = streamedParts(fields, boundary, collector);
          await streamed.write(body);
        }
        return streamed.end(stopped);
      }
      await takeWhole(body, whole, fields, collector);
      await (stopped === undefined ? collector.close() : collector.cut("parse_cut", stopped));
    },
  };
}

async function takeWhole(
  body: Buffer,
  { preamble, parts }: WholeBody,
  fields: readonly RawField[],
  collector: Collector,
): Promise<void> {
  const root = collector.part(fields, undefined, true);
  const taken: (Part | undefined)[] = [];
  const text = collector.push(root, body.subarray(0, preamble));
  if (text !== undefined) await text;
  for (const { fields, parent, from, to } of parts) {
    // Most of it is done at once: a turn of the event loop for each part is what this road is there to save.
    const closed = collector.close();
    if (closed !== undefined) await closed;
    const part = collector.part(fields, parent === undefined ? root : taken[parent], true);
    taken.push(part);
    const pushed = collector.push(part, body.subarray(from, to));
    if (pushed !== undefined) await pushed;
  }
}

function drained(stream: MailParser): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      stream.off("drain", go).off("close", go).off("error", go);
      resolve();
    };
    stream.on("drain", go).on("close", go).on("error", go);
  });
}

/** A multipart that names no boundary: the beginning of its body may show it; else it is text. */
function boundaryless(fields: readonly RawField[], collector: Collector): Body {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let body: Body | undefined;
  const decide = (): Promise<void> | undefined => {
    const beginning = Buffer.concat(held);
    held = [];
    const boundary = guessedBoundary(beginning);
    if (boundary !== undefined) collector.note("boundary_guessed");
    body = boundary === undefined ? singlePart(fields, collector) : severalParts(fields, boundary, collector);
    return body.write(beginning);
  };
  return {
    write(bytes) {
      if (body !== undefined) return body.write(bytes);
      held.push(Buffer.from(bytes));
      heldBytes += bytes.length;
      return heldBytes < maxGuessBytes ? undefined : decide();
    },
    async end(stopped) {
      if (body === undefined) await decide();
      await body?.end(stopped);
    },
  };
}

function bodyOf(fields: readonly RawField[], root: PartHead, collector: Collector): Body {
  if (!root.type.startsWith("multipart/")) return singlePart(fields, collector);
  const boundary = declaredBoundary(root);
  return boundary === undefined ? boundaryless(fields, collector) : severalParts(fields, boundary, collector);
}

interface Outcome {
  readonly fields: readonly RawField[];
  /** Codes: what was odd about the beginning of the message. */
  readonly odd: readonly string[];
  /** Or why there is none. */
  readonly collected: Collected | string;
}

const emptyLine = Buffer.from("\r\n\r\n");
const oddAround = (head: Head | undefined): string[] => [
  ...(head?.leadingBlank === true ? ["leading_blank"] : []),
  ...(head?.badEnd === true ? ["bad_header_end"] : []),
];

/** Reads one message that arrives in chunks. */
export function openMessage(options: CollectOptions) {
  const head = collectHead();
  const guard = openGuard();
  const collector = new Collector(options);
  let fields: readonly RawField[] = [];
  let odd: readonly string[] = [];
  let body: Body | undefined;
  let stopped: string | undefined;

  /** Answers what stood where the header should: where not one line is a field, people wrote it to be read. */
  const begin = (): Buffer | undefined => {
    if (body !== undefined) return undefined;
    const section = head.head()?.section ?? "";
    ({ fields, anomalies: odd } = readHeader(section));
    body = bodyOf(fields, partHead(fields), collector);
    if (fields.length > 0 || section.trim() === "") return undefined;
    odd = [...odd, "no_header"];
    return Buffer.from(section.replace(/\r?\n$/, ""), "latin1");
  };
  const write = (bytes: Uint8Array): Promise<void> | undefined => {
    const prose = begin();
    return body?.write(prose === undefined ? bytes : Buffer.concat([prose, emptyLine, bytes]));
  };
  const take = (bytes: Uint8Array | undefined): Promise<void> | undefined => {
    if (bytes === undefined || stopped !== undefined || head.head()?.whole === false) return undefined;
    const stop = guard.update(bytes);
    stopped = stop?.reason;
    return write(stop === undefined ? bytes : bytes.subarray(0, stop.at));
  };

  return {
    write: (chunk: Uint8Array): Promise<void> | undefined => take(head.push(chunk)),
    /** Nothing that comes from here on makes a difference. */
    enough: (): boolean => stopped !== undefined || head.head()?.whole === false,
    async end(): Promise<Outcome> {
      await take(head.end());
      const found = head.head();
      const around = oddAround(found);
      if (found?.whole === false) {
        const read = readHeader(found.section);
        return { ...read, odd: [...around, ...read.anomalies], collected: "the header section is larger than 1 MiB" };
      }
      const prose = begin();
      if (prose !== undefined) await body?.write(prose);
      await body?.end(stopped);
      return { fields, odd: [...around, ...odd], collected: collector.done() };
    },
  };
}

/** Reads a message inside the message, one level deep. */
function readMessage(): Inside {
  const message = openMessage({ hashed: false });
  return {
    push: (bytes) => message.write(bytes),
    async end() {
      const { fields, collected } = await message.end();
      const nested = typeof collected === "string" ? null : nestedMessage(fields, collected);
      return nested === null ? {} : { nested };
    },
  };
}

/** As far as it wants to be read. Rejects when reading `raw` does. */
export async function feed(
  message: Pick<ReturnType<typeof openMessage>, "write" | "enough">,
  raw: AsyncIterable<Uint8Array> | Uint8Array,
): Promise<void> {
  if (raw instanceof Uint8Array) {
    await message.write(raw);
    return;
  }
  for await (const chunk of raw) {
    await message.write(chunk);
    if (message.enough()) break;
  }
}

/**
 * Never rejects for what the bytes are: what cannot be parsed gives the headers, with `parse_status` failed and the reason.
 * Rejects when reading `raw` does. Memory is bounded by what an event may hold; attachments are hashed, never kept. Feed whole
 * chunks of a file or a pipe: mailparser is quadratic on chunks of a few bytes.
 */
export async function parse(input: AsyncIterable<Uint8Array> | Uint8Array): Promise<ParsedMessage> {
  const { raw, bareCr } = parsingLines(input);
  const message = openMessage({ hashed: true, look: (head) => lookInside(head, readMessage) });
  await feed(message, raw);
  const { fields, odd, collected } = await message.end();
  const ofHead = bareCr() ? ["bare_cr", ...odd] : odd;
  if (typeof collected === "string") return degraded(fields, collected, ofHead);
  return complete(fields, collected, await typesOf(collected.drafts), await calendarsOf(collected.peeks), ofHead);
}

/** The degraded event, from the first 256 KiB: for what the parser rejects, and for what it died of. Never rejects for the bytes. */
export async function headersOnly(
  input: AsyncIterable<Uint8Array> | Uint8Array,
  reason = "not parsed",
): Promise<ParsedMessage> {
  const { raw, bareCr } = parsingLines(input);
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
  const { fields, anomalies } = readHeader(head.head()?.section ?? "");
  return degraded(fields, reason, bareCr() ? ["bare_cr", ...anomalies] : anomalies);
}
