/** What a mail teaches about its sender, and what the next one is asked. */
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { alsoAtOf, compilePeople, noLists } from "../../../src/mail/people.ts";
import { inquire, trustable } from "../../../src/mail/trust/acquaintance.ts";
import { type Acquaintance, type Acquainted, type Keyed, strangers } from "../../../src/model/acquaintance.ts";
import { type Evidence, noEvidence } from "../../../src/model/event.ts";
import { mailFrom, passed, people, signature, spf } from "./acme.ts";

const keyed: Keyed = (purpose, value) =>
  createHmac("sha256", "key").update(`${purpose}\0${value}`).digest("base64url").slice(0, 22);

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("there is nothing to ask");
  return value;
}

async function asking(from: string, evidence: Evidence = noEvidence, ...headers: string[]) {
  const { message } = await mailFrom(from, ...headers);
  return { tenant: "acme", eventId: "event-new", message, evidence, people, keyed };
}
async function ask(from: string, ...headers: string[]) {
  const found = inquire(await asking(from, noEvidence, ...headers));
  if (found === undefined) throw new Error(`there is nothing to ask about ${from}`);
  return found;
}
/** A ledger that was taught by verified mails from these, and by nobody else. */
async function taughtBy(...froms: string[]): Promise<Acquainted["features"]> {
  const known: Acquaintance[] = [];
  for (const [n, from] of froms.entries()) {
    const lesson = (await ask(from)).lesson("verified", 1_000);
    for (const feature of lesson?.features ?? [])
      known.push({ ...feature, eventId: `event-${n}`, firstAt: 1_000, lastAt: 1_000, trust: "verified" });
  }
  return known;
}
async function known(from: string, features: Acquainted["features"], ...headers: string[]) {
  const inquiry = await ask(from, ...headers);
  const { hashes } = inquiry.question;
  return inquiry.known({ features: features.filter(({ hash }) => hashes.includes(hash)), trusted: [] });
}

describe("a lesson", () => {
  test("is taught by proven mail only, and never by our own", async () => {
    const inquiry = await ask("Ada Lovelace <ada@acme.test>");
    expect(inquiry.lesson("verified", 5)?.features.map(({ kind }) => kind)).toEqual([
      "address",
      "name",
      "domain",
      "label",
      "skeleton",
    ]);
    expect(inquiry.lesson("aligned-weak", 5)).toMatchObject({ trust: "aligned-weak", at: 5 });
    expect(inquiry.lesson("unverified", 5)).toBeUndefined();
    expect(inquiry.lesson("suspicious", 5)).toBeUndefined();
    expect((await ask("Jane <jane@globex.test>")).lesson("verified", 5)).toBeUndefined();
  });

  test("of freemail is about the address alone", async () => {
    const lesson = (await ask("Ada Lovelace <ada@gmail.com>")).lesson("verified", 5);
    expect(lesson?.features.map(({ kind }) => kind)).toEqual(["address", "name"]);
    expect(lesson?.features.every(({ of }) => of === lesson.features[0]?.hash)).toBe(true);
  });

  test("holds hashes only, different for each tenant", async () => {
    const one = JSON.stringify((await ask("Ada Lovelace <ada@acme.test>")).lesson("verified", 5));
    expect(one).not.toMatch(/acme|ada|lovelace/i);
    const other = inquire({ ...(await asking("Ada Lovelace <ada@acme.test>")), tenant: "other" })?.lesson(
      "verified",
      5,
    );
    expect(other?.features.some(({ hash }) => one.includes(hash))).toBe(false);
  });

  test("there is nothing to ask about nobody", async () => {
    expect(inquire(await asking("nobody"))).toBeUndefined();
  });
});

