import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "../../src/mail/parse.ts";
import { mostFiledUnder, participants } from "../../src/mail/participants.ts";
import { addressKey, compilePeople, noLists } from "../../src/mail/people.ts";
import type { Envelope } from "../../src/model/envelope.ts";
import { participantsSchema } from "../../src/model/event/participants.ts";
import type { PeopleLists } from "../../src/model/people.ts";
import { address, eventWith } from "../mapping/fakes.ts";

type ImapFacts = NonNullable<Envelope["imap"]>;

const inbound = (email: string): boolean => /@inbound\.example\.com$/i.test(email);
const lists: Partial<PeopleLists> = {
  own_domains: ["acme.example"],
  own_addresses: ["kim.acme@gmail.com"],
  excluded: ["tax.example", "boss@client.example"],
};
const compiled = (more: Partial<PeopleLists> = {}) => compilePeople({ ...noLists, ...lists, ...more }, inbound);
const people = compiled();
const routes = ["deals@inbound.example.com"];

/** Of a mail with these headers and this text. */
async function of(headers: readonly string[], body = "Hello", came: { routes: string[] } = { routes }) {
  const raw = Buffer.from([...headers, "", body].join("\r\n"));
  const found = participants(await parse(raw), came, people);
  return participantsSchema.parse(found);
}
const emails = (found: readonly { email: string }[]): string[] => found.map(({ email }) => email);

describe("a customer writes in", () => {
  test("and is whom it is filed under; the others in To and Cc take part, our people are told apart", async () => {
    const found = await of([
      "From: Ada Lovelace <Ada@Client.example>",
      "To: deals@inbound.example.com, Kim <kim@acme.example>",
      "Cc: Charles <charles@client.example>, kim.acme@gmail.com, sales+eu@partner.example",
    ]);
    expect(found).toMatchObject({
      direction: "inbound",
      basis: "sender",
      filed_under: [
        {
          email: "Ada@client.example",
          name: "Ada Lovelace",
          part: "sender",
          kinds: [],
          organisation: "client.example",
        },
      ],
      others: [
        { email: "charles@client.example", part: "recipient" },
        { email: "sales+eu@partner.example", kinds: ["role"], organisation: "partner.example" },
      ],
      colleagues: ["kim@acme.example", "kim.acme@gmail.com"],
      forwarded_by: null,
      list: null,
      excluded: null,
    });
  });

  test("with a Reply-To elsewhere: From stays the person, Reply-To takes part", async () => {
    const found = await of([
      "From: ada@client.example",
      "Reply-To: other@elsewhere.example",
      "To: deals@inbound.example.com",
    ]);
    expect(emails(found.filed_under)).toEqual(["ada@client.example"]);
    expect(found.others).toMatchObject([{ email: "other@elsewhere.example", part: "reply_to" }]);
  });

  test("from free mail, an address for an hour, or one that nobody reads: the kind says so, no organisation is named", async () => {
    const one = async (from: string) => (await of([`From: ${from}`, "To: deals@inbound.example.com"])).filed_under[0];
    expect(await one("ada@gmail.com")).toMatchObject({ kinds: ["freemail"], organisation: null });
    expect(await one("x@mailinator.com")).toMatchObject({ kinds: ["disposable"], organisation: null });
    expect(await one("noreply@shop.example")).toMatchObject({ kinds: ["no_reply"], organisation: "shop.example" });
    expect(await one("info@shop.example")).toMatchObject({ kinds: ["role"], organisation: "shop.example" });
  });

  test("by forwarding somebody else's mail: it is the customer's", async () => {
    const found = await of(
      ["From: ada@client.example", "To: deals@inbound.example.com", "Subject: Fwd: parts"],
      "---------- Forwarded message ---------\r\nFrom: Eve <eve@third.example>\r\nDate: Tue, 3 Mar 2026 at 10:00\r\nSubject: parts\r\nTo: <ada@client.example>\r\n\r\nten",
    );
    expect(found).toMatchObject({ direction: "inbound", basis: "sender", forwarded_by: null, others: [] });
    expect(emails(found.filed_under)).toEqual(["ada@client.example"]);
  });

  test("and a colleague's mailbox redirects it to us: From is kept, and counts", async () => {
    const found = await of([
      "Resent-From: kim@acme.example",
      "Resent-To: deals@inbound.example.com",
      "X-Forwarded-For: kim@acme.example deals@inbound.example.com",
      "From: ada@client.example",
      "To: kim@acme.example",
    ]);
    expect(found).toMatchObject({ direction: "inbound", basis: "sender", colleagues: ["kim@acme.example"] });
    expect(emails(found.filed_under)).toEqual(["ada@client.example"]);
  });

  test("whom people.excluded names: the entry is told, nobody is filed", async () => {
    expect(await of(["From: anna@office.tax.example", "To: deals@inbound.example.com"])).toMatchObject({
      filed_under: [],
      basis: "nobody",
      excluded: "tax.example",
    });
  });

  test("without an address, or not at all: nobody, and no guess", async () => {
    for (const from of ["From: Just A Name", "X-From: ada@client.example"]) {
      expect(await of([from, "To: deals@inbound.example.com"])).toMatchObject({
        direction: "inbound",
        basis: "nobody",
        filed_under: [],
        excluded: null,
      });
    }
  });
});

