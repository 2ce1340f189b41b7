/** Conversations by the ids that clients send: all of them, some, none, or too few. */
import type { Conversation, Line } from "./words.ts";

const talk = [
  "Could you also send the drawing?",
  "It is attached now.",
  "Thank you. The flange is on the wrong side.",
  "Right, we will turn it.",
  "When can you deliver?",
  "Four weeks after the order.",
  "That is too late for us.",
  "I will ask the workshop.",
  "They say three weeks.",
  "Better. And the price?",
];

/** Forty mails to and fro, as a project is discussed over a month. */
function projectLines(): Line[] {
  const first: Line = {
    from: "eva",
    subject: "Project Fjord: heat exchanger for hall 7",
    text: "We plan a heat exchanger for hall 7. Who is our contact?",
  };
  const rest = Array.from({ length: 39 }, (_, index): Line => {
    const ours = index % 2 === 0;
    const to = ours ? (["eva", "finn"] as const) : undefined;
    const from = ours ? (index % 8 === 6 ? "lee" : "kim") : index % 3 === 0 ? "finn" : "eva";
    return {
      from,
      ...(to === undefined ? {} : { to }),
      re: index,
      keep: 4,
      after: 60 * 15,
      text: `${talk[index % talk.length]} (${index + 2})`,
    };
  });
  return [first, ...rest];
}

export const ids: readonly Conversation[] = [
  {
    name: "plain-reply",
    why: "Every client sends In-Reply-To and References, as RFC 5322 asks: any threader must get this right.",
    begins: "2025-02-03T08:00:00Z",
    lines: [
      {
        from: "ana",
        subject: "Cold store in Porto: twelve evaporators",
        text: "Please quote twelve evaporators for our cold store in Porto.",
      },
      { from: "kim", to: ["ana"], re: 0, text: "Gladly. Which refrigerant do you use?" },
      { from: "ana", re: 1, text: "R290, in all twelve." },
      { from: "kim", to: ["ana"], re: 2, text: "Then the quote is attached." },
    ],
  },
  {
    name: "in-reply-to-only",
    why: "A client that sends In-Reply-To and never References: the root cannot be read from a late mail.",
    begins: "2025-02-04T09:00:00Z",
    lines: [
      { from: "cem", subject: "Pumpen für das Klärwerk Süd", text: "Wir brauchen drei Pumpen für das Klärwerk Süd." },
      {
        from: "kim",
        to: ["cem"],
        re: 0,
        sends: "in-reply-to",
        subject: "AW: Pumpen für das Klärwerk Süd",
        text: "Welche Förderhöhe?",
      },
      { from: "cem", re: 1, sends: "in-reply-to", subject: "AW: Pumpen für das Klärwerk Süd", text: "Zwölf Meter." },
      {
        from: "kim",
        to: ["cem"],
        re: 2,
        sends: "in-reply-to",
        subject: "AW: Pumpen für das Klärwerk Süd",
        text: "Dann passt die P12.",
      },
      {
        from: "cem",
        re: 3,
        sends: "in-reply-to",
        subject: "AW: Pumpen für das Klärwerk Süd",
        text: "Bitte drei Stück.",
      },
    ],
  },
  {
    name: "references-only",
    why: "A client that sends References and no In-Reply-To.",
    begins: "2025-02-05T07:30:00Z",
    lines: [
      { from: "nils", subject: "Container 88-K: missing seal", text: "The seal of container 88-K is missing." },
      { from: "lee", to: ["nils"], re: 0, sends: "references", text: "Which port did it leave from?" },
      { from: "nils", re: 1, sends: "references", text: "From Oulu, on Monday." },
      { from: "lee", to: ["nils"], re: 2, sends: "references", text: "Then we ask there." },
    ],
  },
  {
    name: "ids-cut-short",
    why: "A gateway keeps only the last id of References: the root cannot be read from it, and the middle mail joins all.",
    begins: "2025-02-06T10:00:00Z",
    lines: [
      {
        from: "quinn",
        subject: "Draft of the supply agreement",
        text: "Our draft of the supply agreement is attached.",
      },
      { from: "pat", to: ["quinn"], re: 0, keep: 1, text: "Section 4 is open, otherwise fine." },
      { from: "quinn", re: 1, keep: 1, text: "What about 14 days in section 4?" },
      { from: "pat", to: ["quinn"], re: 2, keep: 1, text: "Agreed." },
      { from: "quinn", re: 3, keep: 1, text: "Then please sign." },
    ],
  },
  {
    name: "crossing-replies",
    why: "Both sides answer the same mail at the same time, and then each other: a tree and not a line.",
    begins: "2025-02-07T12:00:00Z",
    lines: [
      { from: "mia", subject: "Showroom lamps, 40 pieces", text: "We want forty lamps of the showroom series." },
      { from: "kim", to: ["mia"], re: 0, text: "In black or in white?" },
      { from: "mia", re: 0, after: 1, text: "I forgot: in black, please." },
      { from: "kim", to: ["mia"], re: 2, text: "Understood, black." },
      { from: "mia", re: 1, after: 1, text: "Black, as I wrote." },
      { from: "lee", to: ["mia"], re: 0, after: 30, text: "The black ones are in stock." },
    ],
  },
  {
    name: "forty-mails",
    why: "A project of forty mails, whose clients keep the last four ids only.",
    begins: "2025-02-10T08:00:00Z",
    lines: projectLines(),
  },
  {
    name: "wrong-in-reply-to",
    why: "In-Reply-To names the root and References end with the nearest: both are of one conversation.",
    begins: "2025-02-11T08:00:00Z",
    lines: [
      { from: "ivo", subject: "Crane rental in May", text: "Do you rent out cranes in May?" },
      { from: "lee", to: ["ivo"], re: 0, text: "From the 12th on." },
      {
        from: "ivo",
        re: 1,
        sends: "references",
        headers: ["X-Mailer: HouseMail 2"],
        text: "The 12th is fine.",
      },
      { from: "lee", to: ["ivo"], re: 0, text: "And for how long?" },
    ],
  },
  {
    name: "no-message-id",
    why: "A program of the customer sends mails without Message-ID; ours name each other, and his join by subject and person.",
    begins: "2025-02-12T08:00:00Z",
    lines: [
      { from: "hana", id: "", subject: "Sample rods KW-330", text: "Please send two sample rods KW-330." },
      { from: "kim", to: ["hana"], subject: "Re: Sample rods KW-330", text: "They leave today." },
      { from: "hana", id: "", re: 1, text: "Received, thank you." },
    ],
  },
  {
    name: "folded-and-commas",
    why: "Ids separated by commas, as some gateways write them.",
    begins: "2025-02-13T08:00:00Z",
    lines: [
      { from: "rosa", subject: "Stage roof for the summer festival", text: "We need a stage roof of 12 by 10 metres." },
      { from: "pat", to: ["rosa"], re: 0, text: "Until when do you need it?" },
      {
        from: "rosa",
        re: 1,
        sends: "references",
        separator: ",",
        text: "Until the end of June.",
      },
    ],
  },
];
