import { describe, expect, test } from "vitest";
import { clustersIn, mail, standing } from "./mails.ts";

const ana = "ana@client.example";
const bob = "bob@client.example";
const mallory = "mallory@evil.example";
const zoe = "zoe@gmail.example";
const kim = "kim@acme.example";

describe("ids", () => {
  test("join an answer to what it answers, and say so", () => {
    const all = [
      mail({ id: "a", from: ana, subject: "Cooling unit 4711" }),
      mail({ id: "b", from: kim, to: [ana], names: ["a"] }),
      mail({ id: "c", from: ana, names: ["a", "b"] }),
    ];
    expect(clustersIn(all)).toEqual([["a", "b", "c"]]);
    expect(standing(all, "c")).toMatchObject({
      method: "header",
      parent: { eventId: "b" },
      review: false,
      candidates: [],
    });
    expect(standing(all, "a")).toMatchObject({ method: "new", parent: null, confidence: 1 });
  });

  test("join a colleague of a participant, by his company", () => {
    expect(
      clustersIn([
        mail({ id: "a", from: ana, subject: "Cooling unit 4711" }),
        mail({ id: "b", from: bob, names: ["a"] }),
      ]),
    ).toEqual([["a", "b"]]);
  });

  test("do not let a stranger in, even with a participant in his Cc; he is a candidate", () => {
    const all = [
      mail({ id: "a", from: ana, subject: "Cooling unit 4711" }),
      mail({ id: "b", from: kim, to: [ana], names: ["a"] }),
      mail({ id: "x", from: mallory, to: [ana], names: ["a", "b"] }),
    ];
    expect(clustersIn(all)).toEqual([["a", "b"], ["x"]]);
    expect(standing(all, "x")).toMatchObject({
      method: "new",
      candidates: [{ with: { eventId: "b" }, score: 0.6, reasons: ["names_a_message", "sender_takes_no_part"] }],
    });
  });

  test("do not let a stranger in by the answer that he gets, from a colleague or from the customer", () => {
    const all = [
      mail({ id: "a", from: ana, subject: "Cooling unit 4711" }),
      mail({ id: "x", from: mallory, to: [ana], names: ["a"] }),
      mail({ id: "y", from: kim, to: [mallory, ana], names: ["a", "x"] }),
      mail({ id: "z", from: ana, to: [mallory], names: ["a", "x"] }),
    ];
    expect(clustersIn(all)).toEqual([["a"], ["x", "y", "z"]]);
  });

  test("let a stranger in whom a participant has written to", () => {
    expect(
      clustersIn([
        mail({ id: "a", from: ana, to: [zoe], subject: "Cooling unit 4711" }),
        mail({ id: "b", from: zoe, to: [ana], names: ["a"] }),
      ]),
    ).toEqual([["a", "b"]]);
  });

  test("look past a colleague whom nobody signed for, once a customer answers him", () => {
    const all = [
      mail({ id: "a", from: ana, subject: "Cooling unit 4711" }),
      mail({ id: "b", from: kim, to: [ana], names: ["a"], unproven: true }),
    ];
    expect(clustersIn(all)).toEqual([["a"], ["b"]]);
    expect(clustersIn([...all, mail({ id: "c", from: ana, names: ["a", "b"] })])).toEqual([["a", "b", "c"]]);
  });

  test("of suspicious mail join nothing", () => {
    const all = [
      mail({ id: "a", from: ana, subject: "Cooling unit 4711" }),
      mail({ id: "x", from: ana, names: ["a"], changes: { suspicious: true } }),
    ];
    expect(clustersIn(all)).toEqual([["a"], ["x"]]);
    expect(standing(all, "x").candidates).toMatchObject([{ reasons: ["names_a_message", "suspicious"] }]);
  });

  test("that somebody else took are told apart by whom the answer is for", () => {
    expect(
      clustersIn([
        mail({ id: "a", from: kim, to: [ana], subject: "Cooling unit 4711" }),
        mail({ id: "x", from: mallory, to: [ana], subject: "Cooling unit 4711", changes: { messageId: "a" } }),
        mail({ id: "b", from: ana, names: ["a"] }),
      ]),
    ).toEqual([["a", "b"], ["x"]]);
  });
});

