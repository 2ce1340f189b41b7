/** Signs mail as DKIM (RFC 6376, RFC 8463) and seals it as ARC (RFC 8617), with node:crypto alone: what is verified is not judged by its own code. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

export interface SigningKey {
  readonly kind: "rsa" | "ed25519";
  readonly privateKey: KeyObject;
  /** What stands at selector._domainkey.domain. */
  readonly record: string;
}

export interface Signing {
  readonly domain: string;
  readonly selector: string;
  readonly key: SigningKey;
  /** Default relaxed/relaxed. */
  readonly canon?: string;
  readonly headers?: readonly string[];
  /** l=: so many bytes of the canonical body are signed. */
  readonly bodyLength?: number;
  /** More tags as written, `x=1` or `i=@sub.example.com`. */
  readonly tags?: readonly string[];
  readonly hash?: "sha256" | "sha1";
}

export interface Sealing extends Omit<Signing, "bodyLength" | "hash"> {
  readonly instance?: number;
  readonly cv?: "none" | "pass" | "fail";
  /** authserv-id and results: `mx.relay.example; dkim=pass header.d=…`. */
  readonly results: string;
}

const made = new Map<string, SigningKey>();

/** The same name gives the same key; making an RSA key takes a tenth of a second. */
export function signingKey(kind: "rsa" | "ed25519" = "ed25519", name = "one", bits = 2048): SigningKey {
  const known = made.get(`${kind} ${name} ${bits}`);
  if (known !== undefined) return known;
  const pair = kind === "rsa" ? generateKeyPairSync("rsa", { modulusLength: bits }) : generateKeyPairSync("ed25519");
  const spki = pair.publicKey.export({ format: "der", type: "spki" });
  // RFC 8463 §4.2: the bare key of 32 bytes, which ends its SPKI form.
  const written = kind === "rsa" ? spki : spki.subarray(spki.length - 32);
  const key = { kind, privateKey: pair.privateKey, record: `v=DKIM1; k=${kind}; p=${written.toString("base64")}` };
  made.set(`${kind} ${name} ${bits}`, key);
  return key;
}

const defaultHeaders = ["from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type"];

/** The mail with a DKIM-Signature on top. Lines end in CRLF, whatever they were. */
export function signed(mail: string | Uint8Array, how: Signing): Buffer {
  const { head, body, fields } = taken(mail);
  const [headCanon = "relaxed", bodyCanon = "simple"] = (how.canon ?? "relaxed/relaxed").split("/");
  const names = how.headers ?? present(fields, defaultHeaders);
  const hash = how.hash ?? "sha256";
  const canonical = canonicalBody(body, bodyCanon);
  const covered = how.bodyLength === undefined ? canonical : canonical.subarray(0, how.bodyLength);
  const tags = [
    "v=1",
    `a=${how.key.kind}-${hash}`,
    `c=${headCanon}/${bodyCanon}`,
    `d=${how.domain}`,
    `s=${how.selector}`,
    ...(how.bodyLength === undefined ? [] : [`l=${how.bodyLength}`]),
    ...(how.tags ?? []),
    `h=${names.join(":")}`,
    `bh=${createHash(hash).update(covered).digest("base64")}`,
    "b=",
  ];
  const field = `DKIM-Signature: ${tags.join("; ")}`;
  const value = signature(how.key, hash, `${chosen(fields, names, headCanon)}${canonicalField(field, headCanon)}`);
  return Buffer.concat([Buffer.from(`${field}${folded(value)}\r\n`, "latin1"), head, body]);
}

/** The mail with one more ARC set on top (RFC 8617 §5.1). */
export function sealed(mail: string | Uint8Array, how: Sealing): Buffer {
  const { head, body, fields } = taken(mail);
  const instance = how.instance ?? 1;
  const names = how.headers ?? present(fields, [...defaultHeaders, "dkim-signature"]);
  const hash = createHash("sha256").update(canonicalBody(body, "relaxed")).digest("base64");
  const results = `ARC-Authentication-Results: i=${instance}; ${how.results}`;
  const algorithm = `a=${how.key.kind}-sha256`;
  const who = `d=${how.domain}; s=${how.selector}`;
  const draft = `ARC-Message-Signature: i=${instance}; ${algorithm}; c=relaxed/relaxed; ${who}; h=${names.join(":")}; bh=${hash}; b=`;
  const over = `${chosen(fields, names, "relaxed")}${canonicalField(draft, "relaxed")}`;
  const message = `${draft}${folded(signature(how.key, "sha256", over))}`;
  const seal = `ARC-Seal: i=${instance}; ${algorithm}; t=1700000000; cv=${how.cv ?? (instance === 1 ? "none" : "pass")}; ${who}; b=`;
  const chain = [...earlier(fields, instance), results, message].map(
    (field) => `${canonicalField(field, "relaxed")}\r\n`,
  );
  const sealing = `${seal}${folded(signature(how.key, "sha256", `${chain.join("")}${canonicalField(seal, "relaxed")}`))}`;
  return Buffer.concat([Buffer.from(`${sealing}\r\n${message}\r\n${results}\r\n`, "latin1"), head, body]);
}