describe("a colleague writes to customers", () => {
  test("with the inbound address in Cc: outbound, filed under those in To, then Cc", async () => {
    const found = await of([
      "From: Kim <kim@acme.example>",
      "To: Ada <ada@client.example>, lee@acme.example, bo@client.example",
      "Cc: deals@inbound.example.com, ADA@CLIENT.EXAMPLE, zoe@other.example",
    ]);
    expect(found).toMatchObject({ direction: "outbound", basis: "recipients", others: [], excluded: null });
    expect(emails(found.filed_under)).toEqual(["ada@client.example", "bo@client.example", "zoe@other.example"]);
    expect(found.filed_under[0]).toMatchObject({ name: "Ada", part: "recipient" });
    expect(found.colleagues).toEqual(["kim@acme.example", "lee@acme.example"]);
  });

  test("with the inbound address in Bcc: it stands nowhere, and nothing changes", async () => {
    const found = await of(["From: kim@acme.example", "To: ada@client.example"]);
    expect(found).toMatchObject({ direction: "outbound", filed_under: [{ email: "ada@client.example" }] });
  });

  test("from a private address that is listed as ours", async () => {
    expect(await of(["From: Kim.Acme@GMAIL.com", "To: ada@client.example"])).toMatchObject({ direction: "outbound" });
  });

  test("leaving out whom people.excluded names, and saying so where nobody else is left", async () => {
    const some = await of(["From: kim@acme.example", "To: boss@client.example, ada@client.example"]);
    expect(emails(some.filed_under)).toEqual(["ada@client.example"]);
    expect(some.excluded).toBeNull();
    expect(await of(["From: kim@acme.example", "To: boss@client.example, x@tax.example"])).toMatchObject({
      direction: "outbound",
      filed_under: [],
      others: [],
      excluded: "boss@client.example",
    });
  });

  test("a colleague who is excluded leaves no trace either", async () => {
    const raw = Buffer.from("From: kim@acme.example\r\nTo: ada@client.example\r\n\r\nhi");
    const found = participants(await parse(raw), { routes }, compiled({ excluded: ["kim@acme.example"] }));
    expect(found).toMatchObject({ filed_under: [], excluded: "kim@acme.example" });
  });

  test(`to ${mostFiledUnder} of them: all are filed under; to one more: none, since that is a mailing`, async () => {
    const to = (count: number) =>
      Array.from({ length: count }, (_, index) => `c${index}@client.example`).join(",\r\n ");
    const most = await of(["From: kim@acme.example", `To: ${to(mostFiledUnder)}`]);
    expect(most.filed_under).toHaveLength(mostFiledUnder);
    const more = await of(["From: kim@acme.example", `To: ${to(mostFiledUnder + 1)}`]);
    expect(more).toMatchObject({ direction: "outbound", basis: "broadcast", filed_under: [] });
    expect(more.others).toHaveLength(mostFiledUnder + 1);
    expect((await of(["From: kim@acme.example", `To: ${to(500)}`])).others).toHaveLength(200);
  });

  test("to a no-reply address alone: nobody is there to file it under", async () => {
    const found = await of(["From: kim@acme.example", "To: no-reply@shop.example"]);
    expect(found).toMatchObject({ direction: "outbound", basis: "nobody", filed_under: [], excluded: null });
    expect(emails(found.others)).toEqual(["no-reply@shop.example"]);
  });

  test("the route that the mail came by is ours, even when the configuration no longer says so", async () => {
    const found = await of(["From: kim@acme.example", "To: old@gone.example"], "hi", { routes: ["Old@gone.example"] });
    expect(found).toMatchObject({ direction: "internal", filed_under: [], others: [] });
  });

  test("the tagged inbound address of a thread takes no part", async () => {
    const found = await of([
      "From: kim@acme.example",
      "To: ada@client.example",
      "Reply-To: deals+t.abc@inbound.example.com",
    ]);
    expect(found).toMatchObject({ filed_under: [{ email: "ada@client.example" }], others: [] });
  });
});

