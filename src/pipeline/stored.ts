/**
 * How a mail's event and plans are written down: the two long texts stand once, as plain bytes. In JSON each would be escaped and unescaped
 * on every hop, and an activity would hold both a second time.
 */
import type { CanonicalEvent, Message } from "../model/event.ts";
import type { Sealer } from "../model/ports.ts";
import type { Step } from "../model/step.ts";

/** A canonical event, or the parse that becomes one. */
interface Mail {
  readonly message: Pick<Message, "text" | "html">;
}

/** Stands where JSON would begin with a brace, which is how events were written before. */
const version = 1;
/** Version, and the lengths of the JSON and of the two texts. */
const headerBytes = 1 + 3 * 4;
/** In place of a length. */
const inJson = 0xffff_ffff;
const absent = 0xffff_fffe;

export function writeMail(mail: Mail): Buffer {
  const { text, html } = mail.message;
  const stays = { text: isApart(text) ? null : text, html: isApart(html) ? null : html };
  const json = JSON.stringify({ ...mail, message: { ...mail.message, ...stays } });
  const parts = [json, text, html].map((part) => (isApart(part) ? part : part === null ? absent : inJson));
  const lengths = parts.map((part) => (typeof part === "string" ? Buffer.byteLength(part) : 0));
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + length, headerBytes));
  bytes[0] = version;
  let at = headerBytes;
  for (const [index, part] of parts.entries()) {
    const length = lengths[index] ?? 0;
    bytes.writeUInt32LE(typeof part === "string" ? length : part, 1 + index * 4);
    if (typeof part === "string") bytes.write(part, at, length, "utf8");
    at += length;
  }
  return bytes;
}

/** UTF-8 has no half surrogate pairs, JSON has. */
const isApart = (text: string | null): text is string => text?.isWellFormed() === true;

/** Throws when the bytes are no such mail. */
export function readMail<M extends Mail>(stored: Uint8Array): M {
  const { json, text, html } = partsOf(bufferOf(stored));
  const mail = JSON.parse(json) as M;
  if (typeof mail !== "object" || mail === null || typeof mail.message !== "object" || mail.message === null)
    throw new TypeError("stored bytes hold no mail");
  // The object is ours alone: it was made two lines above.
  const message = mail.message as { text: string | null; html: string | null };
  if (text !== undefined) message.text = text;
  if (html !== undefined) message.html = html;
  return mail;
}

/** The event of a message as the ledger holds it. Undefined where there is none, or it was sealed with another key, or is damaged. */
export function openEvent(sealed: Uint8Array | undefined, sealer: Pick<Sealer, "open">): CanonicalEvent | undefined {
  if (sealed === undefined) return undefined;
  try {
    return readMail<CanonicalEvent>(sealer.open(sealed).plain);
  } catch {
    return undefined;
  }
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

interface Written {
  readonly json: string;
  /** Undefined: it is in the JSON. */
  readonly text: string | null | undefined;
  readonly html: string | null | undefined;
}

function partsOf(bytes: Buffer): Written {
  if (bytes[0] !== version) return { json: bytes.toString("utf8"), text: undefined, html: undefined };
  let at = headerBytes;
  const part = (index: number): string | null | undefined => {
    const length = bytes.readUInt32LE(1 + index * 4);
    if (length === inJson) return undefined;
    if (length === absent) return null;
    if (at + length > bytes.length) throw new RangeError("a stored mail ends too early");
    const from = at;
    at += length;
    return bytes.toString("utf8", from, at);
  };
  return { json: part(0) ?? "", text: part(1), html: part(2) };
}

/** What an activity's text is where it is the event's own: as short as it can be said. */
const ownText = 1;
type Shortened = Step | (Omit<Step & { kind: "activity" }, "text" | "html"> & { text: unknown; html: unknown });

export function writeSteps(steps: readonly Step[], { message }: CanonicalEvent): Buffer {
  const short = steps.map((step): Shortened => {
    if (step.kind !== "activity") return step;
    return {
      ...step,
      text: step.text === message.text ? ownText : step.text,
      html: step.html !== null && step.html === message.html ? ownText : step.html,
    };
  });
  return Buffer.from(JSON.stringify(short));
}

/** A plan for whoever asks which records it names: its texts are left out. */
export function readStepsBare(stored: Uint8Array): Step[] {
  const steps = JSON.parse(bufferOf(stored).toString("utf8")) as Shortened[];
  return steps.map(
    (step): Step => (step.kind === "activity" ? ({ ...step, text: "", html: null } as Step) : (step as Step)),
  );
}

/** `event`: the bytes that the plan was written beside. Throws when they are needed and not there, or not what they were. */
export function readSteps(stored: Uint8Array, event: () => Uint8Array | undefined): Step[] {
  const steps = JSON.parse(bufferOf(stored).toString("utf8")) as Shortened[];
  let texts: { text: string | null; html: string | null } | undefined;
  const own = (name: "text" | "html"): string => {
    texts ??= textsOf(event());
    const text = texts[name];
    if (text === null) throw new TypeError(`a plan holds the ${name} of its event, and the event has none`);
    return text;
  };
  return steps.map((step): Step => {
    if (step.kind !== "activity") return step as Step;
    const { text, html } = step;
    return {
      ...step,
      text: text === ownText ? own("text") : text,
      html: html === ownText ? own("html") : html,
    } as Step;
  });
}

/** Without reading the rest, which a delivery has no use for. */
function textsOf(stored: Uint8Array | undefined): { text: string | null; html: string | null } {
  if (stored === undefined) throw new TypeError("a plan holds the text of its event, and the event is not there");
  const { json, text, html } = partsOf(bufferOf(stored));
  if (text !== undefined && html !== undefined) return { text, html };
  const { message } = JSON.parse(json) as Mail;
  return { text: text ?? message.text, html: html ?? message.html };
}
