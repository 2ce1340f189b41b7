/** What is verified of a sender, mechanism by mechanism, against names in memory. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Unverifiable } from "../../../src/mail/trust/feed.ts";
import type { AuthResult } from "../../../src/model/event.ts";
import { dnsZone, type Zone } from "../../support/dns-zone.ts";
import { sealed, signed, signingKey } from "../../support/signer.ts";
import { fromOthers, fromPeer, goodZone, look, mail, signedMail, signing } from "./mails.ts";

describe("mail of a domain that signs, from its own server", () => {
  test("passes by every mechanism, to the letter", async () => {
    const evidence = await look(signedMail(mail()));
    expect(evidence).toEqual({
      spf: {
        result: "pass",
        domain: "good.example",
        aligned: "strict",
        by: "mailwright",
        detail: "domain of ana@good.example designates 192.0.2.1 as permitted sender",
      },
      dkim: [
        {
          result: "pass",
          domain: "good.example",
          selector: "ed",
          algorithm: "ed25519-sha256",
          aligned: "strict",
          short_body: false,
          by: "mailwright",
          detail: null,
        },
      ],
      dmarc: {
        result: "pass",
        domain: "good.example",
        policy: "reject",
        by: "mailwright",
        detail: "aligned: SPF of good.example, DKIM of good.example",
      },
      arc: null,
      claimed: [],
    });
  });

  test("the copy that a mail store keeps, with bare LFs, passes too", async () => {
    const copy = signedMail(mail({ body: "one\r\n\r\n  two\r\n\r\n" }))
      .toString("latin1")
      .replaceAll("\r\n", "\n");
    expect((await look(copy)).dkim).toMatchObject([{ result: "pass" }]);
  });

  test("in whatever pieces it comes", async () => {
    const raw = signedMail(mail({ body: "a\r\n\r\nb \r\n".repeat(50) }));
    const { verify } = await import("../../../src/mail/trust.ts");
    const { chunks } = await import("./mails.ts");
    for (const size of [1, 2, 3, 7, 100]) {
      const evidence = await verify(chunks(raw, size), fromPeer(), goodZone().resolve);
      expect(evidence.dkim.map(({ result }) => result)).toEqual(["pass"]);
    }
  });
});

describe("the end of the header", () => {
  /** A byte at a time it is mailauth that looks for it; a whole mail is divided by us. */
  test("is where it is when the mail comes byte by byte", async () => {
    const { verify } = await import("../../../src/mail/trust.ts");
    const { chunks } = await import("./mails.ts");
    const piece = fc.constantFrom("\r\n", "\r\n\r\n", "\n", "\r", " ", "\t", "a", "From: Ana <ana@good.example>\r\n");
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
    await fc.assert(
      fc.asyncProperty(text, text, fc.boolean(), async (before, after, whole) => {
        const own = `${before}${whole ? signedMail(mail({ body: after })).toString("latin1") : after}`;
        const [once, slowly] = await Promise.all(
          [own.length + 1, 1].map((size) =>
            verify(chunks(Buffer.from(own, "latin1"), size), fromPeer(), goodZone().resolve),
          ),
        );
        expect(once).toEqual(slowly);
      }),
      { numRuns: 150 },
    );
  });
});

