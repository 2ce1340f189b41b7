import { describe, expect, test } from "vitest";
import { type Reading, readReply } from "../../../src/mail/reply.ts";

const read = (text: string): Reading => readReply({ text, html: null, subject: null, attachments: [] });
const answer = "The parts came this morning, thank you.";

describe("a signature", () => {
  test.each([
    ["-- \nAna Lima\nAcme"],
    ["--\nAna"],
    ["—\nAna Lima\nCEO at Acme\n\n@acme"],
    ["—————\nAna Lima\n📱 +1 555-0123"],
    ["Sent from my iPhone"],
    ["Sent from my Verizon Wireless BlackBerry"],
    ["Sent from Yahoo Mail for iPhone"],
    ["Sent with Proton Mail secure email."],
    ["Get Outlook for iOS<https://aka.ms/o0ukef>"],
    ["Get Outlook for Android <https://aka.ms/AAb9ysg>"],
    ["Von meinem iPhone gesendet"],
    ["Gesendet von Outlook für Android<https://aka.ms/AAb9ysg>"],
    ["Von meinem Samsung Galaxy Smartphone gesendet."],
    ["Envoyé de mon iPhone"],
    ["Envoyé à partir de Outlook pour iOS"],
    ["Enviado desde mi iPhone"],
    ["Enviado do meu iPhone"],
    ["Inviato da iPhone"],
    ["Verstuurd vanaf mijn iPhone"],
    ["Wysłane z iPhone'a"],
    ["Отправлено с iPhone"],
    ["Отправлено из мобильной Почты Mail.ru"],
    ["Надіслано з iPhone"],
    ["Skickat från min iPhone"],
    ["Sendt fra min iPhone"],
    ["Lähetetty iPhonesta"],
    ["Odesláno z iPhonu"],
    ["iPhone'umdan gönderildi"],
    ["iPhoneから送信"],
    ["发自我的iPhone"],
    ["나의 iPhone에서 보냄"],
    ["Sent from my iPhone\n\n-- \nAna Lima"],
    ["-- \nAna Lima\n\nSent from my iPad"],
    [
      "_______________________________________________\nusers mailing list\nusers@lists.b.example\nhttps://lists.b.example/users",
    ],
    ["This e-mail is confidential and meant for the addressee only. If you are not the intended recipient, delete it."],
    [
      "Diese E-Mail enthält vertrauliche Informationen. Wenn Sie nicht der richtige Adressat sind oder diese E-Mail irrtümlich erhalten haben, löschen Sie sie bitte.",
    ],
    [
      "Ce message et ses pièces jointes sont confidentiels et établis à l'intention exclusive de leurs destinataires. Merci.",
    ],
    ["Virus-free. www.scanner.example"],
  ])("%j is told from the text", (signature) => {
    expect(read(`${answer}\n\n${signature}\n`)).toMatchObject({ reply_text: answer, signature_text: signature });
  });

  test.each([
    ["Best regards", "Ana Lima\nHead of Sales\nAcme Ltd\nPhone: +44 20 7946 0018"],
    ["Mit freundlichen Grüßen", "Karl Weiß\nWeiß Bau GmbH\nTel. 0711 / 99 88 77"],
    ["Cordialement,", "Luc Petit\n06 12 34 56 78\nluc@petit.example"],
    ["Saludos cordiales", "Inés Mora\nCompras\nwww.mora.example"],
    ["Cordiali saluti", "Carlo Riva\nRiva S.r.l.\n+39 02 1234567"],
    ["Met vriendelijke groet,", "Sanne de Vries\nwww.devries.example"],
    ["Pozdrawiam", "Ewa Nowak\ntel. +48 22 123 45 67"],
    ["С уважением,", "Ирина Орлова\nООО Орлова\nтел: +7 495 123-45-67"],
    ["Med vänlig hälsning", "Karin Lund\n08-123 45 67\nkarin@lund.example"],
  ])("below %j a visiting card begins", (formula, card) => {
    expect(read(`${answer}\n\n${formula}\n\n${card}\n`)).toMatchObject({
      reply_text: `${answer}\n\n${formula}`,
      signature_text: card,
    });
  });

  test("without a formula needs two ways to reach somebody", () => {
    const card = "Ana Lima\nHead of Sales, Acme Ltd\n+44 20 7946 0018\nana@acme.example";
    expect(read(`${answer}\n\n${card}`)).toMatchObject({ reply_text: answer, signature_text: card });
    const name = "Ana Lima\nHead of Sales, Acme Ltd";
    expect(read(`${answer}\n\n${name}`)).toMatchObject({ reply_text: `${answer}\n\n${name}`, signature_text: null });
  });

  test("begins at the last two dashes where a letter with others above them was closed", () => {
    const letter = `${answer}\n\n--\nWhat do ten bikes cost and do you ship to Norway?\n\nBest regards,\nAna`;
    expect(read(`${letter}\n-- \nAna Lima\nAcme`)).toMatchObject({
      reply_text: letter,
      signature_text: "-- \nAna Lima\nAcme",
    });
  });

  test("stands above what is quoted, and is no part of it", () => {
    expect(read(`${answer}\n\n-- \nAna\n\nOn 5 Jan 2026, Bo <bo@b.example> wrote:\n> ?`)).toMatchObject({
      reply_text: answer,
      signature_text: "-- \nAna",
      quoted_text: "On 5 Jan 2026, Bo <bo@b.example> wrote:\n> ?",
    });
  });
});

describe("no signature, and nothing is taken away", () => {
  test.each([
    ["Regards,\n\nAna"],
    ["Thanks\n\nPlease call me at +49 30 1234567 before noon."],
    ["My number is\n+49 30 1234567"],
    ["Our new address:\n\nAcme Ltd\n12 Mill Road\n+44 20 7946 0018\nana@acme.example"],
    ["The prices:\n\n- blue bike 0123 456 789\n- red bike 0987 654 321"],
    ["Please check:\n-- the first point\n-- the second point"],
    ["Sent from my desk, is much easier than my mobile phone."],
    ["The notification was sent from my iPhone app to all users."],
    ["Sent to the warehouse: ten bikes."],
    ["Please keep this message confidential."],
    [`Two parts:\n\n--\n${"one more line of the second part\n".repeat(40)}`],
    ["Service    Expires\n------------------\nexample    June"],
    ["a fix -- this is not a signature.\n\nbye"],
    ["Our questions:\n\n--\n1. What is the price of ten bikes?\n2. Do you ship to Norway?\n\nBest regards,\nAna"],
    ["Prices:\n--\nBlue 20\n--\nRed 30\n\nPlease confirm the delivery by Monday.\n\nThanks\nAna"],
  ])("in %j", (rest) => {
    const text = `${answer}\n\n${rest}`;
    expect(read(text)).toMatchObject({ reply_text: text.trim(), signature_text: null });
  });

  test("when it is all that was written", () => {
    expect(read("-- \nAna Lima\nAcme")).toMatchObject({
      reply_text: "-- \nAna Lima\nAcme",
      signature_text: "-- \nAna Lima\nAcme",
    });
  });
});
