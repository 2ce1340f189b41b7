/** Verifies who sent a message, by mailauth: SPF, every DKIM signature, DMARC with alignment, ARC. DNS is handed in; nothing is judged here. */
import arcs from "mailauth/lib/arc/index.js";
import { DkimVerifier, type Headers, type SignatureHeader } from "mailauth/lib/dkim/dkim-verifier.js";
import dmarcs from "mailauth/lib/dmarc/index.js";
import spfs from "mailauth/lib/spf/index.js";
import type { Evidence } from "../model/event.ts";
import { splitHeader } from "./header.ts";
import { claimsOf } from "./trust/claimed.ts";
import {
  arcEvidence,
  dkimEvidence,
  dmarcEvidence,
  type SpfFound,
  spfClaimed,
  spfEvidence,
  spfFound,
} from "./trust/evidence.ts";
import { feed, maxHeaderBytes, Unverifiable } from "./trust/feed.ts";

/** What is known of how the message came. */
export interface Received {
  /** The SMTP peer, whose address the sender's policy has to allow; null where others received the mail. */
  readonly client: { readonly ip: string; readonly helo: string; readonly mailFrom: string | null } | null;
  /** Our name, for SPF's macros. */
  readonly hostname: string;
  /** Epoch ms: what a signature's expiry is held against. */
  readonly at: number;
  /** Hosts whose Authentication-Results count: where others received the mail, else none. */
  readonly authservIds: readonly string[];
}

/** As node:dns resolves: rejects with `code` ENOTFOUND, ENODATA, or another, which is a passing failure. */
export type Resolve = (name: string, type: string) => Promise<unknown[]>;

/** Each one costs a look-up and arithmetic; 1,000 of them took 0.9 s. The topmost are the newest. */
const maxSignatures = 10;
/**
 * Of a signature or seal; honest ones stay below 4 KiB. Reading one costs the square of the blanks in it: 2 s for 64 KiB, so that 230 KiB would
 * hold up everybody's mail until the thread is killed.
 */
const maxSignatureBytes = 8 * 1024;
/** Every name in h= is looked for in all fields; honest mail has fewer than 300. */
const maxFields = 2_000;

/** Rejects with Unverifiable where the bytes cost too much, and with what reading them failed with; DNS never makes it reject. */
export async function verify(mail: AsyncIterable<Uint8Array>, received: Received, resolve: Resolve): Promise<Evidence> {
  const unanswered = new Set<string>();
  const resolver = watched(resolve, unanswered);
  const { client, hostname, at } = received;
  const asked = client === null ? null : spfOf(client, hostname, resolver);
  // Awaited below; until then a failure is nobody's.
  asked?.catch(() => undefined);
  const verifier = new TopmostVerifier({ resolver, curTime: new Date(at), rejectRsaSha1: true, sender: "<>" });
  await feed(mail, verifier);
  await verifier.finish();
  const arc = verifier.hasStrayArc() ? strayArc : await arcs.arc(verifier.arc, { resolver });
  const claimed = claimsOf(splitHeader(headerText(verifier.headers)), received.authservIds);
  const spf = asked === null ? spfClaimed(claimed) : await asked;
  const { headerFrom, fromFields } = verifier;
  const passed = verifier.results.filter(({ status }) => status.result === "pass");
  const { response, dkimAligned, reason } = await dmarcs.evaluateDmarc({
    headerFrom,
    fromFields,
    spfDomains: spf?.result === "pass" && spf.domain !== null ? [spf.domain] : [],
    dkimDomains: passed.map(({ signingDomain = "", status }) =>
      status.underSized === undefined
        ? { domain: signingDomain }
        : { domain: signingDomain, underSized: status.underSized },
    ),
    arcResult: arc,
    resolver,
  });
  const judged = { response, aligned: dkimAligned ?? null };
  const spfAligned = response !== false && response.alignment?.spf.result !== undefined;
  const dkim = dkimEvidence([...verifier.signatures(), ...verifier.skipped()], judged);
  const whole = dkim.some(({ result, aligned, short_body }) => result === "pass" && aligned !== null && !short_body);
  const short = response !== false && response.status.result === "pass" && !spfAligned && !whole;
  return {
    spf: spf === null ? null : spfEvidence(spf, judged),
    dkim,
    dmarc: dmarcEvidence(judged, { reason, leftOut: verifier.leftOut, short }),
    arc: arcEvidence(
      arc.status,
      newestSealer(verifier),
      keysOf(verifier).some((name) => unanswered.has(name)),
    ),
    claimed,
  };
}

const arcKeys = new Set(["arc-seal", "arc-message-signature", "arc-authentication-results"]);
const strayArc = { status: { result: "fail", comment: "an ARC field belongs to no set of the chain" } } as const;
const isSignature = (key: string | null): boolean => key === "dkim-signature" || key?.startsWith("arc-") === true;

/** Looks at the topmost signatures only, and at none that is made to cost time. The other fields stay: they may be signed by those. */
class TopmostVerifier extends DkimVerifier {
  /** Signatures beyond those that are looked at. */
  leftOut = 0;