describe("SPF", () => {
  const spf = async (zone: Zone, peer: Parameters<typeof fromPeer>[0] = {}) =>
    (await look(mail(), { zone, received: fromPeer(peer) })).spf;
  const withPolicy = (policy: string | null, more: (zone: Zone) => void = () => undefined): Zone => {
    const zone = dnsZone();
    zone.add("good.example", "A", "192.0.2.200");
    if (policy !== null) zone.add("good.example", "TXT", policy);
    more(zone);
    return zone;
  };

  test.each<[string | null, AuthResult]>([
    ["v=spf1 ip4:192.0.2.0/24 -all", "pass"],
    ["v=spf1 ip4:198.51.100.0/24 -all", "fail"],
    ["v=spf1 ip4:198.51.100.0/24 ~all", "softfail"],
    ["v=spf1 ip4:198.51.100.0/24 ?all", "neutral"],
    ["v=spf1 ip4:198.51.100.0/24", "neutral"],
    ["v=spf1 ip4:nonsense -all", "permerror"],
    [null, "none"],
  ])("%s is %s", async (policy, result) => {
    expect(await spf(withPolicy(policy))).toMatchObject({ result, domain: "good.example", aligned: "strict" });
  });

  test("two policies are an error of the domain", async () => {
    const zone = withPolicy("v=spf1 +all", (more) => more.add("good.example", "TXT", "v=spf1 -all"));
    expect(await spf(zone)).toMatchObject({ result: "permerror" });
  });

  test("a policy that includes itself, or too many, is an error and ends", async () => {
    const loop = withPolicy("v=spf1 include:good.example -all");
    expect(await spf(loop)).toMatchObject({ result: "permerror" });
    const chain = withPolicy("v=spf1 include:p0.example -all", (zone) => {
      for (let i = 0; i < 12; i++) zone.add(`p${i}.example`, "TXT", `v=spf1 include:p${i + 1}.example -all`);
    });
    expect(await spf(chain)).toMatchObject({ result: "permerror" });
    expect(chain.asked.length).toBeLessThan(30);
  });

  test("more than two names that are not there are an error", async () => {
    const zone = withPolicy("v=spf1 a:no1.example a:no2.example a:no3.example -all");
    expect(await spf(zone)).toMatchObject({ result: "permerror" });
  });

  test("a server that fails is no verdict", async () => {
    const zone = withPolicy("v=spf1 -all");
    for (const failure of ["servfail", "refused", "silent", "garbage"] as const) {
      zone.fail("good.example", failure);
      expect(await spf(zone)).toMatchObject({ result: "temperror" });
    }
  });

  test("the null sender is judged by HELO", async () => {
    const zone = dnsZone();
    zone.add("mx.good.example", "TXT", "v=spf1 ip4:192.0.2.1 -all");
    expect(await spf(zone, { mailFrom: null })).toMatchObject({
      result: "pass",
      domain: "mx.good.example",
      aligned: "relaxed",
    });
  });

  test("HELO with an address says nothing", async () => {
    expect(await spf(dnsZone(), { mailFrom: null, helo: "192.0.2.1" })).toMatchObject({ result: "none" });
    expect(await spf(dnsZone(), { mailFrom: null, helo: "[192.0.2.1]" })).toMatchObject({ result: "none" });
  });

  test("a peer of IPv6, and one of IPv4 that came in over IPv6", async () => {
    expect(await spf(withPolicy("v=spf1 ip6:2001:db8::/32 -all"), { ip: "2001:db8::7" })).toMatchObject({
      result: "pass",
    });
    expect(await spf(withPolicy("v=spf1 ip4:192.0.2.1 -all"), { ip: "::ffff:192.0.2.1" })).toMatchObject({
      result: "pass",
    });
  });

  test("without a peer there is none", async () => {
    expect((await look(mail(), { received: fromOthers() })).spf).toBeNull();
  });
});

