/** What the signer of the tests signs is what mailauth accepts: two pieces of code that do not know each other. */
import { authenticate } from "mailauth";
import { describe, expect, test } from "vitest";
import { dnsZone } from "./dns-zone.ts";
import { sealed, signed, signingKey } from "./signer.ts";

const mail =
  "From: Ana <ana@good.example>\r\nTo: sales@inbound.example\r\nSubject:  a   folded\r\n\tsubject\r\nDate: Tue, 14 Jul 2026 09:15:00 +0200\r\n\r\nHello  there \r\nline\t two\r\n\r\n\r\n";

describe.each(["rsa", "ed25519"] as const)("%s", (kind) => {
  const key = signingKey(kind);
  const zone = dnsZone();
  zone.add("s1._domainkey.good.example", "TXT", key.record);
  zone.add("_dmarc.good.example", "TXT", "v=DMARC1; p=reject");
  zone.add("seal._domainkey.list.example", "TXT", key.record);
  const look = async (raw: Buffer | string) =>
    await authenticate(raw as Buffer, {
      ip: "192.0.2.1",
      helo: "mx.example",
      sender: "ana@good.example",
      mta: "us.example",
      disableBimi: true,
      resolver: zone.resolve as never,
    });

  test.each(["relaxed/relaxed", "simple/simple", "relaxed/simple", "simple/relaxed"])("%s", async (canon) => {
    const result = await look(signed(mail, { domain: "good.example", selector: "s1", key, canon }));
    expect(result.dkim.results.map(({ status }) => status.result)).toEqual(["pass"]);
    expect(result.dmarc || null).toMatchObject({ status: { result: "pass" } });
  });

  test("another body does not pass", async () => {
    const raw = signed(mail, { domain: "good.example", selector: "s1", key })
      .toString("latin1")
      .replace("Hello", "Hallo");
    expect((await look(raw)).dkim.results.map(({ status }) => status.result)).not.toContain("pass");
  });

  test("a chain of two seals passes", async () => {
    const how = {
      domain: "list.example",
      selector: "seal",
      key,
      results: "mx.list.example; dkim=pass header.d=good.example",
    };
    const once = sealed(signed(mail, { domain: "good.example", selector: "s1", key }), how);
    const twice = sealed(once, { ...how, instance: 2 });
    for (const raw of [once, twice]) {
      const { arc } = await look(raw);
      expect(arc && [arc.status.result, arc.status.comment]).toEqual(["pass", expect.any(String)]);
    }
  });

  test("l= covers the beginning of the body", async () => {
    const raw = signed(mail, { domain: "good.example", selector: "s1", key, bodyLength: 5 }).toString("latin1");
    const [result] = (await look(`${raw}appended\r\n`)).dkim.results;
    expect(result?.status.result).toBe("pass");
    expect(result?.status.underSized).toBeGreaterThan(0);
  });
});
