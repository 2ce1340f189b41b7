import { describe, expect, test } from "vitest";
import { absenceSentence, isAbsenceSubject, isAutomaticSubject } from "../../src/mail/automated/absence.ts";
import { classify } from "../../src/mail/automated.ts";
import { noStructure } from "../../src/mail/structure.ts";

interface Given {
  readonly headers?: readonly (readonly [string, string])[];
  readonly subject?: string;
  readonly text?: string;
  readonly nullSender?: boolean;
}

function kindOf({ headers = [], subject = "Your quote", text = "Hello", nullSender }: Given): string {
  const from = { email: "ana@shop.example", name: "Ana" };
  const facts = { headers, structure: noStructure, from, subject, text, forward: false };
  return classify(facts, nullSender === undefined ? undefined : { nullSender }).kind;
}

/** What mail programs put before the subject; an absence in the words of people; a sentence of an absence note. */
const languages: readonly (readonly [language: string, automatic: string, absence: string, sentence: string])[] = [
  ["English", "Automatic reply: x", "Out of the office until Monday", "I am currently out of the office."],
  ["German", "Automatische Antwort: x", "Abwesenheit", "Ich bin bis zum 3. August nicht im Büro."],
  ["French", "Réponse automatique : x", "Absence du bureau", "Je suis absent jusqu'à lundi."],
  ["Spanish", "Respuesta automática: x", "Fuera de la oficina", "Estoy fuera de la oficina hasta el lunes."],
  ["Portuguese", "Resposta automática: x", "Fora do escritório", "Estou fora do escritório."],
  ["Italian", "Risposta automatica: x", "Fuori ufficio", "Sono fuori ufficio fino a lunedì."],
  ["Dutch", "Automatisch antwoord: x", "Afwezig", "Ik ben tot maandag afwezig."],
  ["Swedish", "Autosvar: x", "Frånvaro", "Jag är på semester."],
  ["Norwegian", "Automatisk svar: x", "Fravær", "Jeg er ikke på kontoret."],
  ["Finnish", "Automaattinen vastaus: x", "Poissa", "Olen lomalla maanantaihin."],
  ["Polish", "Odpowiedź automatyczna: x", "Poza biurem", "Przebywam na urlopie."],
  ["Czech", "Automatická odpověď: x", "Mimo kancelář", "Jsem mimo kancelář."],
  ["Slovak", "Automatická odpoveď: x", "Neprítomnosť", "Som na dovolenke mimo kancelárie."],
  ["Hungarian", "Automatikus válasz: x", "Házon kívül", "Szabadságon vagyok."],
  ["Romanian", "Răspuns automat: x", "În concediu", "Sunt în concediu."],
  ["Russian", "Автоответ: x", "В отпуске", "Я сейчас в отпуске."],
  ["Ukrainian", "Автоматична відповідь: x", "У відпустці", "Я зараз у відпустці."],
  ["Greek", "Αυτόματη απάντηση: x", "Εκτός γραφείου", "Είμαι εκτός γραφείου."],
  ["Turkish", "Otomatik yanıt: x", "Ofis dışında", "Ofis dışındayım."],
  ["Hebrew", "מענה אוטומטי: x", "מחוץ למשרד", "אני בחופשה עד יום ראשון."],
  ["Arabic", "رد تلقائي: x", "خارج المكتب", "أنا في إجازة."],
  ["Japanese", "自動返信: x", "不在のお知らせ", "本日は休暇をいただいております。"],
  ["Chinese", "自动回复: x", "休假", "我目前不在办公室。"],
  ["Korean", "자동 회신: x", "부재 안내", "현재 부재중입니다."],
];

describe("absence notes", () => {
  test.each(languages)(
    "in %s are known by subject and sentence, and neither says anything alone",
    (_, automatic, absence, sentence) => {
      expect(isAutomaticSubject(automatic)).toBe(true);
      expect(isAutomaticSubject(`Re: ${automatic}`)).toBe(false);
      expect(isAbsenceSubject(absence)).toBe(true);
      expect(absenceSentence(`Hello\n\n${sentence}\n`)).not.toBeNull();
      for (const given of [{ subject: automatic }, { subject: absence }, { text: sentence }]) {
        expect(kindOf(given)).toBe("person");
        expect(kindOf({ ...given, nullSender: true })).toBe("auto_reply");
      }
    },
  );

  const answers = ["In-Reply-To", "<q@acme.example>"] as const;
  const suppress = ["X-Auto-Response-Suppress", "DR, OOF, AutoReply"] as const;
  const generated = ["Auto-Submitted", "auto-generated"] as const;
  const loop = ["X-MS-Exchange-Inbox-Rules-Loop", "ana@shop.example"] as const;
  test.each<[string, Given, string]>([
    ["a program's prefix in answer to something", { subject: "Automatic reply: x", headers: [answers] }, "auto_reply"],
    ["a program's prefix and a plea for silence", { subject: "Automatic reply: x", headers: [suppress] }, "auto_reply"],
    ["a person's answer about being away", { subject: "Out of office next week", headers: [answers] }, "person"],
    [
      "a person's mail about being away, by Exchange",
      { subject: "Out of office next week", headers: [suppress] },
      "person",
    ],
    ["a person who answers an absence note", { subject: "Re: Automatic reply: x", headers: [answers] }, "person"],
    ["words of absence that are generated", { subject: "Out of office", headers: [generated] }, "auto_reply"],
    ["words of absence by a rule of Exchange", { subject: "Out of office", headers: [loop] }, "auto_reply"],
    ["a sentence that is generated", { text: "I'm on vacation until Monday", headers: [generated] }, "auto_reply"],
    [
      "a sentence in a quote",
      { text: "Order 4711\n> I'm on vacation until Monday", headers: [generated] },
      "auto_generated",
    ],
    ["a shop's opening hours", { text: "Outside of office hours, call 110.", headers: [generated] }, "auto_generated"],
    ["a null sender and ordinary words", { nullSender: true }, "auto_generated"],
  ])("%s", (_, given, kind) => {
    expect(kindOf(given)).toBe(kind);
  });
});