describe("DKIM", () => {
  const dkim = async (raw: Buffer | string, zone = goodZone()) => (await look(raw, { zone })).dkim;

  test.each(["rsa", "ed25519"] as const)("%s passes", async (kind) => {
    const how = kind === "rsa" ? { selector: "rsa", key: signingKey("rsa") } : {};
    expect(await dkim(signedMail(mail(), how))).toMatchObject([{ result: "pass", algorithm: `${kind}-sha256` }]);
  });

  test("a changed body, a changed header and a wrong key fail", async () => {
    const raw = signedMail(mail()).toString("latin1");
    expect(await dkim(raw.replace("call me", "pay me"))).toMatchObject([
      { result: "fail", detail: "body hash did not verify" },
    ]);
    expect(await dkim(raw.replace("An offer", "An order"))).toMatchObject([
      { result: "fail", detail: "bad signature" },
    ]);
    const other = signedMail(mail(), { key: signingKey("ed25519", "other") });
    expect(await dkim(other)).toMatchObject([{ result: "fail" }]);
  });

  test("no key, a revoked one, a short one, SHA-1 and an expired signature never pass", async () => {
    const zone = goodZone();
    zone.add("gone._domainkey.good.example", "TXT", "v=DKIM1; k=rsa; p=");
    zone.add("weak._domainkey.good.example", "TXT", signingKey("rsa", "weak", 768).record);
    const results = await Promise.all([
      dkim(signedMail(mail(), { selector: "nowhere" }), zone),
      dkim(signedMail(mail(), { selector: "gone" }), zone),
      dkim(signedMail(mail(), { selector: "weak", key: signingKey("rsa", "weak", 768) }), zone),
      dkim(signedMail(mail(), { selector: "rsa", key: signingKey("rsa"), hash: "sha1" }), zone),
      dkim(signedMail(mail(), { tags: ["x=1700000000"] }), zone),
    ]);
    expect(results.map(([one]) => [one?.result, one?.detail])).toEqual([
      ["neutral", "no key"],
      ["neutral", "invalid public key"],
      ["policy", "weak-key"],
      ["policy", expect.stringContaining("weak")],
      ["neutral", "expired"],
    ]);
  });

  test("an expiry is held against when the mail came, not against when it is read", async () => {
    const raw = signedMail(mail(), { tags: [`x=${Date.UTC(2026, 6, 15) / 1000}`] });
    expect(await dkim(raw)).toMatchObject([{ result: "pass" }]);
    const late = { ...fromPeer(), at: Date.UTC(2026, 6, 16) };
    expect((await look(raw, { received: late })).dkim).toMatchObject([{ result: "neutral", detail: "expired" }]);
  });

  test("a signature that does not cover From is none", async () => {
    expect(await dkim(signedMail(mail(), { headers: ["to", "subject"] }))).toMatchObject([{ result: "neutral" }]);
  });

  test("an algorithm that nobody knows is named", async () => {
    const raw = signedMail(mail()).toString("latin1").replace("ed25519-sha256", "rot13-sha256");
    expect(await dkim(raw)).toMatchObject([{ result: "neutral", detail: "unknown algorithm", domain: "good.example" }]);
  });

  test("l= that leaves some of the body out is said", async () => {
    const whole = mail({ body: "0123456789\r\n" });
    expect(await dkim(signedMail(whole, { bodyLength: 12 }))).toMatchObject([{ result: "pass", short_body: false }]);
    const raw = `${signedMail(whole, { bodyLength: 12 }).toString("latin1")}and pay this account\r\n`;
    const evidence = await look(raw, { received: fromPeer({ ip: "203.0.113.9" }) });
    expect(evidence.dkim).toMatchObject([{ result: "pass", short_body: true }]);
    expect(evidence.dmarc).toMatchObject({ result: "pass", detail: expect.stringContaining("unsigned") });
  });

  test("a server that fails is no verdict", async () => {
    const zone = goodZone();
    for (const failure of ["servfail", "silent", "garbage"] as const) {
      zone.fail("ed._domainkey.good.example", failure);
      expect(await dkim(signedMail(mail()), zone)).toMatchObject([{ result: "temperror" }]);
    }
  });

  test("of a thousand signatures ten are looked at, and that is said", async () => {
    const zone = goodZone();
    const one = signedMail(mail()).toString("latin1");
    const header = one.slice(0, one.indexOf("From: Ana"));
    const many = Array.from({ length: 999 }, (_, i) =>
      header.replace("s=ed", `s=s${i}`).replace("bh=", `l=${i}; bh=`),
    ).join("");
    const evidence = await look(`${many}${one}`, { zone });
    expect(evidence.dkim).toHaveLength(10);
    expect(evidence.dmarc?.detail).toContain("990 more signatures were not looked at");
    expect(zone.asked.length).toBeLessThan(20);
  });

  test("one that is made of blanks, to cost the square of them, is not looked at; nor is a mail of thousands of fields", async () => {
    const [before = "", after = ""] = signedMail(mail()).toString("latin1").split("From: Ana");
    const blown = before.replace(/; b=/, `; x-pad=${"\r\n ".repeat(4_900)}y; b=`);
    expect(blown.length).toBeGreaterThan(14_000);
    const evidence = await look(`${blown}${before}From: Ana${after}`);
    expect(evidence.dkim).toMatchObject([{ result: "pass" }]);
    expect(evidence.dmarc?.detail).toContain("1 more signatures were not looked at");
    const folds = `X: ${"\r\n ".repeat(5_001)}y\r\n`;
    await expect(look(`${folds}${before}From: Ana${after}`)).rejects.toThrow("more than 5000 lines");
    const long = signedMail(mail({ body: "a\r\n".repeat(20_000) }));
    expect((await look(long)).dmarc?.result).toBe("pass");
    await expect(look(`${"a:b\r\n".repeat(2_001)}${before}From: Ana${after}`)).rejects.toThrow(Unverifiable);
  });

  test("signatures that are not looked at may be signed by those that are", async () => {
    const many = Array.from(
      { length: 12 },
      (_, i) => `DKIM-Signature: v=1; a=rsa-sha256; d=x${i}.example; s=s; h=from; bh=AA==; b=AA==\r\n`,
    );
    const raw = signed(`${many.join("")}${mail()}`, signing({ headers: ["from", "dkim-signature"] }));
    expect((await dkim(raw))[0]).toMatchObject({ domain: "good.example", result: "pass" });
  });
});

