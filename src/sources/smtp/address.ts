/** ENVELOPE ADDRESSES: reads MAIL and RCPT lines strictly, and says no in the right words. Pure. */
import { isIPv4, isIPv6 } from "node:net";
import { type Reply, replies } from "./reply.ts";

export interface MailCommand {
  /** The reverse-path as given, without brackets; null for `<>` (RFC 5321 §4.5.5). */
  readonly path: string | null;
  readonly body: "7bit" | "8bitmime" | undefined;
  readonly smtputf8: boolean;
  /** As declared with SIZE (RFC 1870); undefined where it was not. */
  readonly size: number | undefined;
}

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reply: Reply };

/** RFC 5321 §4.5.3.1.3: a path has at most 256 octets, brackets included. */
const maxPathOctets = 254;

// Printable ASCII but for the brackets, and 8-bit bytes, which are judged later. The colon may be followed by blanks:
// several mailers write "FROM: <...>", which RFC 5321 §3.3 forbids and every server takes.
const command = /^(?:MAIL FROM|RCPT TO): *<([!-;=?-~\u0080-\u00ff]*)>((?: .*)?)$/i;
const sourceRoute = /^@[^:@]+(?:,@[^:@,]+)*:/;
const asciiOnly = /^[ -~]*$/;
// C1 controls, zero-width and bidirectional marks, noncharacters: never part of an address, always part of a forgery.
const deceptive =
  /[\u0080-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2060\u2066-\u2069\ufeff\ufff9-\uffff]/;
const hostName = /^[A-Za-z0-9_\u00a0-\u{10ffff}-]+(?:\.[A-Za-z0-9_\u00a0-\u{10ffff}-]+)*$/u;

const no = (reply: Reply) => ({ ok: false, reply }) as const;
const yes = <T>(value: T) => ({ ok: true, value }) as const;

/** `MAIL FROM:<path> SIZE=n BODY=... SMTPUTF8`; `maxBytes` is the size we announce. */
export function readMail(line: Uint8Array, maxBytes: number): Read<MailCommand> {
  const parts = command.exec(latin1(line));
  if (!parts) return no(replies.senderSyntax);
  const parameters = readParameters(parts[2] ?? "");
  if (!parameters.ok) return parameters;
  const asked = judgeParameters(parameters.value, maxBytes);
  if (!asked.ok) return asked;
  if (parts[1] === "") return yes({ path: null, ...asked.value });
  const path = readPath(parts[1] ?? "", asked.value.smtputf8, replies.senderSyntax);
  if (!path.ok) return path;
  // RFC 5321 appendix C: a source route in the reverse-path is to be accepted and ignored.
  const address = path.value.replace(sourceRoute, "");
  return isMailbox(address) ? yes({ path: address, ...asked.value }) : no(replies.senderSyntax);
}

/**
 * `RCPT TO:<path>`. Every form that asks another host to forward (percent, bang, source route) and every address literal is
 * "not ours", whatever the route table holds: RFC 5321 §3.6.1 lets a server refuse source routes, and nothing is relayed here.
 */
export function readRcpt(line: Uint8Array, smtputf8: boolean): Read<string> {
  const parts = command.exec(latin1(line));
  if (!parts || parts[1] === "") return no(replies.recipientSyntax);
  const path = readPath(parts[1] ?? "", smtputf8, replies.recipientSyntax);
  if (!path.ok) return path;
  if (parts[2]?.trim()) return no(replies.parameterUnknown); // no DSN offered, so no NOTIFY and no ORCPT
  // RFC 5321 §4.1.1.3: postmaster is the one address without a domain.
  if (/^postmaster$/i.test(path.value)) return yes(path.value);
  if (sourceRoute.test(path.value)) return no(replies.notOurs);
  if (!isMailbox(path.value)) return no(replies.recipientSyntax);
  const at = path.value.lastIndexOf("@");
  const forwards = /[%!]/.test(path.value.slice(0, at)) || path.value[at + 1] === "[";
  return forwards ? no(replies.notOurs) : yes(path.value);
}

function readPath(raw: string, smtputf8: boolean, syntax: Reply): Read<string> {
  if (raw.length > maxPathOctets) return no(syntax);
  if (asciiOnly.test(raw)) return yes(raw);
  if (!smtputf8) return no(replies.needsSmtpUtf8);
  const text = utf8(raw);
  return text === undefined || deceptive.test(text) ? no(syntax) : yes(text);
}

/**
 * One "@", something before it, a host name or address literal behind it. The local part is left alone otherwise: dots at its
 * edges come from real senders (printers, Japanese carriers), and what we accept is decided by the route table alone.
 */
function isMailbox(address: string): boolean {
  const [local, domain, ...more] = address.split("@");
  if (!local || !domain || more.length > 0 || domain.length > 253) return false;
  if (!domain.startsWith("[")) return hostName.test(domain);
  const literal = domain.slice(1, -1);
  return domain.endsWith("]") && (isIPv4(literal) || (/^ipv6:/i.test(literal) && isIPv6(literal.slice(5))));
}

/** A Map, so that a parameter called `__proto__` is only a name. */
function readParameters(text: string): Read<ReadonlyMap<string, string | undefined>> {
  const found = new Map<string, string | undefined>();
  for (const word of text.split(" ").filter(Boolean)) {
    const equals = word.indexOf("=");
    const key = (equals < 0 ? word : word.slice(0, equals)).toUpperCase();
    if (found.has(key)) return no(replies.parameterTwice);
    found.set(key, equals < 0 ? undefined : word.slice(equals + 1));
  }
  return yes(found);
}

/** RFC 5321 §4.1.1.11: a parameter we did not offer is answered 555. */
function judgeParameters(
  parameters: ReadonlyMap<string, string | undefined>,
  maxBytes: number,
): Read<Omit<MailCommand, "path">> {
  let body: MailCommand["body"];
  let size: number | undefined;
  let smtputf8 = false;
  for (const [key, value] of parameters) {
    if (key === "SIZE") {
      if (!/^\d{1,20}$/.test(value ?? "")) return no(replies.parameterSyntax); // RFC 1870 §4
      size = Number(value);
      if (size > maxBytes) return no(replies.tooLarge);
    } else if (key === "BODY") {
      const type = value?.toLowerCase();
      if (type !== "7bit" && type !== "8bitmime") return no(replies.parameterSyntax); // BINARYMIME needs BDAT (RFC 3030)
      body = type;
    } else if (key === "SMTPUTF8") {
      if (value !== undefined) return no(replies.parameterSyntax); // RFC 6531 §3.4: takes no value
      smtputf8 = true;
    } else {
      return no(replies.parameterUnknown);
    }
  }
  return yes({ body, smtputf8, size });
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function utf8(raw: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(raw, "latin1"));
  } catch {
    return undefined;
  }
}
