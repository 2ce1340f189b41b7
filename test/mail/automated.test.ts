import { describe, expect, test } from "vitest";
import { notificationHeaders, notificationSenders } from "../../src/mail/automated/machine-headers.ts";
import { classify } from "../../src/mail/automated.ts";
import { noStructure } from "../../src/mail/structure.ts";
import type { MessageStructure } from "../../src/model/event.ts";

interface Given {
  readonly headers?: readonly (readonly [string, string])[];
  readonly structure?: Partial<MessageStructure>;
  readonly from?: string;
  readonly name?: string;
  readonly subject?: string;
  readonly text?: string | null;
  readonly nullSender?: boolean;
}

function classOf({
  headers = [],
  structure = {},
  from = "ana@shop.example",
  name = "",
  subject = "Hello",
  text = null,
  nullSender,
}: Given) {
  const facts = {
    headers,
    structure: { ...noStructure, ...structure },
    from: { email: from, name },
    subject,
    text,
    forward: false,
  };
  return classify(facts, nullSender === undefined ? undefined : { nullSender });
}
const rulesOf = (given: Given) => classOf(given).evidence.map(({ rule }) => rule);
const header = (name: string, value: string): Given => ({ headers: [[name, value]] });

describe("mail classes", () => {
  const dsn = (action: string): Given => ({
    structure: { report_type: "delivery-status", part_types: ["message/delivery-status"], dsn_actions: [action] },
  });

  const both = (...actions: string[]): Given => ({ structure: { dsn_actions: actions } });

  test.each<[string, Given, string]>([
    ["a report of a failed delivery", dsn("failed"), "bounce"],
    ["a report of a delayed delivery", dsn("delayed"), "bounce"],
    ["a report of a delivery", dsn("delivered"), "dsn_success"],
    ["a mail system's note with a null sender", { from: "MAILER-DAEMON@mx.example", nullSender: true }, "bounce"],
    ["the same by Return-Path", { from: "postmaster@mx.example", headers: [["Return-Path", "<>"]] }, "bounce"],
    [
      "X-Failed-Recipients with a null sender",
      { ...header("X-Failed-Recipients", "x@y.example"), nullSender: true },
      "bounce",
    ],
    ["a postmaster who writes himself", { from: "postmaster@mx.example", nullSender: false }, "person"],
    ["a feedback report", { structure: { report_type: "feedback-report" } }, "complaint"],
    ["a read receipt", { structure: { part_types: ["message/disposition-notification"] } }, "mdn"],
    ["a vacation answer", header("Auto-Submitted", "auto-replied (vacation)"), "auto_reply"],
    ["the same with a parameter", header("auto-submitted", " Auto-Replied; owner-email=a@b.example"), "auto_reply"],
    ["a report of a list that was expanded", dsn("expanded"), "dsn_success"],
    ["a report of failure beside success", both("delivered", "failed"), "bounce"],
    ["the parts of a report that a person passes on", { ...both("failed"), nullSender: false }, "person"],
    [
      "the same from a mail system",
      { ...both("failed"), from: "mailer-daemon@x.example", nullSender: false },
      "bounce",
    ],
    ["the same with a null sender", { ...both("failed"), nullSender: true }, "bounce"],
    ["a report whose envelope has a sender", { ...dsn("failed"), nullSender: false }, "bounce"],
    [
      "a mail system's report of success is no bounce, null sender or not",
      { ...dsn("delivered"), from: "mailer-daemon@mx.example", nullSender: true },
      "dsn_success",
    ],
    [
      "a bounce's words with a null sender",
      { structure: { bounce_words: "qmail: this is the qmail-send program" }, nullSender: true },
      "bounce",
    ],
    [
      "a bounce's words by a mail system whose envelope is not known",
      { structure: { bounce_words: "other: delivery failed" }, from: "postmaster@mx.example" },
      "bounce",
    ],
    [
      "a bounce's words by a mailer daemon that sends by its own address",
      { structure: { bounce_words: "other: delivery failed" }, from: "mailer-daemon@mx.example", nullSender: false },
      "bounce",
    ],
    [
      "a bounce's words in the form of a report",
      { structure: { bounce_words: "other: delivery failed", report_type: "delivery-status" }, nullSender: false },
      "bounce",
    ],
    [
      "a report without a status that can be read, with a null sender",
      { structure: { report_type: "delivery-status" }, nullSender: true },
      "bounce",
    ],
    ["a field of Postfix with a null sender", { ...header("X-Postfix-Queue-ID", "4F0"), nullSender: true }, "bounce"],
    ["a field of Postfix without one", header("X-Postfix-Queue-ID", "4F0"), "person"],
    ["X-Failed-Recipients without a null sender", header("X-Failed-Recipients", "x@y.example"), "person"],
    [
      "a bounce's words in a person's mail",
      { structure: { bounce_words: "qmail: this is the qmail-send program" }, nullSender: false },
      "person",
    ],
    [
      "a bounce's words in a person's mail whose envelope is not known",
      { structure: { bounce_words: "qmail: this is the qmail-send program" } },
      "person",
    ],
    [
      "a postmaster who quotes a bounce",
      { structure: { bounce_words: "other: delivery failed" }, from: "postmaster@mx.example", nullSender: false },
      "person",
    ],
    [
      "a report of failed authentication",
      { structure: { report_type: "feedback-report", feedback_type: "auth-failure" } },
      "auto_generated",
    ],
    ["a complaint of abuse", { structure: { report_type: "feedback-report", feedback_type: "abuse" } }, "complaint"],
    ["X-Autoreply: no", header("X-Autoreply", "no"), "person"],
    ["X-Auto-Reply-From", header("X-Auto-Reply-From", "ana@shop.example"), "auto_reply"],
    ["X-Autoreply", header("X-Autoreply", "yes"), "auto_reply"],
    ["X-Autorespond", header("X-Autorespond", "Re: hello"), "auto_reply"],
    ["Precedence: auto_reply", header("Precedence", "auto_reply"), "auto_reply"],
    [
      "an absence subject with a null sender",
      { subject: "Abwesenheitsnotiz: Abwesenheit bis Montag", nullSender: true },
      "auto_reply",
    ],
    ["an absence subject by a person", { subject: "I am out of office next week", nullSender: false }, "person"],
    ["an order notice", header("Auto-Submitted", "auto-generated"), "auto_generated"],
    ["a notification (RFC 5436)", header("Auto-Submitted", "auto-notified; x=y"), "auto_generated"],
    ["a null sender and nothing else", { nullSender: true }, "auto_generated"],
    ["Return-Path <> and nothing else", header("Return-Path", "<>"), "person"],
    ["a list", header("List-Id", "News <news.shop.example>"), "list"],
    ["List-Post", header("List-Post", "<mailto:list@shop.example>"), "list"],
    ["List-Post: NO", header("List-Post", "NO (announcements)"), "person"],
    ["Precedence: bulk", header("Precedence", "bulk"), "bulk"],
    ["List-Unsubscribe", header("List-Unsubscribe", "<https://shop.example/u>"), "bulk"],
    ["a mail service's own mark", header("Feedback-ID", "1.eu-west-1.c2hvcA==:AmazonSES"), "person"],
    [
      "a mail service's own mark on the form of a web site",
      { ...header("Feedback-ID", "1:SG"), from: "no-reply@acme.example" },
      "person",
    ],
    [
      "Feedback-ID beside a field of lists",
      {
        headers: [
          ["Feedback-ID", "1:2:3:shop"],
          ["List-Help", "<https://shop.example/h>"],
        ],
      },
      "bulk",
    ],
    ["an invitation", { structure: { calendar_method: "REQUEST" } }, "calendar"],
    [
      "an invitation by a calendar service",
      { ...header("Auto-Submitted", "auto-generated"), structure: { calendar_method: "REQUEST" } },
      "calendar",
    ],
    [
      "an event announced to a list",
      { ...header("List-Id", "<a.b>"), structure: { calendar_method: "PUBLISH" } },
      "list",
    ],
    ["an .ics file without a method", { structure: { part_types: ["text/calendar"] } }, "person"],
  ])("%s", (_, given, kind) => {
    expect(classOf(given).kind).toBe(kind);
  });

  test.each<[string, Given]>([
    ["Auto-Submitted: no is a person (not: any value counts)", header("Auto-Submitted", "no")],
    ["Auto-Submitted: no with a comment", header("Auto-Submitted", "no (really)")],
    ["Precedence: first-class is a person (not: any Precedence counts)", header("Precedence", "first-class")],
    ["Precedence: normal is a person", header("Precedence", "normal")],
    ["X-Auto-Response-Suppress is a request to responders, no statement", header("X-Auto-Response-Suppress", "All")],
    [
      "List-Help and List-Owner alone are no list",
      {
        headers: [
          ["List-Help", "<mailto:x@y>"],
          ["List-Owner", "<mailto:x@y>"],
        ],
      },
    ],
    ["an attached calendar is no machine", { structure: { part_types: ["text/calendar", "application/ics"] } }],
    ["an X-CampaignId alone is no bulk", header("X-CampaignId", "17")],
    ["no headers at all are no evidence", {}],
  ])("mistakes seen elsewhere: %s", (_, given) => {
    expect(classOf(given)).toMatchObject({ kind: "person", evidence: [] });
  });

  test.each([...notificationHeaders.keys()])(
    "%s is a notification, and stronger than what lists and machines say",
    (name) => {
      const headers: [string, string][] = [
        ["Auto-Submitted", "auto-generated"],
        ["List-Id", "<shop.example>"],
        [name, "notification"],
      ];
      expect(classOf({ headers })).toMatchObject({ kind: "notification", is_list: true, is_auto_generated: true });
      expect(classOf({ headers: headers.slice(0, 2) }).kind).toBe("auto_generated");
    },
  );

  test("what Amazon relays between buyers and sellers is no notification", () => {
    expect(classOf(header("X-AMAZON-MAIL-RELAY-TYPE", "order-message")).kind).toBe("person");
  });

  test.each([...notificationSenders.keys()])("%s sends notifications only, and its neighbours are people", (from) => {
    expect(classOf({ from: from.toUpperCase() }).kind).toBe("notification");
    expect(classOf({ from: `ana.${from}` }).kind).toBe("person");
  });

  test("an invitation that a service notifies of is an invitation", () => {
    const given: Given = { from: "calendar-notification@google.com", structure: { calendar_method: "REQUEST" } };
    expect(classOf(given).kind).toBe("calendar");
  });

  describe("an answer through a ticket system", () => {
    const generated: [string, string][] = [
      ["Auto-Submitted", "auto-generated"],
      ["Precedence", "bulk"],
    ];
    const answer: [string, string] = ["In-Reply-To", "<quote@acme.example>"];

    test.each<[string, string]>([
      ["X-Zendesk-From-Account-Id", "68b8aee"],
      ["RT-Ticket", "shop.example #4711"],
      ["Managed-By", "Request Tracker 5.0 (https://bestpractical.example)"],
      ["X-Mailer", "OTRS Mail Service (6.0)"],
      ["X-Powered-By", "Zammad - Helpdesk/Support"],
      ["X-FreeScout-Mail-Type", "customer.message"],
    ])("%s: %s is a person's, whatever else it says", (name, value) => {
      const headers = [...generated, answer, [name, value] as [string, string]];
      expect(classOf({ headers })).toMatchObject({ kind: "person", is_auto_generated: true, is_bulk: true });
      expect(rulesOf({ headers })).toContain("person.help_desk");
    });

    const desk: [string, string] = ["X-Zendesk-From-Account-Id", "68b8aee"];
    test.each<[string, Given, string]>([
      ["that answers nothing", { headers: [...generated, desk] }, "auto_generated"],
      ["with a null sender", { headers: [...generated, desk, answer], nullSender: true }, "auto_generated"],
      ["that is replied automatically", { headers: [["Auto-Submitted", "auto-replied"], desk, answer] }, "auto_reply"],
      ["by another program", { headers: [...generated, answer, ["X-Mailer", "Mutt"]] }, "auto_generated"],
    ])("but not one %s", (_, given, kind) => {
      expect(classOf(given).kind).toBe(kind);
    });
  });

  test.each<[string, Given, string]>([
    ["with an unsubscribe address for all", { headers: [["List-Help", "<mailto:x@y>"]] }, "bulk"],
    ["from an address that takes no answer", { from: "no-reply@shop.example" }, "bulk"],
    ["alone", {}, "person"],
  ])("a campaign's field %s", (_, given, kind) => {
    expect(classOf({ ...given, headers: [["X-Campaign-Id", "17"], ...(given.headers ?? [])] }).kind).toBe(kind);
  });

  test("the strongest class names the kind, all evidence is kept in order of strength", () => {
    const given: Given = {
      headers: [
        ["List-Unsubscribe", "<https://a.example>"],
        ["List-Id", "<l.a.example>"],
        ["Auto-Submitted", "auto-replied"],
      ],
    };
    expect(classOf(given).kind).toBe("auto_reply");
    expect(rulesOf(given)).toEqual(["auto_reply.auto_submitted", "list.list_id", "bulk.list_unsubscribe"]);
  });

  test.each([
    "no-reply@a.example",
    "noreply@a.example",
    "do_not_reply@a.example",
    "donotreply@a.example",
    "ne-pas-repondre@a.example",
    "news-noreply@a.example",
    "bounces+17@a.example",
  ])("%s is noted as a sender that takes no answer, without a class of its own", (from) => {
    expect(classOf({ from })).toMatchObject({
      kind: "person",
      evidence: [{ rule: "no_reply_sender", header: "from" }],
    });
  });

  test.each(["nora.reply@a.example", "info@a.example", "noreen@a.example"])("%s is a sender like any other", (from) => {
    expect(rulesOf({ from })).toEqual([]);
  });

  test("what decides a class is quoted as evidence, each with its second sign", () => {
    const given: Given = { subject: "Abwesenheit", ...header("Return-Path", "<>") };
    expect(classOf(given).evidence).toEqual([
      { rule: "auto_reply.subject", header: "subject", value: "Abwesenheit" },
      { rule: "auto_reply.second_sign", header: "return-path", value: "<>" },
    ]);
  });

  test("evidence is bounded, however long or many the headers", () => {
    const headers = Array.from({ length: 5000 }, () => ["List-Id", "x".repeat(5000)] as const);
    const { evidence } = classOf({ headers });
    expect(evidence).toHaveLength(3);
    expect(evidence[0]?.value).toHaveLength(200);
  });
});
