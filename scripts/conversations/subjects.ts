/** Conversations by what their subjects say: prefixes of many languages, tags, new matters under old ids, the same words for other things. */
import type { Conversation } from "./words.ts";

export const subjects: readonly Conversation[] = [
  {
    name: "no-ids",
    why: "A client that sends no ids at all: only the subject, the person and the time are left.",
    begins: "2025-04-01T08:00:00Z",
    lines: [
      { from: "rosa", subject: "Light towers for the marathon", text: "Do you rent light towers?" },
      { from: "pat", to: ["rosa"], re: 0, text: "We have eight." },
      { from: "rosa", re: 1, sends: "nothing", text: "We take all eight." },
      { from: "pat", to: ["rosa"], re: 2, text: "Booked." },
      { from: "rosa", re: 3, sends: "nothing", after: 60 * 30, text: "Make it seven, please." },
    ],
  },
  {
    name: "prefixes",
    why: "AW, SV, RE[2] and a Chinese prefix with its own colon, none with an id: all are the same subject.",
    begins: "2025-04-02T08:00:00Z",
    lines: [
      { from: "gao", subject: "Coating machine CM-8 commissioning", text: "When can your engineer come?" },
      {
        from: "kim",
        to: ["gao"],
        re: 0,
        sends: "nothing",
        subject: "AW: Coating machine CM-8 commissioning",
        text: "In May.",
      },
      {
        from: "gao",
        sends: "nothing",
        subject: "\u56de\u590d\uff1aCoating machine CM-8 commissioning",
        text: "The first week?",
      },
      {
        from: "kim",
        to: ["gao"],
        sends: "nothing",
        subject: "SV: Coating machine CM-8 commissioning",
        text: "The second.",
      },
      { from: "gao", sends: "nothing", subject: "RE[2]: Coating machine CM-8 commissioning", text: "Good." },
    ],
  },
  {
    name: "tags",
    why: "Gateways put tags into the subject: [EXTERN], a ticket number, (fwd).",
    begins: "2025-04-03T08:00:00Z",
    lines: [
      { from: "olga", subject: "Oxygen fittings for ward 3", text: "Please offer 24 fittings." },
      { from: "lee", to: ["olga"], re: 0, text: "The offer is attached." },
      { from: "olga", re: 1, subject: "Re: [EXTERN] Re: Oxygen fittings for ward 3", text: "Accepted." },
      {
        from: "paul",
        re: 1,
        subject: "[CDL-77] AW: [EXTERN] Oxygen fittings for ward 3",
        text: "The order number is 4410.",
      },
    ],
  },
  {
    name: "new-matter-old",
    why: "Somebody takes any old mail, answers it and writes a new subject over it: what is new is a conversation of its own, with all that answers it.",
    begins: "2025-04-04T08:00:00Z",
    lines: [
      { from: "eva", subject: "Delivery of the gasket set", text: "When do the gaskets come?" },
      { from: "kim", to: ["eva"], re: 0, text: "Tomorrow." },
      {
        from: "eva",
        re: 1,
        in: "new-matter-new",
        subject: "Internship for my son",
        after: 60 * 24 * 9,
        text: "Something else: do you take interns?",
      },
      { from: "kim", to: ["eva"], re: 2, in: "new-matter-new", text: "We do, in summer." },
      { from: "eva", re: 3, in: "new-matter-new", text: "He will write to you." },
      { from: "eva", re: 1, text: "The gaskets are here, thank you." },
    ],
  },
  {
    name: "drifting-subject",
    why: "The subject grows and changes with the matter, word by word: still one conversation.",
    begins: "2025-04-07T08:00:00Z",
    lines: [
      { from: "quinn", subject: "Lease of unit 14", text: "Is unit 14 free?" },
      { from: "pat", to: ["quinn"], re: 0, text: "From July on." },
      { from: "quinn", re: 1, subject: "Lease of unit 14, parking", text: "With parking?" },
      { from: "pat", to: ["quinn"], re: 2, subject: "Re: Lease of unit 14, parking and storage", text: "And storage." },
    ],
  },
  {
    name: "renamed-answer",
    why: "An answer that keeps Re: and gets other words: the prefix and the nearest id say that it answers all the same.",
    begins: "2025-04-08T08:00:00Z",
    lines: [
      { from: "nils", subject: "Transport quote Oulu-Lisbon", text: "Please quote Oulu to Lisbon." },
      { from: "lee", to: ["nils"], re: 0, text: "3,400 euros." },
      { from: "nils", re: 1, subject: "Re: Booked!", text: "Booked, thanks." },
    ],
  },
  {
    name: "same-words-a",
    why: "Three companies write under the same subject in the same week, and one of their clients sends no ids.",
    begins: "2025-04-09T08:00:00Z",
    lines: [
      { from: "hana", subject: "Price list 2025", text: "Please send your price list." },
      { from: "pat", to: ["hana"], re: 0, text: "Attached." },
      { from: "hana", re: 1, sends: "nothing", subject: "Re: Price list 2025", text: "Thank you!" },
    ],
  },
  {
    name: "same-words-b",
    why: "Price lists, for the second company of three under one subject.",
    begins: "2025-04-09T11:00:00Z",
    lines: [
      { from: "mia", subject: "Price list 2025", text: "May we have the price list?" },
      { from: "pat", to: ["mia"], re: 0, text: "Here it is." },
    ],
  },
  {
    name: "same-words-c",
    why: "Price lists, for the third company of three under one subject.",
    begins: "2025-04-10T08:00:00Z",
    lines: [
      { from: "finn", subject: "Price list 2025", text: "A price list, please." },
      { from: "lee", to: ["finn"], re: 0, text: "Attached." },
      { from: "finn", re: 1, text: "The PDF is empty." },
      { from: "lee", to: ["finn"], re: 2, text: "This one is not." },
    ],
  },
  {
    name: "year-later",
    why: "The same person, the same subject, a year later, by somebody who answers no mail: a new conversation.",
    begins: "2025-04-11T08:00:00Z",
    lines: [
      {
        from: "ben",
        at: "2024-04-12T08:00:00Z",
        in: "year-before",
        subject: "Easter closing of the cold store",
        text: "We close from Friday.",
      },
      { from: "kim", to: ["ben"], at: "2024-04-12T09:00:00Z", re: 0, in: "year-before", text: "Noted." },
      { from: "ben", subject: "Easter closing of the cold store", text: "We close from Thursday this year." },
      { from: "kim", to: ["ben"], re: 2, text: "Noted, thank you." },
    ],
  },
  {
    name: "sent-twice",
    why: "The sender forgot the file and sends the mail again, as new. No id and no prefix says so: it is a candidate only.",
    begins: "2025-04-14T08:00:00Z",
    lines: [
      { from: "paul", subject: "Floor plan of ward 3", text: "The plan is attached." },
      { from: "paul", subject: "Floor plan of ward 3", after: 6, text: "Now with the plan." },
      { from: "lee", to: ["paul"], re: 1, text: "Got it." },
    ],
  },
];
