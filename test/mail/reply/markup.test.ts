import { describe, expect, test } from "vitest";
import { htmlToText } from "../../../src/mail/html.ts";
import { type Reading, readReply } from "../../../src/mail/reply.ts";

/** The text that the html gives, as for a message without a text of its own. */
const read = (html: string): Reading =>
  readReply({ text: htmlToText(html).text, html, subject: "Re: x", attachments: [] });

/** Words of no language, so that nothing but the mark can say where the quote begins. */
const quoted = "<div>Zor bin Ana Lima quiltan</div><div>How many do you need?</div>";
const marks: readonly (readonly [string, string])[] = [
  ["Gmail", `<div class="gmail_quote">${quoted}</div>`],
  ["Gmail since 2024", `<div class="gmail_quote gmail_quote_container">${quoted}</div>`],
  ["Gmail, through Outlook", `<div class="x_gmail_quote">${quoted}</div>`],
  ["Apple Mail", `<blockquote type="cite">${quoted}</blockquote>`],
  [
    "Thunderbird",
    `<div class="moz-cite-prefix">Zor bin Ana</div><blockquote type="cite" cite="mid:1@b">${quoted}</blockquote>`,
  ],
  ["Yahoo", `<div id="ydp12yahoo_quoted_3" class="ydp12yahoo_quoted">${quoted}</div>`],
  ["ProtonMail", `<div class="protonmail_quote">${quoted}</div>`],
  ["Outlook on the web", `<div id="appendonsend"></div><hr><div id="divRplyFwdMsg">${quoted}</div>`],
  ["Outlook on the web, quoted", `<div id="x_divRplyFwdMsg">${quoted}</div>`],
  ["Outlook for Mac and iOS", `<div id="mail-editor-reference-message-container">${quoted}</div>`],
  ["Outlook for Mac, 2011", `<span id="OLK_SRC_BODY_SECTION">${quoted}</span>`],
  ["Zoho", `<div class="zmail_extra">${quoted}</div>`],
];
const answer = "<div>Ten of them would be fine.</div><div>Bo</div><br>";

describe("a mark in the html", () => {
  test.each(marks)("of %s says where the quote begins", (_, mark) => {
    const reading = read(`<html><body>${answer}${mark}</body></html>`);
    expect(reading.reply_text).toBe("Ten of them would be fine.\nBo");
    expect(reading.quoted_text).toContain("How many do you need?");
  });

  test.each(marks.filter(([name]) => name !== "Apple Mail"))(
    "of %s is found in the text that came beside the html",
    (_, mark) => {
      const text = "Ten of them would be fine.\nBo\n\nZor bin Ana Lima quiltan\n\nHow many do you need?\n";
      const html = `<html><body>${answer}${mark.replace("Zor bin Ana</div>", "</div>")}</body></html>`;
      expect(readReply({ text, html, subject: "Re: x", attachments: [] })).toMatchObject({
        reply_text: "Ten of them would be fine.\nBo",
        quoted_text: "Zor bin Ana Lima quiltan\n\nHow many do you need?",
      });
    },
  );

  test.each([
    "border:none;border-top:solid #E1E1E1 1.0pt",
    "border-top:solid #B5C4DF 1.0pt",
    "border-top: 1pt solid rgb(225, 225, 225)",
  ])("of Outlook for Windows, %s, counts above the fields of a mail", (style) => {
    const block = "<p><b>From:</b> Ana Lima<br><b>Zork:</b> Monday</p><p>How many?</p>";
    expect(read(`${answer}<div style="${style}">${block}</div>`).reply_text).toBe("Ten of them would be fine.\nBo");
    const letter = `${answer}<div style="${style}"><p>Our news of May</p></div>`;
    expect(read(letter)).toMatchObject({ quoted_text: null });
  });

  test.each([
    ["in a style sheet", `<html><head><style>div.gmail_quote{}</style></head><body>${answer}</body></html>`],
    ["in the text", `${answer}<div>my css says gmail_quote and divRplyFwdMsg</div>`],
    ["in a comment of no tag", `${answer}<!-- gmail_quote --><div>and more</div>`],
    ["around nothing", `${answer}<div class="gmail_quote"></div>`],
    [
      "of a citation with an answer below it",
      `<blockquote type="cite">Zor bin?</blockquote><div>Yes, ten of them.</div>`,
    ],
  ])("%s quotes nothing of what is written", (_, html) => {
    const { reply_text } = read(html);
    for (const word of ["Ten of them", "Bo", "my css", "and more", "Yes, ten"]) {
      if (html.includes(word)) expect(reply_text).toContain(word);
    }
  });

  test("that stands deeper than the line above it leaves the line where it is", () => {
    const html = `${answer}<div>On 5 Jan 2026, Ana Lima &lt;ana@b.example&gt; wrote:</div><blockquote type="cite">How many?</blockquote>`;
    expect(read(html).quoted_text).toMatch(/^On 5 Jan 2026, Ana Lima/);
  });

  test("whose words are nowhere in the text is no evidence", () => {
    const html = `${answer}<div class="gmail_quote">Something that the text does not have at all</div>`;
    const text = "Ten of them would be fine.\nBo";
    expect(readReply({ text, html, subject: null, attachments: [] })).toMatchObject({
      reply_text: text,
      quoted_text: null,
    });
  });

  test("whose words come twice in the text is the place after the words before it", () => {
    const text = "Thank you all the same.\n\nOther words.\n\nThank you all the same.\n\nHow many?";
    const html =
      "<div>Thank you all the same.</div><div>Other words.</div><div class='gmail_quote'><div>Thank you all the same.</div><div>How many?</div></div>";
    expect(readReply({ text, html, subject: null, attachments: [] }).reply_text).toBe(
      "Thank you all the same.\n\nOther words.",
    );
  });

  test.each(['class="gmail_signature"', 'id="Signature"', 'id="ms-outlook-mobile-signature"', 'class="moz-signature"'])(
    "%s says where the signature begins",
    (mark) => {
      const html = `<div>Ten of them would be fine.</div><div ${mark}><div>Bo Berg</div><div>Northwind</div></div><br><div class="gmail_quote">${quoted}</div>`;
      expect(read(html)).toMatchObject({
        reply_text: "Ten of them would be fine.",
        signature_text: "Bo Berg\nNorthwind",
      });
    },
  );
});