describe("a mail that a stranger slips in, with a customer in its Cc", () => {
  const talk = [
    mail({ id: "b", from: ana, names: ["lost"], at: 10 }),
    mail({ id: "c", from: kim, to: [ana], names: ["lost", "b"], at: 20 }),
  ];

  test("under the id that she answered is not what she answered", () => {
    const taken = mail({ id: "x", from: mallory, to: [ana], at: 0, changes: { messageId: "lost" } });
    expect(clustersIn([...talk, taken])).toEqual([["b", "c"], ["x"]]);
    const answer = mail({ id: "d", from: ana, to: [mallory], names: ["lost"], at: 30 });
    expect(clustersIn([taken, answer])).toEqual([["d", "x"]]);
  });

  test("with the Thread-Index of her conversation, and an earlier date, begins none of it", () => {
    const index = { threadIndex: "t" };
    const all = [
      mail({ id: "x", from: mallory, to: [ana], at: 0, changes: index }),
      mail({ id: "b", from: ana, at: 10, changes: index }),
      mail({ id: "c", from: kim, to: [ana], at: 20, changes: index }),
    ];
    expect(clustersIn(all)).toEqual([["b", "c"], ["x"]]);
  });

  test("under the subject that she answered, and with an earlier date, is not what she answered", () => {
    expect(clustersIn([...talk, mail({ id: "x", from: mallory, to: [ana], at: 0 })])).toEqual([["b", "c"], ["x"]]);
  });
});

describe("a missing ancestor", () => {
  test("joins those who know each other", () => {
    const all = [
      mail({ id: "b", from: ana, names: ["lost"] }),
      mail({ id: "c", from: kim, to: [ana], names: ["lost"] }),
      mail({ id: "d", from: bob, names: ["lost"] }),
      mail({ id: "x", from: mallory, to: [ana], names: ["lost"] }),
    ];
    expect(clustersIn(all)).toEqual([["b", "c", "d"], ["x"]]);
    expect(standing(all, "d")).toMatchObject({ method: "header", confidence: 0.9, review: false });
  });

  test("that comes late merges what it is the root of", () => {
    const late = mail({ id: "lost", from: kim, to: [ana, zoe], subject: "Cooling unit 4711", at: 0 });
    const all = [mail({ id: "b", from: ana, names: ["lost"] }), mail({ id: "c", from: zoe, names: ["lost"] })];
    expect(clustersIn(all)).toEqual([["b"], ["c"]]);
    expect(clustersIn([...all, late])).toEqual([["b", "c", "lost"]]);
  });
});

describe("mass mail", () => {
  const answers = Array.from({ length: 40 }, (_, n) =>
    mail({
      id: `r${n}`,
      from: `reader@shop${n}.example`,
      to: ["news@list.example"],
      names: ["news"],
      subject: "Re: Summer catalogue 2026",
    }),
  );

  test("ties its answers by nothing, known or missing; each answerer keeps his own", () => {
    const news = mail({
      id: "news",
      from: kim,
      subject: "Summer catalogue 2026",
      changes: { broadcast: true, subject: null },
    });
    const again = mail({
      id: "r0-again",
      from: "reader@shop0.example",
      names: ["news"],
      subject: "Re: Summer catalogue 2026",
    });
    const ours = mail({
      id: "r1-ours",
      from: kim,
      to: ["reader@shop1.example"],
      names: ["news", "r1"],
      subject: "Re: Summer catalogue 2026",
    });
    const lone = answers.filter(({ eventId }) => eventId !== "r0" && eventId !== "r1").map(({ eventId }) => [eventId]);
    const expected = [["r0", "r0-again"], ["r1", "r1-ours"], ...lone].sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
    expect(clustersIn([...answers, again, ours, news])).toEqual([["news"], ...expected]);
    expect(clustersIn([...answers, again, ours])).toEqual(expected);
  });

  test("is also what looked like a mail to one, when too many answer it", () => {
    const sent = mail({
      id: "news",
      from: kim,
      to: answers.map((_, n) => `reader@shop${n}.example`),
      subject: "Summer catalogue 2026",
    });
    expect(clustersIn([sent, ...answers])).toHaveLength(41);
  });

  test("is not made of a mail between two by strangers who name its id: those two go on as before", () => {
    const sent = mail({ id: "news", from: kim, to: [ana], subject: "Cooling unit 4711" });
    const answer = mail({ id: "a", from: ana, names: ["news"], subject: "Re: Cooling unit 4711" });
    const further = mail({ id: "b", from: kim, to: [ana], names: ["news", "a"], subject: "Re: Cooling unit 4711" });
    const clusters = clustersIn([sent, answer, further, ...answers]);
    expect(clusters).toContainEqual(["a", "b", "news"]);
    expect(clusters).toHaveLength(41);
  });
});