describe("a colleague forwards", () => {
  const forward = (from: string, to = "kim@acme.example") =>
    `FYI\r\n\r\n---------- Forwarded message ---------\r\nFrom: ${from}\r\nDate: Tue, 3 Mar 2026 at 10:00\r\nSubject: parts\r\nTo: <${to}>\r\n\r\nten, please`;
  const headers = ["From: Kim Li <kim@acme.example>", "To: deals@inbound.example.com", "Subject: Fwd: parts"];

  test("a customer's mail: inbound, filed under who wrote it, and it is known who handed it on", async () => {
    expect(await of(headers, forward("Ada Lovelace <ada@client.example>"))).toMatchObject({
      direction: "inbound",
      basis: "original",
      filed_under: [{ email: "ada@client.example", name: "Ada Lovelace", part: "original_sender" }],
      forwarded_by: { email: "kim@acme.example", name: "Kim Li" },
      colleagues: ["kim@acme.example"],
    });
  });
  test("a colleague's own mail to a customer: outbound, filed under whom it went to", async () => {
    expect(await of(headers, forward("Lee <lee@acme.example>", "ada@client.example"))).toMatchObject({
      direction: "outbound",
      basis: "original",
      filed_under: [{ email: "ada@client.example", part: "original_recipient" }],
      forwarded_by: { email: "kim@acme.example" },
    });
  });
  test("a mail among colleagues: internal", async () => {
    expect(await of(headers, forward("Lee <lee@acme.example>", "deals@inbound.example.com"))).toMatchObject({
      direction: "internal",
      filed_under: [],
      forwarded_by: null,
    });
  });
  test("to a customer: it is a mail to that customer", async () => {
    const found = await of(
      ["From: kim@acme.example", "To: bo@other.example", "Cc: deals@inbound.example.com", "Subject: Fwd: parts"],
      forward("ada@client.example"),
    );
    expect(found).toMatchObject({ direction: "outbound", basis: "recipients", forwarded_by: null });
    expect(emails(found.filed_under)).toEqual(["bo@other.example"]);
  });
  test("what names no address: nobody is guessed, and who forwarded it is known", async () => {
    expect(await of(headers, forward("Ada Lovelace"))).toMatchObject({
      direction: "inbound",
      basis: "nobody",
      filed_under: [],
      forwarded_by: { email: "kim@acme.example" },
    });
  });
  test("the mail of somebody excluded: the entry is told", async () => {
    expect(await of(headers, forward("x@tax.example"))).toMatchObject({ filed_under: [], excluded: "tax.example" });
  });
  test("but an Outlook reply with its block is no forward: it is filed under whom it answers", async () => {
    const block =
      "Fine.\r\n\r\nFrom: Ada <ada@client.example>\r\nSent: Tuesday, March 3, 2026 10:00\r\nTo: Kim <kim@acme.example>\r\nSubject: parts\r\n\r\nten";
    const found = await of(
      ["From: kim@acme.example", "To: Ada <ada@client.example>", "Cc: deals@inbound.example.com", "Subject: RE: parts"],
      block,
    );
    expect(found).toMatchObject({ direction: "outbound", basis: "recipients", forwarded_by: null });
  });
});

