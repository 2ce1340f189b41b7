/** From evidence to trust: every rule by itself, and what no evidence whatever can do. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Case, nothingKnown } from "../../../src/mail/trust/case.ts";
import { failed } from "../../../src/mail/trust/evidence.ts";
import { judgeTrust } from "../../../src/mail/trust/judge.ts";
import { authResults, trustLevels } from "../../../src/model/event/auth.ts";
import { trustReasons } from "../../../src/model/event/trust-reasons.ts";
import { type Evidence, noEvidence, type ParsedMessage } from "../../../src/model/event.ts";
import { caseOf, dmarc, judged, mailFrom, passed, people, signature, spf } from "./acme.ts";

const ada = "Ada Lovelace <ada@acme.test>";
const evidence = (changes: Partial<Evidence>): Evidence => ({ ...noEvidence, ...changes });
const block = (results: [method: string, result: string, ...properties: [string, string][]][], trusted = true) => ({
  authserv_id: "mx.host.test",
  trusted,
  results: results.map(([method, result, ...properties]) => ({ method, result, properties })),
});

describe("what speaks for the sender", () => {
  test("DMARC that passed, by a whole signature or by SPF, is verified", async () => {
    expect(await judged(ada, passed("acme.test"))).toBe("verified dmarc_pass");
    const bySpf = evidence({ spf: spf("pass", "acme.test"), dmarc: dmarc("pass", "acme.test") });
    expect(await judged(ada, bySpf)).toBe("verified dmarc_pass");
    const bySubdomain = evidence({
      dkim: [signature({ domain: "mail.acme.test", aligned: "relaxed" })],
      dmarc: dmarc("pass", "acme.test", "none"),
    });
    expect(await judged(ada, bySubdomain)).toBe("verified dmarc_pass");
  });

  test("DMARC that is said to pass while nothing aligned did is not believed", async () => {
    expect(await judged(ada, evidence({ dmarc: dmarc("pass", "acme.test") }))).toBe("unverified no_proof");
    const stranger = evidence({
      dkim: [signature({ domain: "esp.test", aligned: null })],
      dmarc: dmarc("pass", "acme.test"),
    });
    expect(await judged(ada, stranger)).toBe("unverified no_proof");
  });

  test("DMARC of another domain than the one that is shown is a trick", async () => {
    expect(await judged(ada, passed("evil.test"))).toBe("suspicious judged_elsewhere no_proof");
  });

  test("a signature that leaves some of the body out proves nothing, and another beside it does", async () => {
    const short = evidence({ dkim: [signature({ short_body: true })], dmarc: dmarc("pass", "acme.test") });
    expect(await judged(ada, short)).toBe("suspicious short_body");
    expect(await judged(ada, { ...short, dmarc: dmarc("none", "acme.test", null) })).toBe("suspicious short_body");
    expect(await judged(ada, { ...short, spf: spf("pass", "acme.test") })).toBe("verified dmarc_pass");
    expect(await judged(ada, { ...short, dkim: [...short.dkim, signature()] })).toBe("verified dmarc_pass");
  });

  test("an aligned pass without a DMARC record, or while DNS is down, is aligned-weak", async () => {
    const none = dmarc("none", "acme.test", null);
    expect(await judged(ada, evidence({ dkim: [signature()], dmarc: none }))).toBe("aligned-weak dkim_aligned");
    expect(await judged(ada, evidence({ spf: spf("pass", "acme.test"), dmarc: none }))).toBe(
      "aligned-weak spf_aligned",
    );
    const down = evidence({ dkim: [signature()], dmarc: dmarc("temperror", "acme.test", null) });
    expect(await judged(ada, down)).toBe("aligned-weak dkim_aligned");
  });

  test("a pass of another organisation says nothing of From", async () => {
    const others = evidence({
      spf: spf("pass", "evil.test", false),
      dkim: [signature({ domain: "evil.test", aligned: null })],
      dmarc: dmarc("none", "acme.test", null),
    });
    expect(await judged(ada, others)).toBe("unverified no_proof");
  });

  test("a host that is trusted is believed about DMARC of this very domain, and about nothing else", async () => {
    const says = (domain: string, trusted = true) =>
      evidence({ claimed: [block([["dmarc", "pass", ["header.from", domain]]], trusted)] });
    expect(await judged(ada, says("acme.test"))).toBe("verified dmarc_pass");
    expect(await judged(ada, says("evil.test"))).toBe("unverified no_proof");
    expect(await judged(ada, says("acme.test", false))).toBe("unverified not_verified");
    const weak = evidence({ claimed: [block([["dkim", "pass", ["header.d", "acme.test"]]])] });
    expect(await judged(ada, weak)).toBe("aligned-weak claimed_aligned");
    const failed = evidence({
      claimed: [
        block([
          ["spf", "pass", ["smtp.mailfrom", "x@acme.test"]],
          ["dmarc", "fail", ["policy.dmarc", "reject"]],
        ]),
      ],
    });
    expect(await judged(ada, failed)).toBe("suspicious dmarc_fail");
  });

  test("a seal counts when its sealer is named, the chain holds, and its results are about this sender", async () => {
    const arc = (sealer: string, result: "pass" | "fail" = "pass"): Evidence =>
      evidence({
        arc: { result, sealer, by: "mailwright", detail: null },
        spf: spf("fail", "acme.test"),
        dmarc: dmarc("fail", "acme.test"),
      });
    const aar = (results: string, instance = 1) =>
      `ARC-Authentication-Results: i=${instance}; mx.lists.test; ${results}`;
    const pass = aar("dmarc=pass (p=reject) header.from=acme.test");
    const known = { arcSealers: ["lists.test"] };
    expect(await judged(ada, arc("lists.test"), known, pass)).toBe("aligned-weak arc_pass");
    expect(await judged(ada, arc("lists.test"), {}, pass)).toBe("suspicious dmarc_fail");
    expect(await judged(ada, arc("evil.test"), known, pass)).toBe("suspicious dmarc_fail");
    expect(await judged(ada, arc("lists.test", "fail"), known, pass)).toBe("suspicious dmarc_fail");
    for (const lie of [
      aar("dmarc=fail header.from=acme.test"),
      aar("dmarc=pass header.from=evil.test"),
      aar("spf=fail (dmarc=pass header.from=acme.test) smtp.mailfrom=evil.test"),
      aar('spf=fail smtp.mailfrom="a; dmarc=pass header.from=acme.test"'),
    ])
      expect(await judged(ada, arc("lists.test"), known, lie)).toBe("suspicious dmarc_fail");
    const older = [aar("dmarc=fail header.from=acme.test", 2), pass];
    expect(await judged(ada, arc("lists.test"), known, ...older)).toBe("suspicious dmarc_fail");
    expect(await judged(ada, arc("lists.test"), known, pass, pass)).toBe("suspicious dmarc_fail");
  });
});

describe("what speaks against", () => {
  test("DMARC that failed under a policy is suspicious, without one unverified", async () => {
    const failed = (policy: "none" | "quarantine" | "reject") =>
      evidence({ spf: spf("softfail", "acme.test"), dmarc: dmarc("fail", "acme.test", policy) });
    expect(await judged(ada, failed("reject"))).toBe("suspicious dmarc_fail");
    expect(await judged(ada, failed("quarantine"))).toBe("suspicious dmarc_fail");
    expect(await judged(ada, failed("none"))).toBe("unverified dmarc_fail_unenforced");
  });

  test("an aligned SPF failure is the domain's own word, unless a signature holds", async () => {
    const none = dmarc("none", "acme.test", null);
    const failed = evidence({ spf: spf("fail", "acme.test"), dmarc: none });
    expect(await judged(ada, failed)).toBe("suspicious spf_fail");
    expect(await judged(ada, { ...failed, dkim: [signature()] })).toBe("aligned-weak dkim_aligned");
    expect(await judged(ada, evidence({ spf: spf("softfail", "acme.test"), dmarc: none }))).toBe("unverified no_proof");
    expect(await judged(ada, evidence({ spf: spf("fail", "evil.test", false), dmarc: none }))).toBe(
      "unverified no_proof",
    );
  });

  test("without the client's address a failure says little", async () => {
    expect(await judged(ada, evidence({ dmarc: dmarc("fail", "acme.test") }))).toBe("unverified no_proof");
  });

  test("DNS that was down is no evidence either way, nor is nobody having looked", async () => {
    const down = evidence({ spf: spf("temperror", "acme.test"), dmarc: dmarc("temperror", "acme.test", null) });
    expect(await judged(ada, down)).toBe("unverified dns_failed");
    expect(await judged(ada, noEvidence)).toBe("unverified not_verified");
  });
});

describe("shapes of From", () => {
  test.each([
    ["Ada <ada@acme.test>, Eve <eve@evil.test>", "multiple_from"],
    ["Ada <ada@acme.test(x).evil.test>", "from_ambiguous"],
    ["ada@acme.test (x).evil.test", "from_ambiguous"],
    ["<ada@acme.test><eve@evil.test>", "from_ambiguous"],
    ["Friends: ada@acme.test;", "from_group"],
    ['"ceo@initech.test" <ada@acme.test>', "name_contains_address"],
    ["Ada <ada@\u0430cme.test>", "mixed_script_domain"],
    ["x <x@co.uk>", "no_organisation"],
    ["x <x@[192.0.2.1]>", "no_organisation"],
    ["x <x@server01>", "no_organisation"],
  ])("%s is suspicious, whatever passed: %s", async (from, code) => {
    expect(await judged(from, passed("acme.test"))).toMatch(new RegExp(`^suspicious .*\\b${code}\\b`));
  });

  test("two From headers, and an address that another header gave", async () => {
    expect(await judged(ada, passed("acme.test"), {}, "From: Eve <eve@evil.test>")).toMatch(
      /^suspicious .*duplicate_from/,
    );
    expect(await judged("nobody", passed("acme.test"), {}, `Reply-To: ${ada}`)).toMatch(/^suspicious .*from_elsewhere/);
  });

  test("a mail that names nobody is unverified: no contact can be found by it", async () => {
    expect(await judged("MAILER-DAEMON", noEvidence)).toBe("unverified no_sender");
  });

  test("a service that writes an address of its own organisation in the name is honest, on freemail it is not", async () => {
    expect(await judged('"ada@acme.test" <ada@acme.test>', passed("acme.test"))).toBe("verified dmarc_pass");
    expect(await judged('"ada@mail.acme.test" <no-reply@acme.test>', passed("acme.test"))).toBe("verified dmarc_pass");
    expect(await judged('"ada@gmail.com" <eve@gmail.com>', passed("gmail.com"))).toMatch(/^suspicious name_contains/);
    expect(await judged('"ada＠initech．test" <ada@acme.test>', passed("acme.test"))).toMatch(
      /^suspicious name_contains/,
    );
  });
});

describe("impersonation", () => {
  test("mail of our own domains that did not pass is no colleague's", async () => {
    const jane = "Jane Roe <jane@globex.test>";
    expect(await judged(jane, passed("globex.test"))).toBe("verified dmarc_pass");
    const failed = evidence({ spf: spf("fail", "globex.test"), dmarc: dmarc("fail", "globex.test", "none") });
    expect(await judged(jane, failed)).toMatch(/^suspicious .*own_domain_unproven/);
    const nothing = evidence({ spf: spf("none", "x.test", false), dmarc: dmarc("none", "globex.test", null) });
    expect(await judged(jane, nothing)).toMatch(/^suspicious own_domain_unproven/);
    const down = evidence({ spf: spf("temperror", "globex.test"), dmarc: dmarc("temperror", "globex.test", null) });
    expect(await judged(jane, down)).toMatch(/^suspicious own_domain_unproven/);
    expect(await judged(jane, noEvidence)).toBe("unverified not_verified own_domain_unseen");
    expect(await judged("Deals <deals@in.globex.test>", nothing)).toMatch(/^suspicious own_domain_unproven/);
    expect(await judged(jane, evidence({ dkim: [signature({ domain: "globex.test" })] }))).toBe(
      "aligned-weak dkim_aligned",
    );
  });

  test.each([
    ["Jane Roe <jane.roe@gmail.com>", "gmail.com", "colleague_name"],
    ["Hank Scorpio, CEO <ceo@evil.test>", "evil.test", "colleague_name"],
    ["Globex <x@evil.test>", "evil.test", "own_brand_name"],
    ["Globex Support <x@evil.test>", "evil.test", "own_brand_name"],
    ["Jane <jane@gl0bex.test>", "gl0bex.test", "lookalike_of_own"],
    ["Jane <jane@globex.test.evil.test>", "evil.test", "lookalike_of_own"],
    ["Jane <jane@globex.example>", "globex.example", "lookalike_of_own"],
  ])("%s is suspicious although DMARC passed: %s", async (from, domain, code) => {
    expect(await judged(from, passed(domain))).toMatch(new RegExp(`^suspicious ${code}`));
  });

  test("a look-alike of a customer counts while the domain itself is a stranger", async () => {
    const lookalike = { how: "letters", eventId: "e1" } as const;
    const from = "Ada <ada@acrne.test>";
    const evident = passed("acrne.test");
    expect(await judged(from, evident, { known: { ...nothingKnown, lookalike } })).toBe(
      "suspicious lookalike_of_known dmarc_pass",
    );
    expect(await judged(from, evident, { known: { ...nothingKnown, lookalike, domain: true } })).toBe(
      "verified dmarc_pass",
    );
    const ending = { how: "ending", eventId: "e1" } as const;
    expect(await judged(from, evident, { known: { ...nothingKnown, lookalike: ending } })).toBe(
      "unverified known_domain_elsewhere dmarc_pass",
    );
    expect(await judged(from, evident, { known: { ...nothingKnown, name: "e1" } })).toBe(
      "unverified known_name_elsewhere dmarc_pass",
    );
  });

  test.each([
    ["ada@acme.test", "verified"],
    ["Ada <ada@mail.acme.test>", "verified"],
    ["deals+t.abc@in.globex.test", "verified"],
    ["sales@globex.test", "verified"],
    ["ada@helpdesk.test", "aligned-weak"],
    ["ada@gmail.com", "unverified"],
    ["x@mailinator.com", "unverified"],
    ["ada@acrne.test", "suspicious"],
    ["jane@gl0bex.test", "suspicious"],
    ["not-an-address", "verified"],
  ])("answers to %s leave %s", async (replyTo, trust) => {
    expect(await judged(ada, passed("acme.test"), {}, `Reply-To: ${replyTo}`)).toMatch(new RegExp(`^${trust} `));
  });

  test("on freemail another address is another person, and our own forms may name whom they like", async () => {
    expect(await judged("a@gmail.com", passed("gmail.com"), {}, "Reply-To: b@gmail.com")).toMatch(
      /^aligned-weak reply_to_elsewhere/,
    );
    expect(await judged("form@globex.test", passed("globex.test"), {}, "Reply-To: c@gmail.com")).toBe(
      "verified dmarc_pass",
    );
    const known = { ...nothingKnown, replyTo: { how: "letters", eventId: "e1" } as const };
    expect(await judged(ada, passed("acme.test"), { known }, "Reply-To: x@initeeh.test")).toMatch(
      /^suspicious reply_to_lookalike/,
    );
  });
});

describe("what people and ids say", () => {
  test("an id conflict is never verified", async () => {
    expect(await judged(ada, passed("acme.test"), { conflict: true })).toBe(
      "aligned-weak message_id_conflict dmarc_pass",
    );
  });

  test("a sender that a person trusts is let through, but not a trick with headers", async () => {
    const known = { ...nothingKnown, trustedWith: "esp.test" };
    const failed = evidence({ spf: spf("pass", "esp.test", false), dmarc: dmarc("fail", "acme.test") });
    expect(await judged(ada, failed, { known })).toBe("aligned-weak sender_trusted");
    expect(await judged("Jane Roe <jane@gmail.com>", passed("gmail.com"), { known })).toBe("verified dmarc_pass");
    expect(await judged(ada, failed, { known }, "From: eve@evil.test")).toMatch(/^suspicious duplicate_from/);
    expect(await judged(ada, failed, { known, conflict: true })).toMatch(/^aligned-weak/);
  });
});

describe("a person's trust in a sender who is aligned", () => {
  const known = { ...nothingKnown, trustedWith: "acme.test" };
  const none = dmarc("none", "acme.test", null);

  test.each([
    ["dkim_aligned", evidence({ dkim: [signature()], dmarc: none })],
    ["dkim_aligned", evidence({ dkim: [signature({ domain: "mail.acme.test", aligned: "relaxed" })], dmarc: none })],
    ["spf_aligned", evidence({ spf: spf("pass", "acme.test"), dmarc: none })],
    ["claimed_aligned", evidence({ claimed: [block([["dkim", "pass", ["header.d", "acme.test"]]])] })],
  ])("stands beside %s", async (code, seen) => {
    expect(await judged(ada, seen)).toBe(`aligned-weak ${code}`);
    expect(await judged(ada, seen, { known })).toBe(`aligned-weak ${code} sender_trusted`);
  });

  test("says nothing where DMARC passed, and stays where the mail itself is in doubt", async () => {
    expect(await judged(ada, passed("acme.test"), { known })).toBe("verified dmarc_pass");
    expect(await judged(ada, evidence({ dkim: [signature()], dmarc: none }), { known, conflict: true })).toBe(
      "aligned-weak dkim_aligned sender_trusted message_id_conflict",
    );
  });
});

const anyResult = fc.constantFrom(...authResults);
const anyDomain = fc.constantFrom("acme.test", "mail.acme.test", "evil.test", "globex.test", "gmail.com", "co.uk");
const anyAligned = fc.constantFrom("strict", "relaxed", null);
const by = fc.constantFrom("mailwright", "mx.host.test");
const anyEvidence: fc.Arbitrary<Evidence> = fc.record({
  spf: fc.option(
    fc.record({ result: anyResult, domain: fc.option(anyDomain), aligned: anyAligned, by, detail: fc.constant(null) }),
  ),
  dkim: fc.array(
    fc.record({
      result: anyResult,
      domain: fc.option(anyDomain),
      selector: fc.constant("s"),
      algorithm: fc.constant("rsa-sha256"),
      aligned: anyAligned,
      short_body: fc.boolean(),
      by,
      detail: fc.constant(null),
    }),
    { maxLength: 3 },
  ),
  dmarc: fc.option(
    fc.record({
      result: anyResult,
      domain: fc.option(anyDomain),
      policy: fc.constantFrom("none", "quarantine", "reject", null),
      by,
      detail: fc.constant(null),
    }),
  ),
  arc: fc.option(fc.record({ result: anyResult, sealer: fc.option(anyDomain), by, detail: fc.constant(null) })),
  claimed: fc.array(
    fc.record({
      authserv_id: fc.constant("mx.host.test"),
      trusted: fc.boolean(),
      results: fc.array(
        fc.record({
          method: fc.constantFrom("spf", "dkim", "dmarc"),
          result: fc.constantFrom("pass", "fail", "none"),
          properties: fc.array(fc.tuple(fc.constantFrom("header.from", "header.d", "smtp.mailfrom"), anyDomain), {
            maxLength: 2,
          }),
        }),
        { maxLength: 3 },
      ),
    }),
    { maxLength: 2 },
  ),
});
const froms = [
  [ada],
  ["Eve <eve@mail.acme.test>"],
  [ada, `From: ${ada}`],
  ["a@acme.test, b@acme.test"],
  ["<a@acme.test><b@acme.test>"],
  ["G: a@acme.test;"],
  ["nobody", "Sender: ada@acme.test"],
  ["x@co.uk"],
  ["Jane Roe <j@gmail.com>"],
  ["j@globex.test"],
] as const;
const parsedFroms: ParsedMessage[] = [];
for (const [from, ...headers] of froms) parsedFroms.push(await mailFrom(from, ...headers));
const anyCase: fc.Arbitrary<Case> = fc
  .tuple(
    fc.constantFrom(...parsedFroms),
    anyEvidence,
    fc.boolean(),
    fc.record({ domain: fc.boolean(), trustedWith: fc.option(anyDomain) }),
  )
  .map(([parsed, seen, conflict, known]) =>
    caseOf(parsed, seen, { conflict, known: { ...nothingKnown, ...known }, arcSealers: ["evil.test"] }),
  );
const rank = (subject: Case): number => trustLevels.indexOf(judgeTrust(subject).trust);

describe("whatever the evidence", () => {
  test("verified needs DMARC to have passed for the one address of the one From, by something that is aligned and whole", () => {
    fc.assert(
      fc.property(anyCase, (subject) => {
        if (judgeTrust(subject).trust !== "verified") return;
        const { message, anomalies, evidence: seen } = subject;
        expect(message.from_source).toBe("from");
        expect(message.from_all).toHaveLength(1);
        expect(anomalies.map(({ code }) => code)).not.toContain("duplicate_from");
        const domain = people.registrable(message.from?.domain ?? "");
        expect(domain).not.toBeNull();
        const same = (other: string | null) => other !== null && people.registrable(other) === domain;
        const whole = (item: Evidence["dkim"][number]) =>
          item.result === "pass" && same(item.domain) && !item.short_body && item.aligned !== null;
        const aligned =
          (seen.spf?.result === "pass" && same(seen.spf.domain) && seen.spf.aligned !== null) || seen.dkim.some(whole);
        const ours =
          seen.dmarc?.result === "pass" && same(seen.dmarc.domain) && (aligned || seen.dmarc.by !== "mailwright");
        const theirs = seen.claimed.some(
          ({ trusted, results }) =>
            trusted &&
            results.some(
              ({ method, result, properties }) =>
                method === "dmarc" &&
                result === "pass" &&
                properties.some(([name, value]) => name === "header.from" && same(value)),
            ),
        );
        expect(ours || theirs).toBe(true);
        expect(subject.conflict).toBe(false);
      }),
      { numRuns: 3_000 },
    );
  });

  // That somebody looked at mail of our own domains and found nothing is evidence against it, so there that word is left in place.
  test("taking away what speaks for the sender never raises the trust", () => {
    fc.assert(
      fc.property(anyCase, fc.nat(), (subject, which) => {
        const { evidence: seen } = subject;
        const without: Evidence[] = [
          ...seen.dkim.flatMap((each, at) =>
            each.result === "pass" && !each.short_body ? [{ ...seen, dkim: seen.dkim.toSpliced(at, 1) }] : [],
          ),
          ...(seen.dmarc?.result === "pass" && !(seen.dmarc.by === "mailwright" && rank(subject) === 0)
            ? [{ ...seen, dmarc: null }]
            : []),
          ...seen.claimed.flatMap(({ results }, at) =>
            results.every(({ result }) => result === "pass") && !people.isOwn(subject.message.from?.email ?? "")
              ? [{ ...seen, claimed: seen.claimed.toSpliced(at, 1) }]
              : [],
          ),
          ...(seen.arc?.result === "pass" ? [{ ...seen, arc: null }] : []),
        ];
        const less = without[which % Math.max(1, without.length)];
        if (less !== undefined) expect(rank({ ...subject, evidence: less })).toBeLessThanOrEqual(rank(subject));
      }),
      { numRuns: 3_000 },
    );
  });

  test("a conflict or a person's silence never raises it either, and the deciding reason stands first", () => {
    fc.assert(
      fc.property(anyCase, (subject) => {
        expect(rank({ ...subject, conflict: true })).toBeLessThanOrEqual(rank({ ...subject, conflict: false }));
        expect(rank({ ...subject, known: { ...subject.known, trustedWith: null } })).toBeLessThanOrEqual(rank(subject));
        const { trust, reasons } = judgeTrust(subject);
        const most = reasons.map(({ code }) => trustReasons[code as keyof typeof trustReasons].most);
        expect(most[0]).toBe(trust);
        expect(Math.min(...most.map((level) => trustLevels.indexOf(level)))).toBe(trustLevels.indexOf(trust));
      }),
      { numRuns: 2_000 },
    );
  });
});

test("mail of our own that made verifying break down is no mail that nobody looked at", async () => {
  expect(await judged("Kim <kim@globex.test>", failed("temperror", "verifying failed"))).toBe(
    "suspicious own_domain_unproven dns_failed",
  );
});
