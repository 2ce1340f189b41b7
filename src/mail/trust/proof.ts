/** What speaks for the sender of From, or against: the one best proof that the evidence gives. */
import { trustReasons } from "../../model/event/trust-reasons.ts";
import type { Evidence } from "../../model/event.ts";
import type { People } from "../../model/people.ts";
import { believed, type Case, type Finding, type Sender, sameOrganisation } from "./case.ts";
import { us } from "./evidence.ts";
import { sealedResults } from "./sealed-results.ts";
import { leftOpen } from "./signed-headers.ts";

/** Who vouches for a mail: domains whose signature holds for the whole body, and the one that SPF lets send. */
export function vouching({ spf, dkim }: Evidence): string[] {
  const signers = dkim.flatMap(({ result, domain, short_body }) =>
    result === "pass" && !short_body && domain !== null ? [domain] : [],
  );
  const envelope = spf?.result === "pass" && spf.domain !== null ? [spf.domain] : [];
  return [...new Set([...signers, ...envelope])];
}

export function proofOf(subject: Case, sender: Sender): Finding {
  // It was never on its way to us, so nobody has signed it for us.
  if (subject.sent === true) return { code: "among_sent", detail: null };
  return pass(subject, sender) ?? weaker(subject, sender) ?? against(subject, sender) ?? nothing(subject.evidence);
}

/** What speaks for this sender with alignment. A signature with a short l= proves nothing (RFC 6376 §8.2). */
function alignedIn({ evidence, people }: Case, { domain }: Sender) {
  const ofSender = (item: { domain: string | null; aligned: string | null }): boolean =>
    item.aligned !== null && sameOrganisation(item.domain, domain, people);
  const signatures = evidence.dkim.filter((each) => each.result === "pass" && ofSender(each));
  const wholes = signatures.filter(({ short_body }) => !short_body);
  const [whole] = wholes;
  const spf = evidence.spf?.result === "pass" && ofSender(evidence.spf) ? evidence.spf : undefined;
  return { whole, wholes, spf, shortOnly: whole === undefined && spf === undefined && signatures.length > 0 };
}

function pass(subject: Case, sender: Sender): Finding | undefined {
  const { evidence, people } = subject;
  const { whole, spf, shortOnly } = alignedIn(subject, sender);
  if (shortOnly) return undefined;
  const { dmarc } = evidence;
  if (dmarc?.result === "pass" && sameOrganisation(dmarc.domain, sender.domain, people)) {
    if (dmarc.by !== us) return { code: "dmarc_pass", detail: `${sender.domain}, says ${dmarc.by}` };
    if (whole !== undefined)
      return { code: "dmarc_pass", detail: `${sender.domain}, by the signature of ${whole.domain}` };
    if (spf !== undefined) return { code: "dmarc_pass", detail: `${sender.domain}, by SPF of ${spf.domain}` };
  }
  for (const { authserv_id, results } of believed(evidence)) {
    const passed = results.some(
      ({ method, result, properties }) =>
        method === "dmarc" && result === "pass" && speaksFor(properties, ["header.from"], sender, people),
    );
    if (passed)
      return { code: "dmarc_pass", detail: `${sender.domain}, says ${authserv_id ?? "a host that is trusted"}` };
  }
  return undefined;
}

/** Short of DMARC. */
function weaker(subject: Case, sender: Sender): Finding | undefined {
  const { evidence, people, known } = subject;
  const { whole, spf, shortOnly } = alignedIn(subject, sender);
  if (shortOnly) return undefined;
  const failed = evidence.dmarc?.result === "fail";
  // DMARC that fails beside an aligned pass asks for strict alignment.
  if (!failed && whole !== undefined) return { code: "dkim_aligned", detail: whole.domain };
  if (!failed && spf !== undefined) return { code: "spf_aligned", detail: spf.domain };
  for (const { authserv_id, results } of believed(evidence)) {
    if (results.some(({ method, result }) => method === "dmarc" && result !== "none")) continue;
    const aligned = results.some(
      ({ method, result, properties }) =>
        result === "pass" && speaksFor(properties, propertiesOf[method] ?? [], sender, people),
    );
    if (aligned) return { code: "claimed_aligned", detail: authserv_id };
  }
  const byArc = sealed(subject, sender);
  if (byArc !== undefined) return byArc;
  return trusted(known);
}

/** A weak proof makes no company and no deal by itself; with a person's word it does, which is therefore said beside it. */
export const besideWeak = ({ known }: Case, proof: Finding): Finding[] =>
  trustReasons[proof.code].most === "aligned-weak" && proof.code !== "sender_trusted"
    ? [trusted(known)].filter((found) => found !== undefined)
    : [];