describe("our own web site writes", () => {
  const site = (from: string) => [
    `From: ${from}`,
    "Reply-To: Ada <ada@client.example>",
    "To: deals@inbound.example.com",
  ];
  test.each(["website@acme.example", "noreply@acme.example", "WordPress <wordpress@www.acme.example>"])(
    "from %s with the customer in Reply-To: inbound, filed under the customer",
    async (from) => {
      const found = await of(site(from));
      expect(found).toMatchObject({
        direction: "inbound",
        basis: "form",
        filed_under: [{ email: "ada@client.example", part: "reply_to" }],
      });
      expect(found.forwarded_by).not.toBeNull();
    },
  );
  test("a colleague with a name and a Reply-To elsewhere is a colleague", async () => {
    expect(await of(site("kim@acme.example"))).toMatchObject({ direction: "internal", filed_under: [] });
  });
});

describe("a mailing list", () => {
  const list = [
    "List-Id: Talk <talk.lists.example>",
    "List-Post: <mailto:talk@lists.example>",
    "To: talk@lists.example",
    "Cc: deals@inbound.example.com",
  ];
  test("is nobody: the author is, and the list is named", async () => {
    expect(await of([...list, "From: ada@client.example"])).toMatchObject({
      basis: "sender",
      filed_under: [{ email: "ada@client.example" }],
      others: [],
      list: { address: "talk@lists.example", own: false },
    });
  });
  test.each([
    ["Reply-To", ["Reply-To: Ada Lovelace <ada@client.example>, talk@lists.example"]],
    ["X-Original-From", ["X-Original-From: ada@client.example", "Reply-To: talk@lists.example"]],
    ["Cc, under the same name", ["Cc: Ada Lovelace <ada@client.example>", "Reply-To: talk@lists.example"]],
  ])("that put itself into From: the author is found in %s", async (_where, more) => {
    expect(await of([...list, ...more, "From: Ada Lovelace via Talk <talk@lists.example>"])).toMatchObject({
      direction: "inbound",
      basis: "list_author",
      filed_under: [{ email: "ada@client.example", name: "Ada Lovelace", part: "sender" }],
      list: { own: false },
    });
  });
  test("that hides who wrote: nobody, even where the list is ours", async () => {
    const own = [
      "List-Id: <sales.acme.example>",
      "To: sales@acme.example",
      "From: 'Ada' via Sales <sales@acme.example>",
    ];
    expect(await of(own)).toMatchObject({
      direction: "inbound",
      basis: "nobody",
      filed_under: [],
      list: { own: true },
    });
    expect(await of([...own, "Reply-To: ada@client.example"])).toMatchObject({
      direction: "inbound",
      basis: "list_author",
      filed_under: [{ email: "ada@client.example" }],
      list: { address: "sales@acme.example", own: true },
    });
  });
  test("of ours that a stranger names in his own mail is not believed who wrote", async () => {
    const forged = ["List-Id: <sales.acme.example>", "List-Post: <mailto:sales@acme.example>"];
    const found = await of([
      ...forged,
      'From: "Ada Lovelace via Sales" <x@evil.example>',
      "To: deals@inbound.example.com, x@evil.example",
      "X-Original-From: Ada Lovelace <ada@client.example>",
    ]);
    expect(found).toMatchObject({ basis: "list_author", list: { own: false } });
  });

  test("through which a colleague writes: the colleague, not the list", async () => {
    const found = await of([
      "List-Id: <sales.acme.example>",
      "To: sales@acme.example, ada@client.example",
      "From: Kim via Sales <sales@acme.example>",
      "Reply-To: kim@acme.example",
    ]);
    expect(found).toMatchObject({ direction: "outbound", filed_under: [{ email: "ada@client.example" }] });
  });
  test("a person who is called Via Something is no list", async () => {
    expect(
      await of([...list, "From: Transit via Rail <ada@client.example>", "Reply-To: other@x.example"]),
    ).toMatchObject({
      basis: "sender",
      filed_under: [{ email: "ada@client.example" }],
    });
  });
});