describe("subjects", () => {
  const first = mail({ id: "a", from: ana, subject: "Cooling unit 4711", at: 0 });

  test("join an answer without ids to the same person's mail", () => {
    const all = [first, mail({ id: "b", from: ana, subject: "AW: Cooling unit 4711", at: 60 })];
    expect(clustersIn(all)).toEqual([["a", "b"]]);
    expect(standing(all, "b")).toMatchObject({ method: "subject", review: false, parent: { eventId: "a" } });
  });

  test("join somebody of the same company, and ask", () => {
    expect(standing([first, mail({ id: "b", from: bob, at: 60 })], "b")).toMatchObject({
      method: "subject",
      review: true,
    });
  });

  test("join nobody else, and nothing without a prefix", () => {
    expect(clustersIn([first, mail({ id: "b", from: mallory, at: 60 })])).toHaveLength(2);
    const all = [first, mail({ id: "b", from: ana, subject: "Cooling unit 4711", at: 60 })];
    expect(clustersIn(all)).toHaveLength(2);
    expect(standing(all, "b").candidates).toMatchObject([{ with: { eventId: "a" }, score: 0.45 }]);
  });

  test("are too old after the window", () => {
    expect(clustersIn([first, mail({ id: "b", from: ana, at: 60 * 24 * 31 })])).toHaveLength(2);
  });

  test("that are wholly new begin a thread, although ids say otherwise; what answers it follows it", () => {
    const all = [
      first,
      mail({ id: "n", from: ana, names: ["a"], subject: "Job application" }),
      mail({ id: "o", from: kim, to: [ana], names: ["a", "n"], subject: "Re: Job application" }),
    ];
    expect(clustersIn(all)).toEqual([["a"], ["n", "o"]]);
    expect(standing(all, "n").candidates).toMatchObject([{ reasons: ["names_a_message", "new_subject"] }]);
  });
});

describe("hints", () => {
  test("of Outlook and Gmail join who belongs there, and nobody else", () => {
    for (const hint of [{ threadIndex: "t" }, { gmailThread: "g" }]) {
      const all = [
        mail({ id: "a", from: ana, subject: "Cooling unit 4711", changes: hint }),
        mail({ id: "b", from: ana, subject: "Cooling unit 4711, delivery", changes: hint }),
        mail({ id: "x", from: mallory, subject: "Cooling unit 4711", changes: hint }),
      ];
      expect(clustersIn(all)).toEqual([["a", "b"], ["x"]]);
    }
  });

  test("a token is certain for a participant, and a candidate for whoever stole it", () => {
    const all = [
      mail({ id: "a", from: ana, subject: "Cooling unit 4711" }),
      mail({ id: "b", from: ana, subject: "Something else", changes: { token: "thread-a" } }),
      mail({ id: "x", from: mallory, subject: "Something else", changes: { token: "thread-a" } }),
    ];
    expect(clustersIn(all)).toEqual([["a", "b"], ["x"]]);
    expect(standing(all, "b")).toMatchObject({ method: "token", confidence: 1 });
    expect(standing(all, "x").candidates).toMatchObject([{ reasons: ["has_its_token", "sender_takes_no_part"] }]);
  });
});

describe("decisions", () => {
  const first = mail({ id: "a", from: ana, subject: "Cooling unit 4711" });
  const stranger = mail({ id: "x", from: zoe, names: ["a"] });
  const next = mail({ id: "y", from: zoe, names: ["a"], subject: "Re: Cooling unit 4711" });
  const join = { eventId: "x", kind: "join", withEventId: "a" } as const;

  test("to join teach who belongs there", () => {
    expect(clustersIn([first, stranger, next])).toEqual([["a"], ["x"], ["y"]]);
    expect(clustersIn([first, stranger, next], [join])).toEqual([["a", "x", "y"]]);
    expect(standing([first, stranger, next], "x", [join])).toMatchObject({ method: "decision", confidence: 1 });
  });

  test("to begin anew cut a message off with all that answers it", () => {
    const all = [
      first,
      mail({ id: "b", from: kim, to: [ana], names: ["a"] }),
      mail({ id: "c", from: ana, names: ["a", "b"] }),
      mail({ id: "d", from: kim, to: [ana], names: ["a", "b", "c"] }),
      mail({ id: "e", from: ana, names: ["a"] }),
    ];
    expect(clustersIn(all, [{ eventId: "c", kind: "new", withEventId: null }])).toEqual([
      ["a", "b", "e"],
      ["c", "d"],
    ]);
  });

  test("to join elsewhere take a message away from what it answers", () => {
    const all = [first, mail({ id: "b", from: ana, names: ["a"] }), mail({ id: "z", from: bob, subject: "Heating" })];
    expect(clustersIn(all, [{ eventId: "b", kind: "join", withEventId: "z" }])).toEqual([["a"], ["b", "z"]]);
  });
});

test("a bounce joins what it reports, and brings nobody in", () => {
  const all = [
    mail({ id: "a", from: kim, to: [ana], subject: "Cooling unit 4711" }),
    mail({
      id: "b",
      from: "mailer-daemon@relay.example",
      names: ["a"],
      subject: "Undelivered Mail",
      changes: { automated: true, sender: { address: ana, organisation: null }, subject: null },
    }),
    mail({ id: "x", from: "postmaster@relay.example", names: ["a"], subject: "Re: Cooling unit 4711" }),
  ];
  expect(clustersIn(all)).toEqual([["a", "b"], ["x"]]);
});
