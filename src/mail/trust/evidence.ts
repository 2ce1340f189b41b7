/** From what the verifier found to the evidence of the event: bounded, in our words, and aligned with the one domain that DMARC judged. */
import { type AuthResult, authResults, type Evidence } from "../../model/event.ts";
import { type Alignment, alignment, plainDomain } from "./alignment.ts";
import type { Claim } from "./claimed.ts";

/** Who verified what Mailwright verified. */
export const us = "mailwright";

/** What DMARC made of it, as mailauth says it. */
export interface Judged {
  readonly response: false | DmarcResponse;
  /** Domains of passing signatures that align under the record; null without a record. */
  readonly aligned: ReadonlySet<string> | null;
}

interface DmarcResponse {
  readonly status: { readonly result: string; readonly header: { readonly from: string } };
  readonly policy?: string;
  readonly error?: string;
  readonly alignment?: {
    readonly spf: { readonly result?: string; readonly strict: boolean };
    readonly dkim: { readonly result?: string; readonly strict: boolean };
  };
}

interface Signature {
  readonly signingDomain?: string;
  readonly selector?: string;
  readonly algo?: string;
  readonly status: {
    readonly result: string;
    readonly comment?: string | false;
    readonly underSized?: number;
    readonly policy?: Readonly<Record<string, string>>;
    readonly warnings?: readonly string[];
  };
}

/** SPF before it is held against From. */
export type SpfFound = Omit<NonNullable<Evidence["spf"]>, "aligned">;

const maxDetailChars = 300;
const maxNameChars = 255;

/** Evidence that there is none: verifying failed, and nothing was learned. */
export function failed(result: "temperror" | "policy", why: string, claimed: readonly Claim[] = []): Evidence {
  const detail = worded(why);
  return {
    spf: null,
    dkim: [],
    dmarc: { result, domain: null, policy: null, by: us, detail },
    arc: null,
    claimed: [...claimed],
  };
}

export function spfFound(domain: string, status: { result: string; comment?: string | false }): SpfFound {
  // mailauth puts our own name before its words.
  const words = typeof status.comment === "string" ? status.comment.replace(/^[^\s:]{1,255}: /, "") : null;
  return { result: resultOf(status.result), domain: named(domain), by: us, detail: worded(words) };
}

/** What a trusted host says of SPF, where the mail did not come to us from its sender's own server. */
export function spfClaimed([top]: readonly Claim[]): SpfFound | null {
  if (top?.trusted !== true) return null;
  const spf = top.results.find(({ method }) => method === "spf");
  if (spf === undefined) return null;
  const said = (name: string): string | undefined => spf.properties.find(([property]) => property === name)?.[1];
  const identity = said("smtp.mailfrom") ?? said("smtp.helo");
  const domain = identity === undefined ? null : named(identity.slice(identity.lastIndexOf("@") + 1));
  const detail = worded(said("reason") ?? null);
  return { result: resultOf(spf.result), domain, by: top.authserv_id ?? "", detail };
}

export function spfEvidence(found: SpfFound, judged: Judged): NonNullable<Evidence["spf"]> {
  const from = fromOf(judged);
  const relaxed = alignment(found.domain, from);
  const record = judged.response === false ? undefined : judged.response.alignment;
  const { result, domain, by, detail } = found;
  const decided = record !== undefined && result === "pass";
  const aligned = decided
    ? ruled(domain, from, plainDomain(record.spf.result) === domain)
    : unruled(relaxed, record?.spf);
  return { result, domain, aligned, by, detail };
}

export function dkimEvidence(signatures: readonly Signature[], judged: Judged): Evidence["dkim"] {
  const from = fromOf(judged);
  const record = judged.response === false ? undefined : judged.response.alignment;
  return signatures.map(({ signingDomain, selector, algo, status }) => {
    const domain = named(signingDomain);
    const result = dkimResult(status);
    const decided = judged.aligned !== null && result === "pass";
    const aligned = decided
      ? ruled(domain, from, domain !== null && (judged.aligned?.has(domain) ?? false))
      : unruled(alignment(domain, from), record?.dkim);
    return {
      result,
      domain,
      selector: short(selector),
      algorithm: short(algo),
      aligned,
      short_body: (status.underSized ?? 0) > 0,
      by: us,
      detail: dkimDetail(status),
    };
  });
}

