/** Judges how sure it is that the sender of From wrote a mail: collects every reason, each of which has the most trust that it allows; the lowest counts. */

import { type TrustReason, trustReasons } from "../../model/event/trust-reasons.ts";
import type { Auth, TrustLevel } from "../../model/event.ts";
import { trustLevels } from "../../model/event.ts";
import { believed, type Case, type Finding, isOurs, type Sender, sameOrganisation, senderOf } from "./case.ts";
import { us } from "./evidence.ts";
import { impersonationOf } from "./impersonation.ts";
import { besideWeak, looselySigned, proofOf } from "./proof.ts";
import { shapesOf } from "./shapes.ts";

const maxDetailChars = 500;
const reasonOf = ({ code }: Finding): TrustReason => trustReasons[code];
const rank = (level: TrustLevel): number => trustLevels.indexOf(level);

/** Pure: the same case gives the same answer. */
export function judgeTrust(subject: Case): Pick<Auth, "trust" | "reason" | "reasons"> {
  const sender = senderOf(subject.message);
  const findings = sender === null ? ofNobody(subject) : ofSomebody(subject, sender);
  // A stable sort: among equals the proof stands first.
  const sorted = findings.toSorted((a, b) => rank(reasonOf(a).most) - rank(reasonOf(b).most));
  const deciding = sorted[0] ?? { code: "no_sender", detail: null };
  return {
    trust: reasonOf(deciding).most,
    // Without what was seen: the reason of a mail that is held stands in the ledger in clear.
    reason: reasonOf(deciding).says,
    reasons: sorted.map(({ code, detail }) => ({ code, detail: detail?.slice(0, maxDetailChars) ?? null })),
  };
}

const ofNobody = (subject: Case): Finding[] => [{ code: "no_sender", detail: null }, ...shapesOf(subject, null)];

function ofSomebody(subject: Case, sender: Sender): Finding[] {
  const { evidence, people, known, conflict } = subject;
  const proof = proofOf(subject, sender);
  const proven = rank(reasonOf(proof).most) >= rank("aligned-weak");
  // That verifying broke down may be the sender's doing.
  const broke = evidence.dmarc?.result === "temperror" && evidence.dmarc.domain === null;
  const looked = evidence.spf !== null || broke || believed(evidence).length > 0;
  const impersonation = impersonationOf(subject, sender, proven, looked);
  // Of a colleague's mail it matters to whom it went: under them it is filed.
  const watched = [
    ...(impersonation.some(({ code }) => code.startsWith("reply_to_")) ? ["reply-to"] : []),
    ...(isOurs(sender, people) ? ["to", "cc"] : []),
  ];
  const against = [
    ...shapesOf(subject, sender),
    ...(proven && subject.sent !== true ? looselySigned(subject, sender, watched) : []),
    ...(subject.sent === true ? [] : judgedElsewhere(subject, sender)),
    ...impersonation,
    ...(conflict ? [{ code: "message_id_conflict", detail: null } as const] : []),
  ];
  const lifted = known.trustedWith !== null;
  return [
    proof,
    ...besideWeak(subject, proof),
    ...against.filter((finding) => !lifted || reasonOf(finding).lifted !== true),
  ];
}

/** What is judged must be what is shown. Where the verifier finds nobody in From and we do, somebody wrote it for two readers. */
function judgedElsewhere({ evidence: { dmarc }, people }: Case, { domain }: Sender): Finding[] {
  if (dmarc === null || dmarc.by !== us) return [];
  if (dmarc.domain === null)
    return dmarc.result === "none" ? [{ code: "judged_elsewhere", detail: `nobody, shown: ${domain}` }] : [];
  const same = dmarc.domain.toLowerCase() === domain || sameOrganisation(dmarc.domain, domain, people);
  return same ? [] : [{ code: "judged_elsewhere", detail: `${dmarc.domain}, shown: ${domain}` }];
}
