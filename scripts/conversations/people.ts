/** Conversations by who takes part: colleagues on both sides, companies, freemail, forwards. */
import type { Conversation } from "./words.ts";

export const people: readonly Conversation[] = [
  {
    name: "colleague-in-cc",
    why: "The customer takes somebody of another company into Cc, who answers later.",
    begins: "2025-03-17T08:00:00Z",
    lines: [
      {
        from: "ana",
        cc: ["nils"],
        subject: "Transport of the Porto evaporators",
        text: "Nils in copy will do the transport.",
      },
      { from: "kim", to: ["ana"], cc: ["nils"], re: 0, text: "Which day suits you, Nils?" },
      { from: "nils", re: 1, text: "Thursday." },
      { from: "ana", cc: ["nils"], re: 2, text: "Thursday is fine." },
    ],
  },
  {
    name: "company-steps-in",
    why: "A colleague of the customer who was never in Cc answers: he is of the company that takes part.",
    begins: "2025-03-18T08:00:00Z",
    lines: [
      {
        from: "dora",
        subject: "Wartungsvertrag 2025 für die Pumpen",
        text: "Bitte senden Sie uns den Wartungsvertrag 2025.",
      },
      { from: "pat", to: ["dora"], re: 0, subject: "AW: Wartungsvertrag 2025 für die Pumpen", text: "Er liegt bei." },
      {
        from: "cem",
        re: 1,
        subject: "AW: Wartungsvertrag 2025 für die Pumpen",
        text: "Frau Klein ist im Urlaub, ich unterschreibe.",
      },
    ],
  },
  {
    name: "assistant-by-freemail",
    why: "The customer writes from his private address, in which nobody can see him: what cannot be proven stays apart until a person says so.",
    begins: "2025-03-19T08:00:00Z",
    lines: [
      { from: "ivo", subject: "Scaffold for the church tower", text: "We need a scaffold for the church tower." },
      { from: "lee", to: ["ivo"], re: 0, text: "How high is it?" },
      {
        from: "ivo.petrov77@gmail.com",
        re: 1,
        text: "38 metres. My office mail is down.",
        note: "he is himself, and nothing proves it: a threader that lets him in lets anybody in",
      },
    ],
  },
  {
    name: "two-customers-pumps",
    why: "Two people of one company write about two things on the same days; the company alone must not mix them.",
    begins: "2025-03-20T08:00:00Z",
    lines: [
      { from: "cem", subject: "Ersatzlaufrad P12", text: "Wir brauchen ein Ersatzlaufrad." },
      { from: "kim", to: ["cem"], re: 0, subject: "AW: Ersatzlaufrad P12", text: "Ist unterwegs." },
      { from: "cem", re: 1, subject: "AW: Ersatzlaufrad P12", text: "Danke, ist da." },
    ],
  },
  {
    name: "two-customers-training",
    why: "The other thing of that company, by another of its people.",
    begins: "2025-03-20T08:30:00Z",
    lines: [
      { from: "dora", subject: "Schulung Leitwarte im April", text: "Gibt es noch Plätze?" },
      { from: "kim", to: ["dora"], re: 0, subject: "AW: Schulung Leitwarte im April", text: "Drei." },
      { from: "dora", re: 1, sends: "nothing", subject: "AW: Schulung Leitwarte im April", text: "Dann bitte zwei." },
    ],
  },
  {
    name: "one-company-one-subject",
    why: "Two people of one company begin mails under the same everyday subject on the same day: two conversations.",
    begins: "2025-03-21T08:00:00Z",
    lines: [
      { from: "olga", subject: "Question", text: "Do the tables come with wheels?" },
      { from: "paul", subject: "Question", in: "one-company-one-subject-b", text: "Who do I send the invoice to?" },
      { from: "lee", to: ["olga"], re: 0, text: "They do." },
      { from: "lee", to: ["paul"], re: 1, in: "one-company-one-subject-b", text: "To accounting@northlight.example." },
      { from: "paul", re: 3, sends: "nothing", in: "one-company-one-subject-b", text: "Thank you, done." },
      { from: "olga", re: 2, text: "Wonderful." },
    ],
  },
  {
    name: "freemail-a",
    why: "Two strangers with addresses at one freemail provider write under the same subject: the provider is no company.",
    begins: "2025-03-24T08:00:00Z",
    lines: [
      { from: "jana", subject: "Ferienhaus Anfrage August", text: "Ist das Haus Anfang August frei?" },
      { from: "pat", to: ["jana"], re: 0, text: "Ja, vom 2. bis 16." },
      { from: "jana", re: 1, sends: "nothing", subject: "Re: Ferienhaus Anfrage August", text: "Dann nehme ich es." },
    ],
  },
  {
    name: "freemail-b",
    why: "The other one of two strangers at freemail providers, with the same subject.",
    begins: "2025-03-24T09:00:00Z",
    lines: [
      { from: "lena", subject: "Ferienhaus Anfrage August", text: "Hallo, sind Hunde erlaubt?" },
      { from: "pat", to: ["lena"], re: 0, text: "Ein kleiner." },
      { from: "lena", re: 1, sends: "nothing", subject: "Re: Ferienhaus Anfrage August", text: "Er ist sehr klein." },
    ],
  },
  {
    name: "forwarded-by-colleague",
    why: "A colleague forwards what a customer wrote to him alone, and the customer goes on with him and us.",
    begins: "2025-03-25T08:00:00Z",
    lines: [
      {
        from: "lee",
        refs: ["<to-lee-alone@mail.kumo-works.example>"],
        subject: "Fwd: Rods for the spring order",
        text: "This one is for us.\n\n---------- Forwarded message ---------\nFrom: Hana Mori <mori@kumo-works.example>\nDate: Mon, 24 Mar 2025 09:12:00 +0000\nSubject: Rods for the spring order\nTo: <lee@northlight.example>\n\nDear Lee, we need 200 rods for spring.",
      },
      {
        from: "kim",
        to: ["hana"],
        refs: ["<to-lee-alone@mail.kumo-works.example>"],
        subject: "Re: Rods for the spring order",
        text: "Lee gave me your mail. 200 are possible.",
      },
      { from: "hana", re: 1, text: "Very good." },
    ],
  },
  {
    name: "unsigned-colleague",
    why: "A colleague's mail came without any proof of who sent it; the customer answers it, and so it belongs there.",
    begins: "2025-03-26T08:00:00Z",
    lines: [
      { from: "mia", subject: "Cushions for the lounge", text: "Do you also make cushions?" },
      { from: "pat", to: ["mia"], re: 0, trust: "unverified", text: "We do, in four colours." },
      { from: "mia", re: 1, text: "Blue, please." },
      { from: "pat", to: ["mia"], re: 2, trust: "unverified", text: "Blue it is." },
      { from: "mia", re: 3, text: "When do they come?" },
    ],
  },
  {
    name: "handed-over",
    why: "Our colleague brings a subcontractor in, who has never been heard of; from then on he takes part.",
    begins: "2025-03-27T08:00:00Z",
    lines: [
      { from: "ben", subject: "Cold store Porto: floor heating", text: "Who does the floor heating?" },
      { from: "kim", to: ["ben"], cc: ["ivo"], re: 0, text: "Ivo does, in copy." },
      { from: "ivo", re: 1, text: "I can start in April." },
      { from: "ben", re: 2, text: "April is good." },
    ],
  },
];
