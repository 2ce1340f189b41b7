import { describe, expect, test } from "vitest";
import { threadFacts, threadKey } from "../../../src/mail/thread.ts";
import type { CanonicalEvent, Participants } from "../../../src/model/event.ts";
import type { Hasher } from "../../../src/model/ports.ts";
import { authOf, classOf, digest, eventWith, receivedAt } from "../../mapping/fakes.ts";
import { spf } from "../trust/acme.ts";

/** What was hashed can be read again. */
const clear: Hasher = { hash: (kind, text) => `${kind}:${text}` };
const factsOf = (changes: Parameters<typeof eventWith>[0]) =>
  threadFacts(eventWith(changes), { digest, hasher: clear });

const nobody: Participants = {
  direction: "inbound",
  basis: "nobody",
  filed_under: [],
  others: [],
  colleagues: [],
  forwarded_by: null,
  list: null,
  excluded: null,
};
const outside = (email: string, organisation: string | null, part: "sender" | "recipient" = "sender") => ({
  email,
  name: null,
  part,
  kinds: [],
  organisation,
});

describe("facts", () => {
  test("name what a mail answers, the nearest last, each once and not itself", () => {
    const { names, messageId } = factsOf({
      message: {
        message_id: "<own@x>",
        references: ["<a@x>", "<b@x>", "<own@x>", "<c@x>"],
        in_reply_to: "<b@x>",
        in_reply_to_all: ["<b@x>", "<z@x>"],
      },
    });
    expect(names).toEqual(["id:<a@x>", "id:<c@x>", "id:<z@x>", "id:<b@x>"]);
    expect(messageId).toBe("id:<own@x>");
  });

  test("keep the first and the last of thousands", () => {
    const references = Array.from({ length: 300 }, (_, n) => `<${n}@x>`);
    const { names } = factsOf({ message: { references } });
    expect(names).toHaveLength(40);
    expect(names[0]).toBe("id:<0@x>");
    expect(names.at(-1)).toBe("id:<299@x>");
  });

  test("name people by address without case, and a company by its domain; freemail has none", () => {
    const { sender, people, own, inside } = factsOf({
      participants: {
        ...nobody,
        filed_under: [outside("Ana@Client.example", "client.example")],
        others: [outside("zoe@gmail.com", null, "recipient")],
      },
    });
    const ana = { address: "address:ana@client.example", organisation: "organisation:client.example" };
    expect(sender).toEqual(ana);
    expect(people).toEqual([ana, { address: "address:zoe@gmail.com", organisation: null }]);
    expect({ own, inside }).toEqual({ own: false, inside: false });
  });

  test("know a colleague, and whether he is proven", () => {
    const participants: Participants = {
      ...nobody,
      direction: "outbound",
      basis: "recipients",
      filed_under: [outside("ana@client.example", "client.example", "recipient")],
    };
    expect(factsOf({ participants, auth: authOf("verified") })).toMatchObject({
      sender: null,
      inside: true,
      own: true,
    });
    expect(factsOf({ participants, auth: authOf("unverified") })).toMatchObject({ inside: true, own: false });
    expect(factsOf({ participants, auth: authOf("suspicious") })).toMatchObject({ own: false, suspicious: true });
  });

  test("of a bounce speak for the recipient that it is about, and name what came back", () => {
    const bounce = {
      kind: "dsn",
      confidence: 1,
      recipients: [
        {
          final: "ana@relay.example",
          original: "ana@client.example",
          action: "failed",
          status: "5.1.1",
          smtp_code: 550,
          diagnostic: null,
          remote_mta: null,
          hard: true,
        },
      ],
      reporting_mta: null,
      original_message_id: "<sent@acme.test>",
      original_envelope_id: null,
    } as const;
    const facts = factsOf({
      bounce: bounce as unknown as CanonicalEvent["bounce"],
      class: { ...classOf("bounce"), is_bounce: true },
    });
    expect(facts).toMatchObject({ automated: true, subject: null, names: ["id:<sent@acme.test>"] });
    expect(facts.sender?.address).toBe("address:ana@client.example");
  });

  test("take no subject of machines and mass mail, and their words all the same", () => {
    const subject = { subject: "Delivery 4711", subject_normalised: "Delivery 4711" };
    expect(factsOf({ message: subject }).subject).toBe("subject:delivery 4711");
    for (const kind of ["notification", "auto_generated", "auto_reply"] as const) {
      const facts = factsOf({ message: subject, class: classOf(kind) });
      expect(facts.subject).toBeNull();
      expect(facts.words).toHaveLength(2);
    }
    expect(factsOf({ message: subject, class: { ...classOf("bulk"), is_bulk: true } })).toMatchObject({
      broadcast: true,
      subject: null,
    });
  });

  test.each([
    ["passes SPF for another host of its domain", spf("pass", "bounces.lists.example", false), false],
    ["passes SPF for the domain above it", spf("pass", "lists.example", false), true],
    ["passes SPF for a stranger's domain", spf("pass", "evil.example", false), false],
    ["fails SPF for the list's", spf("fail", "lists.example", false), false],
  ] as const)("believe a List-Id where we verified a mail that %s", (_, envelope, member) => {
    const auth = {
      ...authOf("unverified"),
      spf: envelope,
      dmarc: { result: "none", domain: "x.example", policy: null, by: "mailwright", detail: null },
    } as const;
    const list = { id: "Fjord.lists.example", unsubscribe: [], post: "mailto:fjord@lists.example", one_click: false };
    const kinds = { ...classOf("list"), is_list: true, is_bulk: true };
    expect(factsOf({ auth, class: kinds, message: { list } }).list !== null).toBe(member);
  });

  test("call a newsletter, a mail to very many and one to nobody visible a broadcast, and a discussion list none", () => {
    const list = (post: string | null) => ({ id: "Fjord.lists.example", unsubscribe: [], post, one_click: false });
    const kinds = { ...classOf("list"), is_list: true, is_bulk: true };
    expect(factsOf({ class: kinds, message: { list: list(null) } })).toMatchObject({ broadcast: true, list: null });
    expect(factsOf({ class: kinds, message: { list: list("mailto:fjord@lists.example") } })).toMatchObject({
      broadcast: false,
      list: "list:fjord.lists.example",
    });
    const others = Array.from({ length: 25 }, (_, n) => outside(`a${n}@x.example`, null, "recipient"));
    expect(factsOf({ participants: { ...nobody, others } }).broadcast).toBe(true);
    const alone: Participants = { ...nobody, direction: "internal", colleagues: ["kim@acme.test"] };
    expect(factsOf({ participants: alone }).broadcast).toBe(true);
    expect(factsOf({ participants: { ...alone, colleagues: ["kim@acme.test", "lee@acme.test"] } }).broadcast).toBe(
      false,
    );
  });

  test.each([
    ["Offer", false],
    ["Re: Offer", true],
    ["[list] Offer", false],
    ["[list] Re: Offer", true],
    ["Re: [list] Offer", true],
    ["Offer (fwd)", true],
    ["[Order 17]", false],
    ["Offer [2nd  try]", false],
    ["回复：Offer", true],
  ])("know whether %j has a reply prefix: %s", async (subject, reply) => {
    const { normalisedSubject } = await import("../../../src/mail/subject.ts");
    expect(factsOf({ message: { subject, subject_normalised: normalisedSubject(subject) } }).reply).toBe(reply);
  });

  test("take the part of Thread-Index that a conversation shares", () => {
    const index = (bytes: number): string => Buffer.alloc(bytes, 7).toString("base64");
    const [root, answer] = [22, 27].map((bytes) => factsOf({ message: { thread_index: index(bytes) } }).threadIndex);
    expect(root).not.toBeNull();
    expect(answer).toBe(root);
    expect(factsOf({ message: { thread_index: "short" } }).threadIndex).toBeNull();
  });

  test("date a mail by its Date, and by its arrival where that cannot be", () => {
    expect(factsOf({ message: { date: "2026-03-10T11:59:00.000Z" } }).writtenAt).toBe(Date.UTC(2026, 2, 10, 11, 59));
    expect(factsOf({ message: { date: null } }).writtenAt).toBe(receivedAt);
    const implausible = { message: { date: "1971-01-01T00:00:00.000Z" }, anomalies: [{ code: "implausible_date" }] };
    expect(factsOf(implausible).writtenAt).toBe(receivedAt);
  });

  test("begin a thread of a name that its tenant and identity give, and nothing else", () => {
    const key = threadKey("acme", { messageId: "<a@x>", digest });
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    const others = [
      threadKey("globex", { messageId: "<a@x>", digest }),
      threadKey("acme", { messageId: null, digest }),
      threadKey("acme", { messageId: "<a@x>", digest: "0".repeat(64) }),
    ];
    expect(new Set([key, ...others]).size).toBe(4);
  });

  test("say nothing in the clear", async () => {
    const { openHasher } = await import("../../../src/blobs/index.ts");
    const event = eventWith({
      message: {
        subject: "Re: Confidential merger",
        subject_normalised: "Confidential merger",
        references: ["<secret@client.example>"],
      },
    });
    const text = JSON.stringify({
      ...threadFacts(event, { digest, hasher: openHasher(Buffer.alloc(32, 1)) }),
      eventId: "",
    });
    for (const word of ["onfidential", "merger", "ada", "example", "secret"])
      expect(text.toLowerCase()).not.toContain(word);
  });
});
