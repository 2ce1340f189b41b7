import { describe, expect, test } from "vitest";
import { classify } from "../../src/mail/automated.ts";
import { noStructure } from "../../src/mail/structure.ts";
import type { MessageStructure } from "../../src/model/event.ts";

interface Given {
  readonly headers?: readonly (readonly [string, string])[];
  readonly structure?: Partial<MessageStructure>;
  readonly from?: string;
  readonly name?: string;
  readonly subject?: string;
  readonly nullSender?: boolean;
}

function classOf({
  headers = [],
  structure = {},
  from = "ana@shop.example",
  name = "",
  subject = "Hello",
  nullSender,
}: Given) {
  const facts = {
    headers,
    structure: { ...noStructure, ...structure },
    from: { email: from, name },
    subject,
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

  test.each<[string, Given, string]>([
    ["a report of a failed delivery", dsn("failed"), "bounce"],
    ["a report of a delayed delivery", dsn("delayed"), "bounce"],
    ["a report of a delivery", dsn("delivered"), "person"],
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
    ["Feedback-ID", header("Feedback-ID", "1:2:3:shop"), "bulk"],
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

  test("evidence is bounded, however long or many the headers", () => {
    const headers = Array.from({ length: 5000 }, () => ["List-Id", "x".repeat(5000)] as const);
    const { evidence } = classOf({ headers });
    expect(evidence).toHaveLength(3);
    expect(evidence[0]?.value).toHaveLength(200);
  });
});
