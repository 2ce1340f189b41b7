import { describe, expect, test } from "vitest";
import { type Reading, readReply } from "../../../src/mail/reply.ts";

const read = (text: string, subject: string | null = "Re: x"): Reading =>
  readReply({ text, html: null, subject, attachments: [] });

/** From, sent, to, copy, subject: as Outlook names them. */
const languages: readonly (readonly [string, readonly [string, string, string, string, string]])[] = [
  ["English", ["From", "Sent", "To", "Cc", "Subject"]],
  ["German", ["Von", "Gesendet", "An", "Cc", "Betreff"]],
  ["French", ["De ", "Envoyé ", "À ", "Cc ", "Objet "]],
  ["Spanish", ["De", "Enviado el", "Para", "CC", "Asunto"]],
  ["Italian", ["Da", "Inviato", "A", "Cc", "Oggetto"]],
  ["Portuguese", ["De", "Enviada em", "Para", "Cc", "Assunto"]],
  ["Dutch", ["Van", "Verzonden", "Aan", "CC", "Onderwerp"]],
  ["Polish", ["Od", "Wysłano", "Do", "DW", "Temat"]],
  ["Russian", ["От", "Отправлено", "Кому", "Копия", "Тема"]],
  ["Ukrainian", ["Від", "Надіслано", "Кому", "Копія", "Тема"]],
  ["Bulgarian", ["От", "Изпратено", "До", "Копие", "Относно"]],
  ["Swedish", ["Från", "Skickat", "Till", "Kopia", "Ämne"]],
  ["Danish", ["Fra", "Sendt", "Til", "Cc", "Emne"]],
  ["Norwegian", ["Fra", "Sendt", "Til", "Kopi", "Emne"]],
  ["Finnish", ["Lähettäjä", "Lähetetty", "Vastaanottaja", "Kopio", "Aihe"]],
  ["Czech", ["Od", "Odesláno", "Komu", "Kopie", "Předmět"]],
  ["Slovak", ["Od", "Odoslané", "Komu", "Kópia", "Predmet"]],
  ["Hungarian", ["Feladó", "Elküldve", "Címzett", "Másolatot kap", "Tárgy"]],
  ["Romanian", ["De la", "Trimis", "Către", "Cc", "Subiect"]],
  ["Croatian", ["Šalje", "Poslano", "Prima", "Kopija", "Predmet"]],
  ["Greek", ["Από", "Στάλθηκε", "Προς", "Κοιν.", "Θέμα"]],
  ["Turkish", ["Kimden", "Gönderildi", "Kime", "Bilgi", "Konu"]],
  ["Estonian", ["Saatja", "Saadetud", "Adressaat", "Koopia", "Teema"]],
  ["Latvian", ["No", "Nosūtīts", "Kam", "Kopija", "Tēma"]],
  ["Lithuanian", ["Nuo", "Išsiųsta", "Kam", "Kopija", "Tema"]],
  ["Vietnamese", ["Từ", "Đã gửi", "Tới", "Cc", "Chủ đề"]],
  ["Thai", ["จาก", "ส่ง", "ถึง", "สำเนา", "เรื่อง"]],
  ["Hebrew", ["מאת", "נשלח", "אל", "עותק", "נושא"]],
  ["Arabic", ["من", "تم الإرسال", "إلى", "نسخة", "الموضوع"]],
  ["Japanese", ["差出人", "送信日時", "宛先", "CC", "件名"]],
  ["Chinese", ["发件人", "发送时间", "收件人", "抄送", "主题"]],
  ["Chinese (Taiwan)", ["寄件者", "寄件日期", "收件者", "副本", "主旨"]],
  ["Korean", ["보낸 사람", "보낸 날짜", "받는 사람", "참조", "제목"]],
];

const values = [
  "Ana Lima <ana@b.example>",
  "5.1.2026 14:30",
  "Bo Berg <bo@c.example>",
  "Cy <cy@c.example>",
  "Ten bikes",
];

/** The forms that clients give the same block. */
const forms: readonly (readonly [string, (labels: readonly string[]) => string])[] = [
  ["plain", (labels) => labels.map((label, at) => `${label}: ${values[at]}`).join("\n")],
  ["bold", (labels) => labels.map((label, at) => `*${label}:* ${values[at]}`).join("\n")],
  ["bold twice", (labels) => labels.map((label, at) => `**${label.trim()}**: ${values[at]}`).join("\n")],
  [
    "below a line of underscores",
    (labels) => `${"_".repeat(32)}\n${labels.map((label, at) => `${label}: ${values[at]}`).join("\n")}`,
  ],
  ["indented", (labels) => labels.map((label, at) => `   ${label}:\t${values[at]}`).join("\n")],
  ["with full-width colons", (labels) => labels.map((label, at) => `${label}：${values[at]}`).join("\n")],
  [
    "with a blank line between its fields",
    (labels) => labels.map((label, at) => `${label}: ${values[at]}`).join("\n\n"),
  ],
];

