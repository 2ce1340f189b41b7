/** No From, however it is put together, makes a record at a domain that rejects what it did not send. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "../../../../src/mail/parse.ts";
import { verify } from "../../../../src/mail/trust.ts";
import { noEvidence } from "../../../../src/model/event.ts";
import { judgeAlone } from "../../../../src/pipeline/judging.ts";
import { dnsZone } from "../../../support/dns-zone.ts";
import { people } from "../acme.ts";
import { evil, evils, fill, mail, now } from "./world.ts";

const zone = dnsZone();
fill(zone);

const piece = fc.constantFrom(
  ...[
    "ada@acme.test",
    "x@evil.example",
    "<ada@acme.test>",
    "<x@evil.example>",
    "ada",
    "@",
    "acme.test",
    "evil.example",
  ],
  ...["<", ">", ",", ";", ":", "(", ")", "[", "]", '"', "\\", " ", "\t", "\r\n ", ".", "'", "%", "=", "Friends:"],
  ...["=?utf-8?Q?", "=40", "?=", "\u0000", "\u00ad", "\u200b", "ａ", "é", "mailto:", "@evil.example:"],
);
const anyFrom = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(""));
const field = fc.constantFrom(
  "From: ",
  "From : ",
  "from:",
  "FROM:\t",
  "Sender: ",
  "Reply-To: ",
  "Resent-From: ",
  "X-From: ",
);

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function judged(from: string, more: readonly string[]) {
  const raw = evils(mail({ from, top: more }));
  const client = { ip: evil.ip, helo: evil.helo, mailFrom: evil.mailFrom };
  const received = { client, hostname: "mx.in.globex.test", at: now, authservIds: [] };
  const [parsed, evidence] = await Promise.all([parse(raw), verify(once(raw), received, zone.resolve)]);
  const { auth } = judgeAlone(parsed, evidence ?? noEvidence, { people, arcSealers: [] }, false);
  return { auth, email: parsed.message.from?.email ?? null, domain: parsed.message.from?.domain ?? null };
}

test("made of any pieces, beside any other header", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(anyFrom, fc.array(fc.tuple(field, anyFrom), { maxLength: 1 }), async (from, others) => {
      const more = others.map(([name, value]) => `${name}${value.replace(/^\s+/, "")}`);
      const { auth, email, domain } = await judged(from, more);
      if (auth.trust === "suspicious" || email === null) return;
      expect({ from, more, email, domain: people.registrable(domain ?? ""), trust: auth.trust }).toEqual({
        from,
        more,
        email,
        domain: auth.trust === "verified" ? "evil.example" : expect.not.stringMatching(/^acme\.test$/),
        trust: auth.trust,
      });
    }),
    { numRuns: 500 },
  );
});