describe("what is known", () => {
  const customers = taughtBy(
    "Ada Lovelace <ada@initrode.test>",
    "Bob Byte <bob@acme.co.uk>",
    "Carl Cern <carl@gmail.com>",
    "Di Dean <di@modern.com>",
    "Ed Egg <ed@silver-toys.test>",
  );

  test.each([
    ["ada@initrode.test", null],
    ["somebody@mail.initrode.test", null],
    ["x@unheard-of.test", null],
    ["x@initr0de.test", "letters"],
    ["x@lnitrode.example", "letters"],
    ["x@initrdoe.test", "swapped"],
    ["x@sivler-toys.test", "swapped"],
    ["x@siler-vtoys.test", "swapped"],
    ["x@initrode.example", "ending"],
    ["x@initrode.test.evil.example", "inside"],
    ["x@acme.co.uk.evil.example", "inside"],
    ["x@modem.com", "letters"],
    ["x@modern.co", "slip"],
    ["x@modern.de", "ending"],
    ["x@gmai1.com", null],
  ])("%s beside the customers: %s", async (from, how) => {
    const found = await known(from, await customers);
    expect(found.lookalike?.how ?? null).toBe(how);
    expect(found.domain).toBe(from.endsWith("initrode.test"));
  });

  test("a name that somebody else is known by", async () => {
    expect((await known("Ada Lovelace <ada1815@gmail.com>", await customers)).name).toBe("event-0");
    expect((await known("Lovelace, Ada <ada@evil.test>", await customers)).name).toBe("event-0");
    expect((await known("Ada Lovelace <a.lovelace@initrode.test>", await customers)).name).toBeNull();
    expect((await known("Carl Cern <carl@gmail.com>", await customers)).name).toBeNull();
    expect((await known("Carl Cern <car1@gmail.com>", await customers)).name).toBe("event-2");
    const both = await taughtBy("Ada Lovelace <ada@initrode.test>", "Ada Lovelace <ada@gmail.com>");
    expect((await known("Ada Lovelace <ada@gmail.com>", both)).name).toBeNull();
  });

  test("a name of one person with several addresses, where the mapping lists them", async () => {
    const one = ["Ada@Initrode.test", "ada@analytical.test", "ada1815@gmail.com"];
    const known = async (from: string, ...before: string[]) => {
      const asked = { ...(await asking(from)), people: { ...people, alsoAt: alsoAtOf([one]) } };
      const inquiry = inquire(asked);
      const { hashes } = there(inquiry).question;
      const features = (await taughtBy(...before)).filter(({ hash }) => hashes.includes(hash));
      return there(inquiry).known({ features, trusted: [] }).name;
    };
    expect(await known("Ada Lovelace <ada@analytical.test>", "Ada Lovelace <ada@initrode.test>")).toBeNull();
    expect(await known("Ada Lovelace <ada1815@gmail.com>", "Ada Lovelace <ada@initrode.test>")).toBeNull();
    expect(await known("Ada Lovelace <ada@initrode.test>", "Ada Lovelace <ada1815@gmail.com>")).toBeNull();
    // Somebody else of her new company, and somebody who is not listed, show nothing by it.
    expect(await known("Ada Lovelace <boss@analytical.test>", "Ada Lovelace <ada@initrode.test>")).toBe("event-0");
    expect(await known("Ada Lovelace <ada1816@gmail.com>", "Ada Lovelace <ada1815@gmail.com>")).toBe("event-0");
    // Listed, and known by this name is still another one.
    expect(await known("Ada Lovelace <ada@analytical.test>", "Ada Lovelace <ada@elsewhere.test>")).toBe("event-0");
  });

  test("answers that go to a look-alike of a customer, and not those that go to the customer", async () => {
    const reply = async (to: string) => (await known("x@acme.test", await customers, `Reply-To: ${to}`)).replyTo?.how;
    expect(await reply("ada@initr0de.test")).toBe("letters");
    expect(await reply("ada@initrode.test")).toBe("ending");
    expect(await reply("x@unheard-of.test")).toBeUndefined();
    expect(await reply("a@b.test, c@d.test, ada@initr0de.test")).toBe("letters");
  });

  test("a question is bounded, whatever the headers hold", async () => {
    const replies = Array.from({ length: 500 }, (_, n) => `x@a${n}.b.c.d.e.f.host${n}.test`).join(", ");
    const { question } = await ask(`x@${"a.b.c.d.".repeat(20)}evil.test`, `Reply-To: ${replies}`);
    expect(question.hashes.length).toBeLessThan(100);
  });

  test("strangers are strangers", async () => {
    const inquiry = await ask("Ada Lovelace <ada@acme.test>");
    expect(inquiry.known(strangers)).toEqual({
      domain: false,
      lookalike: null,
      replyTo: null,
      name: null,
      trustedWith: null,
    });
  });
});