describe("the block of fields above a quoted mail", () => {
  for (const [form, written] of forms) {
    test.each(languages)(`%s, ${form}: begins the quote, and no forward`, (_, labels) => {
      const quote = `${written(labels)}\n\nHow many do you need?`;
      expect(read(`Ten of them.\n\n${quote}\n`)).toMatchObject({
        reply_text: "Ten of them.",
        quoted_text: quote.trim(),
        forwarded: null,
      });
    });

    test.each(languages)(`%s, ${form}: names the original where the subject says that it is a forward`, (_, labels) => {
      const { forwarded, quoted_text } = read(
        `For you.\n\n${written(labels)}\n\nHow many do you need?\n`,
        "FW: Ten bikes",
      );
      expect(quoted_text).toBeNull();
      expect(forwarded).toMatchObject({
        kind: "inline",
        from: { name: "Ana Lima", email: "ana@b.example" },
        to: [{ name: "Bo Berg", email: "bo@c.example" }],
        date: "2026-01-05T14:30:00",
        date_raw: "5.1.2026 14:30",
        subject: "Ten bikes",
        text: "How many do you need?",
      });
    });
  }

  test.each([
    ["an order", "From: Hamburg\nTo: Lyon\nDate: 5 May\nSubject: glass"],
    ["one field", "Subject: my order of May\n\nIt is late."],
    ["two fields", "From: ana@b.example\nTo: bo@c.example\n\nthese are the two addresses you asked for"],
    ["fields that never meet", "From: ana@b.example\n\nI wrote\n\nTo: bo@c.example\n\non\n\nSent: Monday"],
    ["words before the label", "We sent it From: ana@b.example\nand it went To: bo@c.example\nwith Subject: x"],
  ])("is not seen in %s", (_, text) => {
    expect(read(text)).toMatchObject({ reply_text: text, quoted_text: null });
  });

  test("may wrap its names, its subject and its recipients", () => {
    const quote =
      "From: Ana Lima of the sales department \n<ana@b.example>\nSent: 5 January 2026 14:30\n" +
      "To: Bo Berg <bo@c.example>; Cy Doe <cy@c.example>;\nDee Eng <dee@c.example>; Eve Fox <eve@c.example>;\nFay Guy <fay@c.example>\n" +
      "Subject: Ten bikes\n\nHow many?";
    const { reply_text, quoted_text } = read(`Ten.\n\n${quote}`);
    expect({ reply_text, quoted_text }).toEqual({ reply_text: "Ten.", quoted_text: quote });
    const { forwarded } = read(quote, "Fwd: Ten bikes");
    expect(forwarded?.from?.email).toBe("ana@b.example");
    expect(forwarded?.to.map(({ email }) => email)).toEqual([
      "bo@c.example",
      "cy@c.example",
      "dee@c.example",
      "eve@c.example",
      "fay@c.example",
    ]);
  });
});

describe("a separator above a quoted mail", () => {
  test.each([
    "-----Original Message-----",
    "----- Original Message -----",
    "-------- Original message --------",
    "-----Ursprüngliche Nachricht-----",
    "-----Message d'origine-----",
    "-----Message d’origine-----",
    "-----Mensaje original-----",
    "-----Messaggio originale-----",
    "-----Mensagem original-----",
    "-----Oorspronkelijk bericht-----",
    "-----Oryginalna wiadomość-----",
    "-----Исходное сообщение-----",
    "-----Вихідне повідомлення-----",
    "-----Ursprungligt meddelande-----",
    "-----Oprindelig meddelelse-----",
    "-----Opprinnelig melding-----",
    "-----Alkuperäinen viesti-----",
    "-----Původní zpráva-----",
    "-----Pôvodná správa-----",
    "-----Eredeti üzenet-----",
    "-----Mesaj original-----",
    "-----Orijinal Mesaj-----",
    "-----Αρχικό μήνυμα-----",
    "-----Izvorna poruka-----",
    "-----元のメッセージ-----",
    "------------------ 原始邮件 ------------------",
    "-----原始郵件-----",
    "-----원본 메시지-----",
    "‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐",
    "_____ Original Message _____",
  ])("%s begins the quote", (line) => {
    const quote = `${line}\nFrom: Ana <ana@b.example>\n\nHow many?`;
    expect(read(`Ten.\n\n${quote}`)).toMatchObject({ reply_text: "Ten.", quoted_text: quote, forwarded: null });
    expect(read(`Ten.\n\n${line}\n\nHow many?`).reply_text).toBe("Ten.");
  });

  test.each(["----", "====", "Original message", "The original message -- it was short", "## Key points\n----"])(
    "%j alone is none",
    (line) => {
      const text = `Ten.\n\n${line}\n\nAnd two.`;
      expect(read(text)).toMatchObject({ reply_text: text, quoted_text: null });
    },
  );
});
