/** What was verified of a sender, and what others claim, as lines of a story. */

import { type TrustReasonCode, trustReasons } from "../../model/event/trust-reasons.ts";
import type { Auth } from "../../model/event.ts";
import { field } from "./field.ts";

export function evidenceLines({ reasons, spf, dkim, dmarc, arc, claimed }: Auth): string[] {
  return [
    ...reasons.map((reason) => field("because", reasonWords(reason))),
    ...(spf === null ? [] : [field("spf", words(spf, forDomain(spf.domain), aligned(spf)))]),
    ...dkim.map((signature) => field("dkim", words(signature, signatureOf(signature), aligned(signature)))),
    ...(dmarc === null ? [] : [field("dmarc", words(dmarc, forDomain(dmarc.domain), policyOf(dmarc.policy)))]),
    ...(arc === null ? [] : [field("arc", words(arc, arc.sealer === null ? "" : `sealed by ${arc.sealer}`))]),
    ...claimed.map((claim) => field("claimed", claimWords(claim))),
  ];
}

const isKnown = (code: string): code is TrustReasonCode => Object.hasOwn(trustReasons, code);

/** What it leaves of the trust, and what to do about it. */
function reasonWords({ code, detail }: Auth["reasons"][number]): string {
  const seen = detail === null ? code : `${code} (${detail})`;
  if (!isKnown(code)) return seen;
  const { most, todo } = trustReasons[code];
  return todo === "Nothing." ? `${seen}: ${most}` : `${seen}: ${most} at most. ${todo}`;
}

interface Verified {
  readonly result: string;
  readonly by: string;
  readonly detail: string | null;
}

function words({ result, by, detail }: Verified, ...more: readonly string[]): string {
  const said = [result, ...more.filter((part) => part !== "")].join(", ");
  return `${said}, by ${by === "" ? "an unnamed host" : by}${detail === null ? "" : `: ${detail}`}`;
}

const forDomain = (domain: string | null): string => (domain === null ? "" : `for ${domain}`);

function aligned({ aligned: how }: { readonly aligned: "strict" | "relaxed" | null }): string {
  if (how === null) return "not of the domain in From";
  return how === "strict" ? "the domain in From" : "of the organisation in From";
}

function signatureOf({ domain, selector, short_body }: Auth["dkim"][number]): string {
  const part = short_body ? ", which leaves some of the body unsigned" : "";
  return `signature of ${domain ?? "nobody"}${selector === null ? "" : ` (key ${selector})`}${part}`;
}

const policyOf = (policy: string | null): string => (policy === null ? "" : `its policy is ${policy}`);

function claimWords({ authserv_id, trusted, results }: Auth["claimed"][number]): string {
  const said = results.slice(0, 10).map(({ method, result }) => `${method}=${result}`);
  const who = authserv_id ?? "an unnamed host";
  return `${who} says ${said.join(", ") || "nothing"}; ${trusted ? "it is named in trust.authserv_ids" : "not counted"}`;
}
