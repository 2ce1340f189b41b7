/** The tenant of the tests of trust: who its people are, and a mail that says what a test wants. */
import { getDomain } from "tldts";
import { parse } from "../../../src/mail/parse.ts";
import { type Case, nothingKnown } from "../../../src/mail/trust/case.ts";
import { judgeTrust } from "../../../src/mail/trust/judge.ts";
import { type Evidence, noEvidence, type ParsedMessage } from "../../../src/model/event.ts";
import type { People } from "../../../src/model/people.ts";

const freemail = new Set(["gmail.com", "outlook.com"]);
const registrable = (domain: string): string | null => (domain.startsWith("[") ? null : getDomain(domain));
const under = (email: string, domain: string): boolean => {
  const at = email.toLowerCase().slice(email.lastIndexOf("@") + 1);
  return at === domain || at.endsWith(`.${domain}`);
};

export const people: People = {
  isOwn: (email) => under(email, "globex.test"),
  isInbound: (email) => under(email, "in.globex.test"),
  excludedBy: () => undefined,
  isRole: () => false,
  isNoReply: () => false,
  isFreemail: (domain) => freemail.has(registrable(domain) ?? domain),
  isDisposable: (domain) => domain === "mailinator.com",
  registrable,
  ownDomains: ["globex.test"],
  colleagueNames: ["Jane Roe", "Hank Scorpio"],
  alsoAt: () => [],
};

/** DMARC passed by a whole signature of the domain. */
export function passed(domain: string): Evidence {
  return {
    ...noEvidence,
    spf: { result: "none", domain: "bounces.esp.test", aligned: null, by: "mailwright", detail: null },
    dkim: [signature({ domain })],
    dmarc: { result: "pass", domain, policy: "reject", by: "mailwright", detail: null },
  };
}

export function signature(changes: Partial<Evidence["dkim"][number]> = {}): Evidence["dkim"][number] {
  const usual = { selector: "s1", algorithm: "rsa-sha256", by: "mailwright", detail: null } as const;
  return { result: "pass", domain: "acme.test", aligned: "strict", short_body: false, ...usual, ...changes };
}
export const spf = (
  result: "pass" | "fail" | "softfail" | "none" | "temperror",
  domain: string,
  aligned = true,
): NonNullable<Evidence["spf"]> => ({
  result,
  domain,
  aligned: aligned ? "strict" : null,
  by: "mailwright",
  detail: null,
});
export const dmarc = (
  result: "pass" | "fail" | "none" | "temperror" | "permerror",
  domain: string,
  policy: "none" | "quarantine" | "reject" | null = "reject",
): NonNullable<Evidence["dmarc"]> => ({ result, domain, policy, by: "mailwright", detail: null });

/** Header lines; `From` is whatever a test says. */
export const mailFrom = (from: string, ...more: string[]): Promise<ParsedMessage> =>
  parse(
    Buffer.from(
      [
        `From: ${from}`,
        "To: deals@in.globex.test",
        "Subject: An order",
        "Message-ID: <1@x.test>",
        ...more,
        "",
        "Ten, please.",
        "",
      ].join("\r\n"),
    ),
  );

export function caseOf({ message, anomalies }: ParsedMessage, evidence: Evidence, changes: Partial<Case> = {}): Case {
  return { message, anomalies, evidence, people, known: nothingKnown, conflict: false, arcSealers: [], ...changes };
}

/** Level and codes, the deciding one first. */
export async function judged(
  from: string,
  evidence: Evidence,
  changes: Partial<Case> = {},
  ...headers: string[]
): Promise<string> {
  const { trust, reasons } = judgeTrust(caseOf(await mailFrom(from, ...headers), evidence, changes));
  return [trust, ...reasons.map(({ code }) => code)].join(" ");
}
