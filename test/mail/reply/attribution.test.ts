import { describe, expect, test } from "vitest";
import { type Reading, readReply } from "../../../src/mail/reply.ts";

const read = (text: string): Reading => readReply({ text, html: null, subject: null, attachments: [] });

/** Client and language, and the line as the client writes it; ¶ where it is wrapped. */
const attributions: readonly (readonly [string, string])[] = [
  ["English Gmail", "On Mon, Jan 5, 2026 at 2:30 PM Ana Lima <ana@b.example> wrote:"],
  [
    "English Gmail wrapped",
    "On Mon, Jan 5, 2026 at 2:30 PM Ana Maria Lima da Silva Pereira <¶ana.maria.lima@long-domain.example> wrote:",
  ],
  ["English Apple", "On 5 Jan 2026, at 14:30, Ana Lima <ana@b.example> wrote:"],
  ["English Apple wrapped", "On Jan 5, 2026,¶at 14:30,¶Ana Lima <ana@b.example>¶wrote:"],
  ["English Thunderbird", "On 05/01/2026 14:30, Ana Lima wrote:"],
  ["English Yahoo", "On Monday, January 5, 2026 at 02:30:41 PM GMT+1, Ana Lima <ana@b.example> wrote:"],
  ["English Proton", "On Monday, January 5th, 2026 at 2:30 PM, Ana Lima <ana@b.example> wrote:"],
  ["English Zoho", "---- On Mon, 05 Jan 2026 14:30:00 +0100 Ana Lima <ana@b.example> wrote ----"],
  ["English Lotus", "Ana Lima/ACME wrote on 05/01/2026 02:30:00 PM:"],
  ["English Outlook Mac", 'On 1/5/26, 2:30 PM, "Ana Lima" <ana@b.example> wrote:'],
  ["German Gmail", "Am Mo., 5. Jan. 2026 um 14:30 Uhr schrieb Ana Lima <ana@b.example>:"],
  ["German Apple", "Am 05.01.2026 um 14:30 schrieb Ana Lima <ana@b.example>:"],
  ["German Thunderbird", "Am 05.01.26 um 14:30 schrieb Ana Lima:"],
  ["German GMX", "Ana Lima <ana@b.example> schrieb am 05.01.2026 14:30 CET:"],
  ["French Gmail", "Le lun. 5 janv. 2026 à 14:30, Ana Lima <ana@b.example> a écrit :"],
  ["French Thunderbird", "Le 05/01/2026 à 14:30, Ana Lima a écrit :"],
  ["French Apple wrapped", "Le 5 janv. 2026 à 14:30, Ana Lima¶<ana@b.example> a écrit :"],
  ["Spanish Gmail", "El lun, 5 ene 2026 a las 14:30, Ana Lima (<ana@b.example>) escribió:"],
  ["Spanish Thunderbird", "El 5/1/26 a las 14:30, Ana Lima escribió:"],
  ["Italian Gmail", "Il giorno lun 5 gen 2026 alle ore 14:30 Ana Lima <ana@b.example> ha scritto:"],
  ["Italian Thunderbird", "Il 05/01/2026 14:30, Ana Lima ha scritto:"],
  ["Brazilian Gmail", "Em seg., 5 de jan. de 2026 às 14:30, Ana Lima <ana@b.example> escreveu:"],
  ["Portuguese Gmail", "Ana Lima <ana@b.example> escreveu (segunda, 5/01/2026 à(s) 14:30):"],
  ["Dutch Gmail", "Op ma 5 jan 2026 om 14:30 schreef Ana Lima <ana@b.example>:"],
  ["Dutch Apple", "Op 5 jan 2026, om 14:30 heeft Ana Lima <ana@b.example> het volgende geschreven:"],
  ["Polish Gmail", "pon., 5 sty 2026 o 14:30 Ana Lima <ana@b.example> napisał(a):"],
  ["Polish Thunderbird", "W dniu 05.01.2026 o 14:30, Ana Lima pisze:"],
  ["Polish Apple", "Wiadomość napisana przez Ana Lima <ana@b.example> w dniu 5 sty 2026, o godz. 14:30:"],
  ["Russian Gmail", "пн, 5 янв. 2026 г. в 14:30, Ana Lima <ana@b.example>:"],
  ["Russian Thunderbird", "05.01.2026 14:30, Ana Lima пишет:"],
  ["Russian Apple", "5 янв. 2026 г., в 14:30, Ana Lima <ana@b.example> написал(а):"],
  ["Ukrainian Gmail", "пн, 5 січ. 2026 р. о 14:30 Ana Lima <ana@b.example> пише:"],
  ["Bulgarian Gmail", "На пн, 5.01.2026 г. в 14:30 Ana Lima <ana@b.example> написа:"],
  ["Swedish Gmail", "Den mån 5 jan. 2026 kl 14:30 skrev Ana Lima <ana@b.example>:"],
  ["Swedish Apple", "5 jan. 2026 kl. 14:30 skrev Ana Lima <ana@b.example>:"],
  ["Danish Gmail", "Den man. 5. jan. 2026 kl. 14.30 skrev Ana Lima <ana@b.example>:"],
  ["Norwegian Gmail", "man. 5. jan. 2026 kl. 14:30 skrev Ana Lima <ana@b.example>:"],
  ["Finnish Gmail", "ma 5. tammik. 2026 klo 14.30 Ana Lima (ana@b.example) kirjoitti:"],
  ["Finnish Apple", "Ana Lima <ana@b.example> kirjoitti 5.1.2026 kello 14.30:"],
  ["Czech Gmail", "po 5. 1. 2026 v 14:30 odesílatel Ana Lima <ana@b.example> napsal:"],
  ["Czech Thunderbird", "Dne 05. 01. 26 v 14:30 Ana Lima napsal(a):"],
  ["Slovak Gmail", "po 5. 1. 2026 o 14:30 Ana Lima <ana@b.example> napísal(a):"],
  ["Hungarian Gmail", "Ana Lima <ana@b.example> ezt írta (időpont: 2026. jan. 5., H, 14:30):"],
  ["Hungarian Thunderbird", "2026. 01. 05. 14:30 keltezéssel, Ana Lima írta:"],
  ["Romanian Gmail", "În lun., 5 ian. 2026 la 14:30, Ana Lima <ana@b.example> a scris:"],
  ["Croatian Gmail", "pon, 5. sij 2026. u 14:30 Ana Lima <ana@b.example> napisao je:"],
  ["Slovene Gmail", "V V pon., 5. jan. 2026 ob 14:30 je oseba Ana Lima <ana@b.example> napisala:"],
  ["Greek Gmail", "Στις Δευ 5 Ιαν 2026 στις 2:30 μ.μ., ο/η Ana Lima <ana@b.example> έγραψε:"],
  ["Turkish Gmail", "Ana Lima <ana@b.example>, 5 Oca 2026 Pzt, 14:30 tarihinde şunu yazdı:"],
  ["Turkish Apple", "5 Oca 2026 tarihinde 14:30 saatinde, Ana Lima <ana@b.example> şunları yazdı:"],
  ["Estonian Gmail", "Kuupäev E, 5. jaanuar 2026 kell 14:30 kirjutas kasutaja Ana Lima <ana@b.example>:"],
  ["Latvian Gmail", "pirmd., 2026. g. 5. janv., plkst. 14:30 — lietotājs Ana Lima (<ana@b.example>) rakstīja:"],
  ["Lithuanian Gmail", "2026-01-05, pr, 14:30 Ana Lima <ana@b.example> rašė:"],
  ["Catalan Gmail", "Missatge de Ana Lima <ana@b.example> del dia dl., 5 de gen. 2026 a les 14:30:"],
  ["Vietnamese Gmail", "Vào Th 2, 5 thg 1, 2026 vào lúc 14:30 Ana Lima <ana@b.example> đã viết:"],
  ["Thai Gmail", "ในวันที่ จ. 5 ม.ค. 2026 เวลา 14:30 Ana Lima <ana@b.example> เขียนว่า:"],
  ["Indonesian Gmail", "Pada Sen, 5 Jan 2026 pukul 14.30 Ana Lima <ana@b.example> menulis:"],
  ["Hebrew Gmail", "בתאריך יום ב׳, 5 בינו׳ 2026 ב-14:30 מאת Ana Lima <ana@b.example>:"],
  ["Arabic Gmail", "في الاثنين، 5 يناير 2026 في 2:30 م تمت كتابة ما يلي بواسطة Ana Lima <ana@b.example>:"],
  ["Persian Gmail", "در تاریخ دوشنبه 5 ژانویه 2026، 14:30 Ana Lima <ana@b.example> نوشت:"],
  ["Japanese Gmail", "2026年1月5日(月) 14:30 Ana Lima <ana@b.example>:"],
  ["Japanese Apple", "2026/01/05 14:30、Ana Lima <ana@b.example>のメール:"],
  ["Chinese Gmail", "Ana Lima <ana@b.example> 于2026年1月5日周一 14:30写道："],
  ["Chinese Apple", "在 2026年1月5日，14:30，Ana Lima <ana@b.example> 写道："],
  ["Chinese (Taiwan) Gmail", "Ana Lima <ana@b.example> 於 2026年1月5日 週一 下午2:30寫道："],
  ["Korean Gmail", "2026년 1월 5일 (월) 오후 2:30, Ana Lima <ana@b.example>님이 작성:"],
  ["Korean Apple", "2026. 1. 5. 오후 2:30, Ana Lima <ana@b.example> 작성:"],
  ["Yandex", '05.01.2026, 14:30, "Ana Lima" <ana@b.example>:'],
  ["old Gmail", "2026-01-05 14:30 GMT+01:00 Ana Lima <ana@b.example>:"],
  ["English Gmail year wrapped", "On Mon, Jan 5, 2026 at¶2:30 PM Ana Lima <ana@b.example> wrote:"],
  ["Polish wrapped", "pon., 5 sty 2026¶o 14:30 Ana Lima <ana@b.example> napisał(a):"],
  ["Norwegian wrapped", "man. 5. jan. 2026 kl. 14:30 skrev Ana Lima <ana@b.example¶>:"],
  ["Dutch wrapped", "Op ma 5 jan 2026 om 14:30 schreef Ana Lima <¶ana@b.example>:"],
  ["Icelandic", "Þann mán., 5. jan. 2026 kl. 14:30 skrifaði Ana Lima <ana@b.example>:"],
  ["Basque", "Ana Lima <ana@b.example> igorleak hau idatzi du (2026 urt. 5, al. (14:30)):"],
  ["Galician", "O luns, 5 de xan. de 2026 ás 14:30, Ana Lima <ana@b.example> escribiu:"],
  ["Hindi", "सोम, 5 जन॰ 2026 को 2:30 pm बजे को Ana Lima <ana@b.example> ने लिखा:"],
];