  /**
   * What `feed` gives has CRLF alone, and nearly always the whole header in its first piece. mailauth looks at each byte of both in turn, for bare LFs
   * and for the end of the header: an eighth of what an ordinary mail costs.
   */
  override async writeAsync(chunk: Buffer): Promise<void> {
    if (this.state === "header") {
      const end = this.headerBytes === 0 ? endOfHeader(chunk) : undefined;
      if (end === undefined) return super.writeAsync(chunk);
      this.headerBytes = end;
      await this.emitHeaders(chunk.subarray(0, end));
      if (end < chunk.length) await this.nextChunk(chunk.subarray(end));
    } else await this.nextChunk(chunk);
    this.byteLength += chunk.length;
  }

  override async messageHeaders(headers: Headers): Promise<void> {
    if (headers.parsed.length > maxFields) throw new Unverifiable(`there are more than ${maxFields} header fields`);
    let signatures = 0;
    const parsed = headers.parsed.filter(({ key, line }) => {
      const looked = !isSignature(key) || line.length <= maxSignatureBytes;
      return key === "dkim-signature" ? looked && ++signatures <= maxSignatures : looked;
    });
    this.leftOut = headers.parsed.length - parsed.length;
    await super.messageHeaders({ ...headers, parsed });
    this.headers = headers;
  }

  /** mailauth passes over fields whose instance it cannot read; whoever reads the results in them must not take one of those for the newest. */
  hasStrayArc(): boolean {
    const { chain } = this.arc;
    const fields = this.headers === false ? [] : this.headers.parsed.filter(({ key }) => arcKeys.has(key ?? ""));
    return chain !== false && fields.length !== 3 * chain.length;
  }

  /** mailauth gives a result of its own for mail without any. */
  signatures(): DkimVerifier["results"] {
    return this.results.filter(({ signingDomain }) => signingDomain !== undefined);
  }

  /** What mailauth leaves out: an algorithm or a form that it does not know. */
  skipped(): DkimVerifier["results"] {
    return this.signatureHeaders
      .filter(({ type, skip }) => type === "DKIM" && skip !== undefined)
      .map(({ skip = "", signingDomain, selector, algorithm }) => ({
        ...(signingDomain === undefined ? {} : { signingDomain }),
        ...(selector === undefined ? {} : { selector }),
        ...(algorithm === undefined ? {} : { algo: algorithm }),
        status: { result: "neutral", comment: skip },
      }));
  }
}

/** Where the body begins; undefined where the empty line before it is not there. A message may begin with that line. */
function endOfHeader(chunk: Buffer): number | undefined {
  if (chunk[0] === 0x0d && chunk[1] === 0x0a) return 2;
  const at = chunk.indexOf("\r\n\r\n");
  return at === -1 ? undefined : at + 4;
}

/** RFC 7208 §2.4: for the null sender the policy of HELO counts. */
async function spfOf(client: NonNullable<Received["client"]>, mta: string, resolver: Resolve): Promise<SpfFound> {
  const { ip, helo, mailFrom } = client;
  const named = isAddress(helo) ? `[${helo}]` : helo;
  const sender = mailFrom === null || mailFrom === "" ? {} : { sender: mailFrom };
  const { domain, status } = await spfs.spf({ ...sender, ip, helo: named, mta, resolver });
  return spfFound(domain, status);
}

const isAddress = (host: string): boolean => /^[\d.]+$/.test(host) || /^[0-9a-f]*:[0-9a-f:.]*$/i.test(host);

/** Names whose look-up failed for now are remembered: mailauth does not say it of ARC. */
function watched(resolve: Resolve, unanswered: Set<string>): Resolve {
  return async (name, type) => {
    try {
      return await resolve(name, type);
    } catch (error) {
      const code = (error as { code?: unknown } | null)?.code;
      if (code !== "ENOTFOUND" && code !== "ENODATA") unanswered.add(name.toLowerCase());
      throw error;
    }
  };
}

/** Where the keys of an ARC chain stand. */
function keysOf({ arc }: DkimVerifier): string[] {
  const keys: string[] = [];
  for (const set of arc.chain === false ? [] : arc.chain) {
    for (const part of [set["arc-seal"], set["arc-message-signature"]]) {
      const [domain, selector] = [tag(part, "d"), tag(part, "s")];
      if (domain !== undefined && selector !== undefined) keys.push(`${selector}._domainkey.${domain}`.toLowerCase());
    }
  }
  return keys;
}

const newestSealer = ({ arc }: DkimVerifier): string | undefined => tag(arc.lastEntry?.["arc-seal"], "d");

function tag(header: SignatureHeader | undefined, name: string): string | undefined {
  const value = header?.parsed?.[name]?.value;
  return typeof value === "string" ? value : undefined;
}

const headerText = (headers: Headers | false): string =>
  headers === false ? "" : headers.original.toString("latin1", 0, maxHeaderBytes);