/** RFC 8617 §5.1.1: every earlier set, by instance: results, signature, seal. */
function earlier(fields: readonly string[], instance: number): string[] {
  const order = ["arc-authentication-results", "arc-message-signature", "arc-seal"];
  const sets: string[] = [];
  for (let i = 1; i < instance; i++) {
    for (const name of order) {
      const found = fields.find((field) => nameOf(field) === name && new RegExp(`[:;]\\s*i=${i}\\s*;`).test(field));
      if (found !== undefined) sets.push(found);
    }
  }
  return sets;
}

function taken(mail: string | Uint8Array): { head: Buffer; body: Buffer; fields: string[] } {
  const text = (typeof mail === "string" ? Buffer.from(mail) : Buffer.from(mail))
    .toString("latin1")
    .replace(/\r?\n/g, "\r\n");
  const at = text.indexOf("\r\n\r\n");
  const head = at === -1 ? text : text.slice(0, at + 2);
  const body = at === -1 ? "" : text.slice(at + 4);
  const fields = head.replace(/\r\n$/, "").split(/\r\n(?![ \t])/);
  return {
    head: Buffer.from(at === -1 ? `${head}\r\n\r\n` : `${head}\r\n`, "latin1"),
    body: Buffer.from(body, "latin1"),
    fields,
  };
}

const nameOf = (field: string): string => field.slice(0, field.indexOf(":")).trim().toLowerCase();

function present(fields: readonly string[], wanted: readonly string[]): string[] {
  const names = fields.map(nameOf);
  return wanted.filter((name) => names.includes(name));
}

/** RFC 6376 §5.4.2: each name takes the lowest instance that is left. */
function chosen(fields: readonly string[], names: readonly string[], canon: string): string {
  const left = [...fields];
  let text = "";
  for (const name of names) {
    const at = left.findLastIndex((field) => nameOf(field) === name.toLowerCase());
    if (at === -1) continue;
    text += `${canonicalField(left.splice(at, 1)[0] ?? "", canon)}\r\n`;
  }
  return text;
}

/** RFC 6376 §3.4.1, §3.4.2. */
function canonicalField(field: string, canon: string): string {
  if (canon === "simple") return field;
  const colon = field.indexOf(":");
  const value = field
    .slice(colon + 1)
    .replace(/\r\n/g, "")
    .replace(/[ \t]+/g, " ")
    .trim();
  return `${field.slice(0, colon).trim().toLowerCase()}:${value}`;
}

/** RFC 6376 §3.4.3, §3.4.4. */
export function canonicalBody(body: Buffer, canon: string): Buffer {
  let text = body.toString("latin1");
  if (canon === "relaxed") text = text.replace(/[ \t]+/g, " ").replace(/ (?=\r\n|$)/g, "");
  // A pattern would try again at each of a million line ends.
  let end = text.length;
  while (end >= 2 && text.startsWith("\r\n", end - 2)) end -= 2;
  text = text.slice(0, end);
  if (text === "") return canon === "relaxed" ? Buffer.alloc(0) : Buffer.from("\r\n");
  return Buffer.from(`${text}\r\n`, "latin1");
}

function signature(key: SigningKey, hash: string, over: string): string {
  const bytes = Buffer.from(over, "latin1");
  // RFC 8463 §3: PureEdDSA over the SHA-256 of what is signed.
  if (key.kind === "ed25519")
    return sign(null, createHash("sha256").update(bytes).digest(), key.privateKey).toString("base64");
  return sign(hash, bytes, key.privateKey).toString("base64");
}

const folded = (value: string): string => value.replace(/.{70}(?=.)/g, "$&\r\n ");
