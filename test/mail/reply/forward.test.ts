import { describe, expect, test } from "vitest";
import { type Reading, readReply } from "../../../src/mail/reply.ts";
import type { Attachment, NestedMessage } from "../../../src/model/event.ts";
import { attachmentWith } from "../../support/attachment.ts";

const read = (text: string | null, subject: string | null, attachments: readonly Attachment[] = []): Reading =>
  readReply({ text, html: null, subject, attachments });

const fields = "From: Ana Lima <ana@b.example>\nDate: 5.1.2026 14:30\nSubject: Ten bikes\nTo: Bo <bo@c.example>";
const original = {
  kind: "inline",
  from: { name: "Ana Lima", email: "ana@b.example" },
  to: [{ name: "Bo", email: "bo@c.example" }],
  date: "2026-01-05T14:30:00",
  subject: "Ten bikes",
  message_id: null,
  text: "How many?",
};

describe("a forward in the text", () => {
  test.each([
    "---------- Forwarded message ---------",
    "---------- Forwarded message ----------",
    "-------- Forwarded Message --------",
    "Begin forwarded message:",
    "-------- Weitergeleitete Nachricht --------",
    "Anfang der weitergeleiteten Nachricht:",
    "-------- Message transféré --------",
    "Début du message réexpédié :",
    "-------- Mensaje reenviado --------",
    "Inicio del mensaje reenviado:",
    "-------- Messaggio Inoltrato --------",
    "Inizio messaggio inoltrato:",
    "-------- Mensagem encaminhada --------",
    "Início da mensagem reencaminhada:",
    "-------- Doorgestuurd bericht --------",
    "Begin doorgestuurd bericht:",
    "-------- Treść przekazanej wiadomości --------",
    "Początek przekazywanej wiadomości:",
    "-------- Пересылаемое сообщение --------",
    "Начало переадресованного сообщения:",
    "-------- Переслане повідомлення --------",
    "-------- Vidarebefordrat meddelande --------",
    "-------- Videresendt meddelelse --------",
    "-------- Videresendt melding --------",
    "-------- Välitetty viesti --------",
    "-------- Přeposlaná zpráva --------",
    "-------- Továbbított üzenet --------",
    "-------- Mesaj redirecționat --------",
    "-------- Yönlendirilmiş ileti --------",
    "-------- Προωθημένο μήνυμα --------",
    "-------- 転送メッセージ --------",
    "以下は転送されたメッセージです：",
    "---------- 转发邮件信息 ----------",
    "开始转发的邮件：",
    "-------- 전달된 메시지 --------",
  ])("begins with %j", (line) => {
    for (const gap of ["\n", "\n\n"]) {
      const whole = `For you.\n\n${line}${gap}${fields}\n\nHow many?\n`;
      expect(read(whole, "Fwd: Ten bikes")).toMatchObject({
        reply_text: "For you.",
        quoted_text: null,
        forwarded: original,
      });
      // Apple Mail quotes what stands below its line.
      const quoted = `For you.\n\n${line}\n\n${`${fields}\n\nHow many?`.replace(/^/gm, "> ")}\n`;
      expect(read(quoted, "Fwd: Ten bikes").forwarded).toMatchObject(original);
    }
  });

  test.each(["Fwd", "FWD", "FW", "Fw", "WG", "TR", "RV", "I", "ENC", "VB", "PD", "转发", "轉寄", "転送", "전달"])(
    "is known above a bare block by the prefix %s, also behind a tag and with a counter",
    (prefix) => {
      for (const subject of [`${prefix}: Ten bikes`, `[sales] ${prefix}: x`, `${prefix}[2]: x`, `${prefix}： x`]) {
        expect(read(`For you.\n\n${fields}\n\nHow many?`, subject).forwarded).toMatchObject(original);
      }
    },
  );

  test.each([
    "Re: Ten",
    "RE: FW: Ten",
    "AW: WG: Ten",
    "Sv: Ten",
    "Antw: Ten",
    "回复: Ten",
    "Ten bikes",
    "Fwding: Ten",
    null,
  ])("is none above a bare block with the subject %j", (subject) => {
    expect(read(`For you.\n\n${fields}\n\nHow many?`, subject)).toMatchObject({
      reply_text: "For you.",
      quoted_text: `${fields}\n\nHow many?`,
      forwarded: null,
    });
  });

  test("is none below a long answer, unless a line says that it is one", () => {
    const answer = "We have looked at it with care and think the following of it. ".repeat(20).trim();
    expect(read(`${answer}\n\n${fields}\n\nHow many?`, "FW: Ten").forwarded).toBeNull();
    expect(read(`${answer}\n\nBegin forwarded message:\n\n${fields}\n\nHow many?`, "FW: Ten").forwarded).toMatchObject(
      original,
    );
  });

  test("VS forwards in Danish and Norwegian, and answers in Finnish", () => {
    const danish = "Fra: Ana Lima <ana@b.example>\nSendt: 5.1.2026 14:30\nTil: Bo <bo@c.example>\nEmne: Ten bikes";
    const finnish =
      "Lähettäjä: Ana Lima <ana@b.example>\nLähetetty: 5.1.2026 14:30\nVastaanottaja: Bo <bo@c.example>\nAihe: Ten bikes";
    expect(read(`${danish}\n\nHow many?`, "VS: Ten bikes").forwarded).toMatchObject(original);
    expect(read(`Kiitos.\n\n${finnish}\n\nHow many?`, "VS: Ten bikes").forwarded).toBeNull();
  });

  test("in a mail that is quoted is no forward now", () => {
    const text = `Thank you.\n\nOn 5 Jan 2026, Bo <bo@c.example> wrote:\n\n> Yours?\n>\n> ---------- Forwarded message ---------\n${fields.replace(/^/gm, "> ")}\n>\n> How many?`;
    expect(read(text, "Re: Fwd: Ten bikes")).toMatchObject({ reply_text: "Thank you.", forwarded: null });
  });

  test("of a forward is the outer one, and its text holds the other", () => {
    const inner = `Yours?\n\n---------- Forwarded message ---------\n${fields.replaceAll("Ana Lima <ana", "Eve <eve")}\n\nDeeper`;
    const { forwarded } = read(`---------- Forwarded message ---------\n${fields}\n\n${inner}`, "Fwd: Fwd: Ten bikes");
    expect(forwarded).toMatchObject({ ...original, text: inner });
  });

  test.each([
    ["Ana Lima<mailto:ana@b.example>"],
    ["Ana Lima [mailto:ana@b.example]"],
    ["Ana Lima (ana@b.example)"],
    ["Ana Lima <ana@b.example<mailto:ana@b.example>>"],
    ["Ana Lima <ana@b.example> <ana@b.example>"],
    ["Ana Lima <mailto:ana@b.example>"],
    ["*Ana Lima* <ana@b.example>"],
    ['"Ana Lima" <ana@b.example>;'],
    ["'Ana Lima' <ana@b.example>"],
  ])("names its sender in the form %j", (written) => {
    const text = `---------- Forwarded message ---------\nFrom: ${written}\nDate: 5.1.2026\nSubject: x\n\nHow many?`;
    const from = read(text, "Fwd: x").forwarded?.from;
    expect(from?.email).toBe("ana@b.example");
    expect(from?.name.replaceAll("'", "")).toBe("Ana Lima");
  });

  test("may hide everything but the sender's name", () => {
    const text = "---------- Forwarded message ---------\nFrom: Ana Lima\nDate: soon\n\nHow many?";
    expect(read(text, "Fwd: x").forwarded).toMatchObject({
      from: { name: "Ana Lima", email: null },
      to: [],
      date: null,
      date_raw: "soon",
      subject: null,
      text: "How many?",
    });
  });
});