describe("a person's trust", () => {
  const vouched = {
    ...passed("acme.test"),
    dkim: [signature({ domain: "mail.esp.test", aligned: null })],
    spf: spf("pass", "bounce.acme.test"),
  };

  test("is bound to the address and a domain that vouches for the mail, and holds while one does", async () => {
    const decisions = trustable(await asking("Ada <ada@acme.test>", vouched), "jane", 7);
    expect(decisions).toHaveLength(2);
    expect(decisions[0]).toMatchObject({ kind: "trust", tenant: "acme", eventId: "event-new", by: "jane", at: 7 });
    const trusted = [decisions[0]?.domain ?? ""];
    const later = async (from: string, evidence: Evidence) => {
      const inquiry = inquire(await asking(from, evidence));
      return inquiry?.question.address === decisions[0]?.address
        ? inquiry?.known({ features: [], trusted }).trustedWith
        : "another address";
    };
    expect(
      await later("ADA@acme.test", { ...noEvidence, dkim: [signature({ domain: "esp.test", aligned: null })] }),
    ).toBe("esp.test");
    expect(await later("ada@acme.test", passed("evil.test"))).toBeNull();
    expect(await later("ada@acme.test", noEvidence)).toBeNull();
    expect(await later("eve@acme.test", vouched)).toBe("another address");
  });

  const trustedBy = async (from: string, evidence: Evidence) =>
    trustable(await asking(from, evidence), "jane", 7).map(({ domain }) => domain);
  const later = async (from: string, evidence: Evidence, trusted: readonly string[]) =>
    inquire(await asking(from, evidence))?.known({ features: [], trusted: [...trusted] }).trustedWith;
  const signedBy = (domain: string, aligned: "strict" | "relaxed" | null = null): Evidence => ({
    ...noEvidence,
    dkim: [signature({ domain, aligned })],
  });

  test("is nothing that an account at the same mail service, or at a freemail host, can gain", async () => {
    const services = [
      ...["em1.sendgrid.net", "eu-west-1.amazonses.com", "acme-test.20230601.gappssmtp.com", "gmail.com"],
      ...["dd1234.kasserver.com", "www1.your-server.de", "mta.web-hosting.com", "smtp.ispgateway.de", "emailsrvr.com"],
      ...["mail1.one.com", "mailtrap.live", "smtpcorp.com", "zoho.eu", "zohomail.in", "zohomail.eu", "hosteurope.de"],
      ...["lists.sourceforge.net", "groups.io", "freelists.org", "onmicrosoft.com"],
    ];
    for (const host of services) {
      expect(await trustedBy("Ada <ada@acme.test>", signedBy(host)), host).toEqual([]);
      expect(await trustedBy("Ada <ada@acme.test>", { ...noEvidence, spf: spf("pass", host, false) }), host).toEqual(
        [],
      );
      // Nor where such a word was taken before.
      const before = await trustedBy(`Eve <eve@${host}>`, signedBy(host, "strict"));
      expect(before, host).toHaveLength(1);
      expect(await later("ada@acme.test", signedBy(host), before), host).toBeNull();
    }
  });

  test("rests on the tenant of Microsoft's by which an honest customer's mail is signed, where he set up nothing", async () => {
    const real = compilePeople(noLists, () => false);
    const from = async (domain: string, evidence = signedBy(domain)) => ({
      ...(await asking("Ada <ada@acme.test>", evidence)),
      people: real,
    });
    const trusted = trustable(await from("contoso.onmicrosoft.com"), "jane", 7).map(({ domain }) => domain);
    expect(trusted).toHaveLength(1);
    const known = async (...asked: Parameters<typeof from>) =>
      inquire(await from(...asked))?.known({ features: [], trusted }).trustedWith;
    expect(await known("contoso.onmicrosoft.com")).toBe("contoso.onmicrosoft.com");
    expect(await known("fabrikam.onmicrosoft.com")).toBeNull();
    expect(await known("fabrikam.mail.onmicrosoft.com")).toBeNull();
    expect(trustable(await from("onmicrosoft.com"), "jane", 7)).toEqual([]);
    // All tenants send from the same servers, which SPF lets send for each of them.
    const bySpf = { ...noEvidence, spf: spf("pass", "contoso.onmicrosoft.com", false) };
    expect(trustable(await from("contoso.onmicrosoft.com", bySpf), "jane", 7)).toEqual([]);
  });

  test("is never bound to a mailing list, which signs again whatever From says", async () => {
    for (const field of [
      "List-Id: Offers <offers.lists.test>",
      "List-Post: <mailto:offers@lists.test>",
      "List-Post: NO",
    ]) {
      const through = async (evidence: Evidence) => await asking("Ada <ada@acme.test>", evidence, field);
      expect(trustable(await through(signedBy("lists.test")), "jane", 7), field).toEqual([]);
      const before = await trustedBy("Ada <ada@acme.test>", signedBy("lists.test"));
      expect(before).toHaveLength(1);
      const inquiry = inquire(await through(signedBy("lists.test")));
      expect(inquiry?.known({ features: [], trusted: before }).trustedWith, field).toBeNull();
      // Her own organisation's word came through unbroken.
      expect(trustable(await through(signedBy("acme.test", "strict")), "jane", 7), field).toHaveLength(1);
    }
    const news = await asking("Ada <ada@acme.test>", signedBy("esp.test"), "List-Unsubscribe: <https://esp.test/u>");
    expect(trustable(news, "jane", 7)).toHaveLength(1);
  });

  test("in somebody at a freemail host rests on that host alone, and is for his address alone", async () => {
    const gmail = await trustedBy("Ada <ada@gmail.com>", {
      ...signedBy("gmail.com", "strict"),
      spf: spf("pass", "esp.test", false),
    });
    expect(gmail).toHaveLength(1);
    expect(await later("ada@gmail.com", signedBy("gmail.com", "strict"), gmail)).toBe("gmail.com");
    const esp = await trustedBy("Ada <ada@acme.test>", signedBy("esp.test"));
    expect(await later("ada@acme.test", signedBy("esp.test"), esp)).toBe("esp.test");
    expect(await later("ada@gmail.com", signedBy("esp.test"), esp)).toBeNull();
    const address = async (from: string) => inquire(await asking(from))?.question.address;
    expect(await address("eve@gmail.com")).not.toBe(await address("ada@gmail.com"));
  });

  test("in an organisation is given by what DMARC lets speak for it; under a strict record, by the very name", async () => {
    const trusted = await trustedBy("Ada <ada@acme.test>", signedBy("acme.test", "strict"));
    expect(await later("ada@acme.test", signedBy("mail.acme.test", "relaxed"), trusted)).toBe("acme.test");
    expect(await later("ada@acme.test", signedBy("students.acme.test"), trusted)).toBeNull();
    const byOne = await trustedBy("Ada <ada@acme.test>", signedBy("news.acme.test"));
    expect(await later("ada@acme.test", signedBy("news.acme.test"), byOne)).toBe("news.acme.test");
    expect(await later("ada@acme.test", signedBy("students.acme.test"), byOne)).toBeNull();
  });

  test("cannot be given to what nothing vouches for, to a short signature, or to one of our own", async () => {
    expect(trustable(await asking("Ada <ada@acme.test>"), "jane", 7)).toEqual([]);
    const short = { ...noEvidence, dkim: [signature({ short_body: true })] };
    expect(trustable(await asking("Ada <ada@acme.test>", short), "jane", 7)).toEqual([]);
    expect(trustable(await asking("Jane <jane@globex.test>", vouched), "jane", 7)).toEqual([]);
    const own = inquire(await asking("Jane <jane@globex.test>", vouched));
    expect(own?.question.address).toBeNull();
    expect(
      own?.known({
        features: [],
        trusted: trustable(await asking("Ada <ada@acme.test>", vouched), "x", 1).map(({ domain }) => domain),
      }).trustedWith,
    ).toBeNull();
  });
});