const answers = ["Ten are on their way.", "Hi Ana,\nten are on their way, 5 more on Monday.\nBest, Bo"];

describe("the line that says who wrote what is quoted", () => {
  test("is known in more than twenty-five languages", () => {
    expect(new Set(attributions.map(([name]) => name.split(" ")[0])).size).toBeGreaterThan(25);
  });

  test.each(attributions)("%s: begins the quote, whether its lines are marked or not", (_, written) => {
    const attribution = written.replaceAll("¶", "\n");
    for (const answer of answers) {
      for (const gap of ["\n", "\n\n"]) {
        for (const quote of ["\n\nHow many?\nAna", "\n\n> How many?\n> Ana", "\n> How many?\n> Ana"]) {
          const { reply_text, quoted_text } = read(`${answer}${gap}${attribution}${quote}\n`);
          expect(reply_text).toBe(answer);
          expect(quoted_text).toBe(attribution + quote);
        }
      }
    }
  });

  test.each([
    ["On Monday we talked about 10 bikes and you said:\nall of them are in stock."],
    ["On 5 May we got two of the ten:\n- one blue\n- one red"],
    ["As Ana wrote in her mail: ten are enough."],
    ["On the one hand, 10 is too many:\nwe have no room."],
    ["Am Montag brauchen wir 10 Stück:\ndavon zwei blaue."],
    ["Le 5 janvier nous avons reçu ceci :\nun vélo."],
    ["Our numbers: 2026-01-05 14:30:\nten"],
    ["Contact ana@b.example for this:\nten bikes"],
    ["The author wrote:\nall is well that ends well"],
    ["10:30 meeting with bo@b.example:\nbring the plans"],
    ["In section 4 of the offer your colleague wrote:\n\nten bikes, free of charge.\n\nPlease confirm that."],
    ["On page 3 your lawyer wrote:\nten bikes. We need twelve."],
  ])("is not seen in %j", (text) => {
    expect(read(text)).toMatchObject({ reply_text: text, quoted_text: null });
  });

  test("needs a quoted line below it when it says no more than a name and that it wrote", () => {
    expect(read("Ten.\n\nAna Lima wrote:\n> How many?").reply_text).toBe("Ten.");
    expect(read("Ten.\n\nAna Lima wrote:\nHow many?").reply_text).toBe("Ten.\n\nAna Lima wrote:\nHow many?");
    expect(read("Ten.\n\nOn Mon 05 Jan, Ana Lima wrote:\n> How many?").reply_text).toBe("Ten.");
  });

  test("in a language nobody listed is known by a date, an address and the quoted line below", () => {
    const written = "Tar 5 ta' Jan 2026, 14:30, Ana Lima <ana@b.example> qalet hekk:";
    expect(read(`Ten.\n\n${written}\n> How many?`).reply_text).toBe("Ten.");
  });
});