const nested: NestedMessage = {
  message_id: "<n1@b.example>",
  from: {
    name: "Ana Lima",
    email: "ana@b.example",
    email_unicode: "ana@b.example",
    local: "ana",
    domain: "b.example",
    raw: "Ana Lima <ana@b.example>",
    anomalies: [],
  },
  to: [],
  subject: "Ten bikes",
  date: "2026-01-05T14:30:00Z",
  text: "How many?",
  attachments: [],
};
const part = (content_type: string, inside: NestedMessage | null): Attachment =>
  attachmentWith({
    filename: "message.eml",
    content_type,
    detected_type: null,
    nested_message_id: inside?.message_id ?? null,
    nested: inside,
  });
const mail = part("message/rfc822", nested);

describe("a forward as an attachment", () => {
  test.each([
    ["FW: Ten bikes", "For you."],
    ["Ten bikes", "For you."],
    [null, null],
    ["Fwd: x", "A note that goes on. ".repeat(30)],
  ])("with the subject %j and the note %j names the original", (subject, text) => {
    expect(read(text, subject, [mail]).forwarded).toMatchObject({
      kind: "attached",
      from: { email: "ana@b.example" },
      date: "2026-01-05T14:30:00Z",
      subject: "Ten bikes",
      message_id: "<n1@b.example>",
      text: "How many?",
    });
  });

  test.each([
    ["a report about it", "Undelivered", "Sorry.", [mail, part("message/delivery-status", null)]],
    ["an answer that carries it", "Re: Ten bikes", "See the attached mail.", [mail]],
    ["a letter that carries it", "Our complaint", "We write to you about a mail. ".repeat(20), [mail]],
    ["a digest", "Digest of Monday", "", [mail, mail, mail]],
    ["a mail that could not be read", "Ten bikes", "For you.", [part("message/rfc822", null)]],
  ])("is none in %s", (_, subject, text, attachments) => {
    expect(read(text, subject, attachments).forwarded).toBeNull();
  });
});