const trusted = ({ trustedWith }: Case["known"]): Finding | undefined =>
  trustedWith === null ? undefined : { code: "sender_trusted", detail: `${trustedWith} vouches for it` };

/** RFC 8601 §2.7: where a result says whom it is about. */
const propertiesOf: Readonly<Record<string, readonly string[]>> = Object.assign(Object.create(null), {
  dkim: ["header.d", "header.i"],
  spf: ["smtp.mailfrom", "smtp.mail"],
});

function speaksFor(
  properties: readonly (readonly [string, string])[],
  names: readonly string[],
  { domain }: Sender,
  people: People,
): boolean {
  return properties.some(
    ([name, value]) =>
      names.includes(name.toLowerCase()) && sameOrganisation(value.slice(value.lastIndexOf("@") + 1), domain, people),
  );
}

/** RFC 8617: the seal says that nobody changed the chain since; only its newest results, by a sealer that is named, say who the sender was. */
function sealed({ evidence, message, people, arcSealers }: Case, sender: Sender): Finding | undefined {
  const { arc } = evidence;
  if (arc?.result !== "pass" || arc.sealer === null || !arcSealers.includes(arc.sealer.toLowerCase())) return undefined;
  const passed = sealedResults(message.headers).some(
    ({ method, result, properties }) =>
      result === "pass" &&
      speaksFor(properties, method === "dmarc" ? ["header.from"] : (propertiesOf[method] ?? []), sender, people),
  );
  return passed ? { code: "arc_pass", detail: arc.sealer } : undefined;
}

/**
 * A mail whose signature leaves a header open can be sent again with another one. That it came from the sender's own server (SPF) would settle
 * it. `watched`: headers that matter beside Subject and Date.
 */
export function looselySigned(subject: Case, sender: Sender, watched: readonly string[]): Finding[] {
  const { wholes, spf } = alignedIn(subject, sender);
  if (wholes.length === 0 || spf !== undefined) return [];
  const open = wholes.map((signature) => leftOpen(signature, subject.message.headers, watched));
  const least = open.toSorted((a, b) => a.length - b.length)[0] ?? [];
  return least.length === 0 ? [] : [{ code: "loosely_signed", detail: least.join(", ") }];
}

function against(subject: Case, sender: Sender): Finding | undefined {
  const { evidence, people } = subject;
  const { dmarc, spf } = evidence;
  // Otherwise whoever wants no verdict makes his mail costly.
  if (dmarc?.result === "policy") return { code: "too_costly", detail: dmarc.detail };
  if (alignedIn(subject, sender).shortOnly) return { code: "short_body", detail: null };
  const spfFailed = spf?.result === "fail" && sameOrganisation(spf.domain, sender.domain, people);
  // Without the client's address SPF could not be asked, so that a failure of the rest says little.
  const conclusive = dmarc?.result === "fail" && (spf !== null || dmarc.by !== us);
  const enforced = dmarc?.policy === "quarantine" || dmarc?.policy === "reject";
  if (conclusive && enforced) return { code: "dmarc_fail", detail: `${sender.domain}: ${dmarc.policy}` };
  // RFC 7208 §8.4: an explicit statement of the domain, with or without DMARC.
  if (spfFailed && dmarc?.result !== "temperror") return { code: "spf_fail", detail: spf.domain };
  if (conclusive) return { code: "dmarc_fail_unenforced", detail: sender.domain };
  return claimedFailure(evidence);
}

/** A host that is believed says that DMARC failed. */
function claimedFailure(evidence: Evidence): Finding | undefined {
  for (const { authserv_id, results } of believed(evidence)) {
    const failed = results.find(({ method, result }) => method === "dmarc" && result === "fail");
    if (failed === undefined) continue;
    const enforced = failed.properties.some(([, value]) => /^(?:quarantine|reject|oreject)$/i.test(value));
    return { code: enforced ? "dmarc_fail" : "dmarc_fail_unenforced", detail: authserv_id };
  }
  return undefined;
}

function nothing(evidence: Evidence): Finding {
  const { spf, dkim, dmarc } = evidence;
  const down = [spf, dmarc, ...dkim].some((each) => each?.result === "temperror");
  if (down) return { code: "dns_failed", detail: null };
  const looked = spf !== null || dkim.length > 0 || dmarc !== null || believed(evidence).length > 0;
  return { code: looked ? "no_proof" : "not_verified", detail: null };
}
