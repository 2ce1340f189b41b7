import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newestTime, receivedHops } from "../../src/mail/received.ts";

const hops = (...values: string[]) => receivedHops(values.map((raw) => ({ name: "Received", key: "received", raw })));
const at = "2026-07-14T07:15:02Z";
const date = "Tue, 14 Jul 2026 09:15:02 +0200";

describe("a Received field", () => {
  test.each([
    [
      "Postfix",
      ` from mail.shop.example (mail.shop.example [192.0.2.7])\r\n\t(using TLSv1.3 with cipher X (256/256 bits))\r\n\tby mx.example (Postfix) with ESMTPS id 4F1\r\n\tfor <deals@inbound.example.com>; ${date} (CEST)`,
      { from: "mail.shop.example", by: "mx.example", with: "ESMTPS", ip: "192.0.2.7", at },
    ],
    [
      "Exchange Online",
      ` from AM0PR01.prod.example (2603:10a6:208:AA::19)\r\n by AM9PR01.prod.example (2603:10a6:20b:0:0:0:0:7) with Microsoft SMTP\r\n Server (version=TLS1_2) id 15.20.1; ${date}`,
      {
        from: "AM0PR01.prod.example",
        by: "AM9PR01.prod.example",
        with: "Microsoft SMTP Server",
        ip: "2603:10a6:208:aa::19",
        at,
      },
    ],
    [
      "qmail",
      ` from unknown (HELO shop.example) (192.0.2.7)\r\n  by mx.example with SMTP; 14 Jul 2026 07:15:02 -0000`,
      { from: "unknown", by: "mx.example", with: "SMTP", ip: "192.0.2.7", at },
    ],
    [
      "qmail, from itself",
      ` (qmail 1234 invoked by uid 89); 14 Jul 2026 07:15:02 -0000`,
      { from: null, by: null, ip: null, at },
    ],
    [
      "Exim",
      ` from [192.0.2.7] (helo=pc.local)\r\n\tby mx.example with esmtpsa (TLS1.3) id 1x-2; ${date}`,
      { from: "[192.0.2.7]", by: "mx.example", with: "esmtpsa", ip: "192.0.2.7", at },
    ],
    [
      "a webmail",
      ` by 2002:a05:6a10:9f0 with SMTP id a1csp; Tue, 14 Jul 2026 00:15:02 -0700 (PDT)`,
      { from: null, by: "2002:a05:6a10:9f0", with: "SMTP", ip: null, at },
    ],
    [
      "an address literal in IPv6",
      ` from a.example ([IPv6:2001:DB8:0::1]) by mx.example with LMTP id x; ${date}`,
      { from: "a.example", by: "mx.example", with: "LMTP", ip: "2001:db8::1", at },
    ],
    ["no date", " from a.example by b.example", { from: "a.example", by: "b.example", with: null, ip: null, at: null }],
    ["a date that is none", " from a.example by b.example; yesterday", { from: "a.example", at: null }],
    [
      "a comment that never closes",
      ` from a.example (x [192.0.2.7] by b.example; ${date}`,
      { from: "a.example", ip: "192.0.2.7" },
    ],
    ["what is no address", " from a.example (x [999.0.2.7]) by b.example", { ip: null }],
    ["the receiver's address", " from a.example by b.example ([192.0.2.9]) with SMTP", { ip: null }],
    ["nothing", "", { from: null, by: null, with: null, ip: null, at: null }],
  ])("of %s", (_, raw, expected) => {
    expect(hops(raw)[0]).toMatchObject(expected);
  });

  test("of a hundred is kept, the newest first; the newest time that can be read counts", () => {
    const found = hops(
      "from a; nonsense",
      `from b; ${date}`,
      ...Array.from({ length: 150 }, () => "from c; 1 Jul 2026 00:00 Z"),
    );
    expect(found).toHaveLength(100);
    expect(found.slice(0, 3).map(({ from }) => from)).toEqual(["a", "b", "c"]);
    expect(newestTime(found)).toBe(Date.parse(at));
    expect(newestTime(hops("from a"))).toBeUndefined();
  });

  test("of any bytes is read without a throw, and holds no control character", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "from ",
        "by ",
        "with ",
        "(",
        ")",
        "[",
        "]",
        ";",
        "192.0.2.1",
        "::1",
        " ",
        "\x01",
        "=?utf-8?q?=0D?=",
      ),
      fc.string({ unit: "binary", maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        // The texts themselves: in JSON a backslash before an n looks like the end of a line.
        const texts = hops(pieces.join("")).flatMap((hop) => Object.values(hop));
        for (const text of texts) expect(text ?? "").not.toMatch(/\p{Cc}/u);
      }),
      { numRuns: 2000 },
    );
  });
});