describe("internal mail", () => {
  test.each([
    [["From: kim@acme.example", "To: lee@acme.example, deals@inbound.example.com"]],
    [["From: kim@acme.example", "To: undisclosed-recipients:;"]],
    [["From: deals@inbound.example.com", "To: kim@acme.example"]],
    [["From: kim@acme.example"]],
  ])("%s: nobody outside takes part", async (headers) => {
    expect(await of(headers)).toMatchObject({ direction: "internal", basis: "nobody", filed_under: [], others: [] });
  });
});

describe("whatever the headers hold", () => {
  const pool = [
    "kim@acme.example",
    "lee@eu.acme.example",
    "kim.acme@gmail.com",
    "deals@inbound.example.com",
    "Deals+t.x@inbound.example.com",
    "ada@client.example",
    "ADA@client.example",
    "bo@other.example",
    "boss@client.example",
    "x@tax.example",
    "noreply@shop.example",
    "info@shop.example",
    "sales@lists.example",
  ];
  const some = fc.option(fc.constantFrom(...pool), { nil: null, freq: 8 }).map((email) => address(email, "Some One"));
  const mail = fc
    .record({
      from: fc.option(some, { nil: null, freq: 8 }),
      to: fc.array(some, { maxLength: 30 }),
      cc: fc.array(some, { maxLength: 5 }),
      reply_to: fc.array(some, { maxLength: 2 }),
      original: fc.option(some, { nil: null }),
      listed: fc.boolean(),
    })
    .map(({ original, listed, ...message }) =>
      eventWith({
        message: {
          ...message,
          from_all: message.from === null ? [] : [message.from],
          list: listed
            ? { id: "sales.lists.example", unsubscribe: [], post: "mailto:sales@lists.example", one_click: false }
            : null,
          forwarded:
            original === null
              ? null
              : {
                  kind: "inline",
                  from: original,
                  to: message.cc,
                  date: null,
                  date_raw: null,
                  subject: null,
                  message_id: null,
                  text: null,
                },
        },
      }),
    );

  test("nothing is filed under one of ours, an inbound or an excluded address, a list, or one person twice", () => {
    fc.assert(
      fc.property(mail, (event) => {
        const found = participants(event, { routes }, people);
        expect(() => participantsSchema.parse(found)).not.toThrow();
        const all = [...found.filed_under, ...found.others];
        for (const { email } of all) {
          expect([people.isOwn(email), people.isInbound(email), people.excludedBy(email)]).toEqual([
            false,
            false,
            undefined,
          ]);
          if (event.message.list !== null) expect(email).not.toBe("sales@lists.example");
        }
        expect(new Set(all.map(({ email }) => addressKey(email))).size).toBe(all.length);
        for (const email of found.colleagues) expect(people.isOwn(email)).toBe(true);
        if (found.excluded !== null || found.direction === "internal") expect(found.filed_under).toEqual([]);
        expect(found.filed_under.length === 0).toBe(found.basis === "nobody" || found.basis === "broadcast");
      }),
    );
  });

  test("the order of To and Cc changes neither who takes part nor the direction, and the same mail gives the same answer", () => {
    fc.assert(
      fc.property(mail, fc.infiniteStream(fc.nat()), (event, chance) => {
        const shuffled = <T>(list: readonly T[]): T[] =>
          list
            .map((one) => ({ one, at: chance.next().value }))
            .sort((a, b) => a.at - b.at)
            .map(({ one }) => one);
        const { message } = event;
        const other = { message: { ...message, to: shuffled(message.to), cc: shuffled(message.cc) } };
        const known = participants(event, { routes }, people);
        const again = participants(other, { routes }, people);
        const set = (list: readonly { email: string }[]) => list.map(({ email }) => addressKey(email)).sort();
        expect(again).toMatchObject({ direction: known.direction, basis: known.basis });
        expect(set(again.filed_under)).toEqual(set(known.filed_under));
        expect(set(again.others)).toEqual(set(known.others));
        expect(participants(structuredClone({ message }), { routes }, people)).toEqual(known);
      }),
    );
  });
});