/** Under a record that was read, what passed is aligned as DMARC found; whether to the letter is ours to see. */
function ruled(domain: string | null, from: string | null, isAligned: boolean): Alignment {
  if (!isAligned) return null;
  return domain === from ? "strict" : "relaxed";
}

/** What did not pass, or a domain without a record. A record that asks for the same domain lets no other count. */
function unruled(found: Alignment, record: { readonly strict: boolean } | undefined): Alignment {
  return record?.strict === true && found === "relaxed" ? null : found;
}

/** RFC 8601 §2.7.1 calls a changed body a failure; mailauth calls it neutral. */
function dkimResult({ result, comment }: Signature["status"]): AuthResult {
  return comment === "body hash did not verify" ? "fail" : resultOf(result);
}

function dkimDetail({ comment, policy, warnings, underSized }: Signature["status"]): string | null {
  const said = [
    ...(typeof comment === "string" ? [comment] : []),
    ...Object.values(policy ?? {}).filter((value) => value !== comment),
    ...((underSized ?? 0) > 0 ? [`l= leaves ${underSized} bytes of the body unsigned`] : []),
    ...(warnings ?? []),
  ];
  return worded(said.length === 0 ? null : said.join("; "));
}

/** Why mailauth gave no verdict: RFC 9989 §5.3.1. */
const noVerdict: Readonly<Record<string, string>> = {
  "no-author-domain": "From names no domain",
  "multiple-author-domains": "From names addresses of several domains",
  "invalid-author-domain": "From holds an address that cannot be read",
  "multiple-from-fields": "there are several From headers",
};

export function dmarcEvidence(
  { response }: Judged,
  { reason, leftOut, short }: { reason: string | undefined; leftOut: number; short: boolean },
): NonNullable<Evidence["dmarc"]> {
  const said = [
    ...(leftOut > 0 ? [`${leftOut} more signatures were not looked at`] : []),
    ...(short ? ["it rests on a signature that leaves some of the body unsigned"] : []),
  ];
  if (response === false) {
    const why = noVerdict[reason ?? ""] ?? "there is no From to judge";
    return { result: "none", domain: null, policy: null, by: us, detail: worded([why, ...said].join("; ")) };
  }
  const { status, policy, error, alignment: aligned } = response;
  const by = [
    ...(aligned?.spf.result === undefined ? [] : [`SPF of ${aligned.spf.result}`]),
    ...(aligned?.dkim.result === undefined ? [] : [`DKIM of ${aligned.dkim.result}`]),
  ];
  const words = [
    ...(by.length > 0 ? [`aligned: ${by.join(", ")}`] : []),
    ...(status.result === "fail" ? ["nothing that passed is aligned"] : []),
    ...(status.result === "none" ? ["no record"] : []),
    ...(error === undefined ? [] : [error]),
    ...said,
  ];
  return {
    result: resultOf(status.result),
    domain: named(status.header.from),
    policy: policy === "none" || policy === "quarantine" || policy === "reject" ? policy : null,
    by: us,
    detail: worded(words.length === 0 ? null : words.join("; ")),
  };
}

export function arcEvidence(
  status: { readonly result: string; readonly comment?: string | false },
  sealer: unknown,
  unanswered: boolean,
): Evidence["arc"] {
  const result = resultOf(status.result);
  if (result === "none") return null;
  // mailauth calls every failure final; a key that could not be fetched is not.
  const passing = result === "fail" && unanswered;
  const words = passing ? "DNS did not answer for a key of the chain" : (status.comment ?? null);
  return {
    result: passing ? "temperror" : result,
    sealer: named(typeof sealer === "string" ? sealer : null),
    by: us,
    detail: worded(words === false ? null : words),
  };
}

export const fromOf = ({ response }: Judged): string | null =>
  response === false ? null : named(response.status.header.from);

function resultOf(word: string): AuthResult {
  const known = authResults.find((each) => each === word.toLowerCase());
  return known ?? "neutral";
}

/** A name as it is compared, legible and bounded. */
function named(name: string | null | undefined): string | null {
  const plain = plainDomain(name);
  return plain === null ? null : legible(plain).slice(0, maxNameChars);
}

const short = (text: string | undefined): string | null =>
  text === undefined || text === "" ? null : legible(text).slice(0, maxNameChars);

const worded = (text: string | null): string | null =>
  text === null || text === "" ? null : legible(text).slice(0, maxDetailChars).toWellFormed();

const legible = (text: string): string => text.replace(/[\p{C}\p{Z}]+/gu, " ").trim();