describe("DMARC", () => {
  test.each<[string, string, AuthResult, string | null]>([
    ["v=DMARC1; p=reject", "good.example", "pass", "strict"],
    ["v=DMARC1; p=reject", "mail.good.example", "pass", "relaxed"],
    ["v=DMARC1; p=reject; adkim=s", "good.example", "pass", "strict"],
    ["v=DMARC1; p=reject; adkim=s", "mail.good.example", "fail", null],
    ["v=DMARC1; p=quarantine", "evil.example", "fail", null],
    ["", "mail.good.example", "none", "relaxed"],
    ["", "evil.example", "none", null],
    ["p=reject", "good.example", "none", "strict"],
  ])("%j and a signature of %s: %s, aligned %s", async (record, domain, result, aligned) => {
    const zone = goodZone(record);
    zone.add(`x._domainkey.${domain}`, "TXT", signingKey("ed25519").record);
    const evidence = await look(signedMail(mail(), { domain, selector: "x" }), { zone, received: fromOthers() });
    expect([evidence.dmarc?.result, evidence.dkim[0]?.result, evidence.dkim[0]?.aligned]).toEqual([
      result,
      "pass",
      aligned,
    ]);
  });

  test("SPF of a subdomain is aligned unless the record asks for the same", async () => {
    const received = fromPeer({ mailFrom: "bounce@news.good.example" });
    const zoneOf = (record: string) => {
      const zone = goodZone(record);
      zone.add("news.good.example", "TXT", "v=spf1 ip4:192.0.2.1 -all");
      return zone;
    };
    const relaxed = await look(mail(), { zone: zoneOf("v=DMARC1; p=reject"), received });
    expect([relaxed.dmarc?.result, relaxed.spf?.aligned]).toEqual(["pass", "relaxed"]);
    const strict = await look(mail(), { zone: zoneOf("v=DMARC1; p=reject; aspf=s"), received });
    expect([strict.dmarc?.result, strict.spf?.result, strict.spf?.aligned]).toEqual(["fail", "pass", null]);
  });

  test("two customers of one host are not one organisation", async () => {
    const zone = goodZone("");
    zone.add("x._domainkey.mallory.github.io", "TXT", signingKey("ed25519").record);
    const raw = signedMail(mail({ from: "a@acme.github.io" }), { domain: "mallory.github.io", selector: "x" });
    expect((await look(raw, { zone, received: fromOthers() })).dkim).toMatchObject([{ result: "pass", aligned: null }]);
  });

  test("the policy is the one that counts for the domain", async () => {
    const zone = goodZone("v=DMARC1; p=reject; sp=quarantine");
    zone.add("sub.good.example", "A", "192.0.2.5");
    const evidence = await look(mail({ from: "a@sub.good.example" }), { zone, received: fromOthers() });
    expect(evidence.dmarc).toMatchObject({ result: "fail", policy: "quarantine", domain: "sub.good.example" });
  });

  test("a server that fails is no verdict, and no pass", async () => {
    const zone = goodZone();
    for (const failure of ["servfail", "silent", "garbage"] as const) {
      zone.fail("_dmarc.good.example", failure);
      expect((await look(signedMail(mail()), { zone })).dmarc).toMatchObject({ result: "temperror", policy: null });
    }
    zone.failAll("silent");
    const evidence = await look(signedMail(mail()), { zone });
    expect([evidence.spf?.result, evidence.dkim[0]?.result, evidence.dmarc?.result]).toEqual([
      "temperror",
      "temperror",
      "temperror",
    ]);
  });

  test.each([
    ["two From headers", mail({ more: "From: boss@bank.example\r\n" }), "several From headers"],
    ["addresses of two domains", mail({ from: "a@good.example, b@bank.example" }), "several domains"],
    ["no address", mail({ from: "Billing Desk" }), ""],
    ["a comment in the domain", mail({ from: "A <a@good.example(x).evil.example>" }), ""],
  ])("%s: no verdict, and never a pass", async (_, raw, detail) => {
    const evidence = await look(signedMail(raw));
    expect(evidence.dmarc?.result).not.toBe("pass");
    expect(evidence.dmarc?.detail).toContain(detail);
  });
});