describe("what lies among the sent mail of a mailbox", () => {
  const from = async (headers: readonly string[], imap: Partial<ImapFacts> = {}) => {
    const facts = { account: "kim", mailbox: "Sent", uidvalidity: 1, uid: 1, flags: [], internaldate: null };
    const came = { kind: "imap" as const, routes: [imap.mailbox ?? "Sent"], imap: { ...facts, sent: true, ...imap } };
    return participantsSchema.parse(
      participants(await parse(Buffer.from([...headers, "", "Hello"].join("\r\n"))), came, people),
    );
  };
  const inInbox = { mailbox: "INBOX", sent: false };

  test("was written by its owner, under whichever address, and is filed under who it went to", async () => {
    const headers = ["From: Kim <kim@old-name.example>", "To: Ada <ada@client.example>", "Cc: bo@acme.example"];
    expect(await from(headers)).toMatchObject({
      direction: "outbound",
      basis: "recipients",
      filed_under: [{ email: "ada@client.example", name: "Ada", part: "recipient" }],
      colleagues: ["bo@acme.example"],
    });
    // The same mail in the inbox is a stranger's.
    const received = await from(headers, inInbox);
    expect(received).toMatchObject({ direction: "inbound", basis: "sender" });
    expect(emails(received.filed_under)).toEqual(["kim@old-name.example"]);
  });

  test("never makes its owner a contact: not by Cc to oneself, and not where nobody else is named", async () => {
    const me = "From: kim@old-name.example";
    const copied = await from([me, "To: ada@client.example", "Cc: kim@old-name.example"]);
    expect(emails([...copied.filed_under, ...copied.others])).toEqual(["ada@client.example"]);
    for (const to of [[], ["To: undisclosed-recipients:;"], ["To: kim@old-name.example"]]) {
      const alone = await from([me, ...to]);
      expect([alone.direction, alone.basis, alone.filed_under]).toEqual(["internal", "nobody", []]);
    }
  });

  test("to colleagues stays inside, to very many is a mailing, and to whom is left out is nobody's", async () => {
    const me = "From: kim@old-name.example";
    expect(await from([me, "To: bo@acme.example"])).toMatchObject({ direction: "internal", filed_under: [] });
    const many = Array.from({ length: mostFiledUnder + 1 }, (_, n) => `p${n}@client.example`).join(", ");
    expect(await from([me, `To: ${many}`])).toMatchObject({
      direction: "outbound",
      basis: "broadcast",
      filed_under: [],
    });
    expect(await from([me, "To: anna@tax.example"])).toMatchObject({ basis: "nobody", excluded: "tax.example" });
  });

  test("without a sender that can be read is nobody's, and breaks nothing", async () => {
    expect(await from(["To: ada@client.example"])).toMatchObject({ basis: "nobody", filed_under: [] });
  });

  test("a folder that has the name of a customer's address makes no colleague of the customer", async () => {
    const named = await from(["From: ada@client.example", "To: kim@acme.example"], {
      mailbox: "ada@client.example",
      sent: false,
    });
    expect(named).toMatchObject({ direction: "inbound", basis: "sender" });
    expect(emails(named.filed_under)).toEqual(["ada@client.example"]);
  });
});