describe("ARC", () => {
  const results = "mx.list.example; dkim=pass header.d=good.example; dmarc=pass header.from=good.example";
  const chain = (mailed: Buffer, instance = 1) =>
    sealed(mailed, { domain: "list.example", selector: "seal", key: signingKey("rsa"), results, instance });
  const zoneWithSeal = (): Zone => {
    const zone = goodZone();
    zone.add("seal._domainkey.list.example", "TXT", signingKey("rsa").record);
    return zone;
  };

  test("results under a number that the chain does not have make the chain fail: whoever reads them would take them for the newest", async () => {
    const raw = sealed(mail(), {
      domain: "list.example",
      selector: "seal",
      key: signingKey("rsa"),
      results: "spf=fail",
    });
    const zone = goodZone();
    zone.add("seal._domainkey.list.example", "TXT", signingKey("rsa").record);
    expect((await look(raw, { zone })).arc).toMatchObject({ result: "pass" });
    for (const ending of ["; i=x", `; p=${"x".repeat(9_000)}`]) {
      const stray = `ARC-Authentication-Results: i=9; list.example; dmarc=pass header.from=good.example${ending}\r\n`;
      expect((await look(Buffer.concat([Buffer.from(stray), raw]), { zone })).arc?.result).toBe("fail");
    }
  });

  test("a chain that holds passes, and one that was changed fails", async () => {
    const zone = zoneWithSeal();
    const raw = chain(chain(signedMail(mail())), 2);
    expect((await look(raw, { zone })).arc).toMatchObject({ result: "pass", sealer: "list.example" });
    const changed = raw.toString("latin1").replace("call me", "pay me");
    expect((await look(changed, { zone })).arc).toMatchObject({ result: "fail", sealer: "list.example" });
  });

  test("a server that fails is no verdict", async () => {
    const zone = zoneWithSeal();
    zone.fail("seal._domainkey.list.example", "silent");
    expect((await look(chain(signedMail(mail())), { zone })).arc).toMatchObject({ result: "temperror" });
  });

  test("without a chain there is nothing to say", async () => {
    expect((await look(mail())).arc).toBeNull();
  });
});

describe("what others verified", () => {
  const header =
    "Authentication-Results: mx.google.test; spf=pass smtp.mailfrom=bounce@good.example; dmarc=pass header.from=good.example\r\n";

  test("counts where they received the mail and are named: SPF is theirs, and DMARC is judged with it", async () => {
    const evidence = await look(mail({ more: header }), { received: fromOthers("mx.google.test") });
    expect(evidence.spf).toMatchObject({
      result: "pass",
      by: "mx.google.test",
      domain: "good.example",
      aligned: "strict",
    });
    expect(evidence.dmarc).toMatchObject({ result: "pass", by: "mailwright" });
    expect(evidence.claimed).toMatchObject([{ authserv_id: "mx.google.test", trusted: true }]);
  });

  test.each([
    ["nobody is named", fromOthers(), header],
    ["another is named", fromOthers("mx.other.test"), header],
    ["it is not the topmost", fromOthers("mx.google.test"), `Authentication-Results: mx.evil.test; none\r\n${header}`],
    ["we received the mail", fromPeer({ ip: "203.0.113.9" }), header],
  ])("does not count where %s", async (_, received, more) => {
    const evidence = await look(mail({ more }), { received });
    expect(evidence.spf?.by).not.toBe("mx.google.test");
    expect(evidence.dmarc?.result).toBe("fail");
    expect(evidence.claimed.some(({ trusted }) => trusted)).toBe(false);
    expect(evidence.claimed.at(-1)).toMatchObject({ authserv_id: "mx.google.test" });
  });
});

describe("mail that costs too much", () => {
  test.each([
    ["a header without an end", `From: a@good.example\r\n${" x\r\n".repeat(150_000)}`],
    ["one endless line", mail({ body: "x".repeat(1_200_000) })],
  ])("%s is not verified", async (_, raw) => {
    await expect(look(raw)).rejects.toBeInstanceOf(Unverifiable);
  });

  test("bare newlines by the hundred thousand are verified, and are what was signed", async () => {
    const raw = signedMail(mail({ body: `x${"\r\n".repeat(500_000)}y\r\n` }));
    const bare = Buffer.from(raw.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
    expect((await look(bare)).dkim).toMatchObject([{ result: "pass" }]);
  });
});
