/** Conversations of which not all has come to us, or not in the order in which it was written. */
import type { Conversation } from "./words.ts";

export const lost: readonly Conversation[] = [
  {
    name: "lost-root",
    why: "The mail that all answer was sent without a copy to us: its id is only named.",
    begins: "2025-03-03T08:00:00Z",
    lines: [
      {
        from: "ana",
        refs: ["<offer-porto@mail.northlight.example>"],
        subject: "Re: Offer for the Porto compressors",
        text: "Thank you for the offer. Is assembly included?",
      },
      {
        from: "ben",
        refs: ["<offer-porto@mail.northlight.example>"],
        subject: "Re: Offer for the Porto compressors",
        text: "One more question from purchasing: is the price fixed until May?",
      },
      {
        from: "kim",
        to: ["ana", "ben"],
        refs: ["<offer-porto@mail.northlight.example>"],
        subject: "Re: Offer for the Porto compressors",
        text: "A correction to our offer: assembly is included.",
      },
      { from: "ana", re: 2, text: "Perfect, we take it." },
    ],
  },
  {
    name: "late-root",
    why: "The root comes last, from a mailbox that was connected later; it joins those that did not know each other.",
    begins: "2025-03-04T08:00:00Z",
    lines: [
      {
        from: "quinn",
        refs: ["<late-root.5@mail.northlight.example>"],
        subject: "Re: Inspection of the Tallinn site",
        text: "We can come on Tuesday.",
      },
      {
        from: "nils",
        refs: ["<late-root.5@mail.northlight.example>"],
        subject: "Re: Inspection of the Tallinn site",
        text: "The forklift is free on Tuesday.",
      },
      { from: "lee", to: ["quinn", "nils"], re: 0, text: "Tuesday it is." },
      { from: "quinn", re: 2, text: "See you there." },
      {
        from: "lee",
        to: ["quinn", "nils"],
        at: "2025-03-03T16:00:00Z",
        subject: "Inspection of the Tallinn site",
        text: "When could we inspect the Tallinn site together?",
        note: "written first, and received last",
      },
    ],
  },
  {
    name: "lost-middle",
    why: "A mail in the middle is missing; the one after it names the whole line.",
    begins: "2025-03-05T08:00:00Z",
    lines: [
      { from: "gao", subject: "Lens blanks LB-20, surface quality", text: "Which surface quality do LB-20 have?" },
      { from: "pat", to: ["gao"], re: 0, text: "60-40, or better on request." },
      {
        from: "gao",
        refs: [
          "<lost-middle.1@mail.jade-optics.example>",
          "<lost-middle.2@mail.northlight.example>",
          "<never-copied@mail.northlight.example>",
        ],
        subject: "Re: Lens blanks LB-20, surface quality",
        text: "20-10 would be right.",
      },
      { from: "pat", to: ["gao"], re: 2, text: "We can do that for ten more euros." },
    ],
  },
  {
    name: "lost-root-and-middle",
    why: "Root and middle are missing: only two ids that nobody has hold the rest together.",
    begins: "2025-03-06T08:00:00Z",
    lines: [
      {
        from: "rosa",
        refs: ["<tent-root@mail.northlight.example>"],
        subject: "Re: Tents for the harbour day",
        text: "Twenty tents, please.",
      },
      {
        from: "rosa",
        refs: ["<tent-root@mail.northlight.example>", "<tent-middle@mail.northlight.example>"],
        subject: "Re: Tents for the harbour day",
        text: "Sorry, twenty-two.",
      },
      {
        from: "pat",
        to: ["rosa"],
        refs: ["<tent-middle@mail.northlight.example>"],
        subject: "Re: Tents for the harbour day",
        text: "Twenty-two are reserved.",
      },
    ],
  },
  {
    name: "ticket-rewrites",
    why: "The customer's ticket system gives every mail a new id and names ids that nobody else has ever seen; subject and address are all there is.",
    begins: "2025-03-07T08:00:00Z",
    lines: [
      {
        from: "kim",
        to: ["helpdesk@clinique-du-lac.example"],
        subject: "Delivery note for the sterile tables",
        text: "The delivery note is missing, may we send it again?",
      },
      {
        from: "helpdesk@clinique-du-lac.example",
        refs: ["<ticket-99120-a@desk.clinique-du-lac.example>"],
        subject: "[CDL#99120] Re: Delivery note for the sterile tables",
        text: "Please do.",
      },
      {
        from: "kim",
        to: ["helpdesk@clinique-du-lac.example"],
        re: 1,
        subject: "Re: [CDL#99120] Re: Delivery note for the sterile tables",
        text: "It is attached.",
      },
      {
        from: "helpdesk@clinique-du-lac.example",
        refs: ["<ticket-99120-b@desk.clinique-du-lac.example>"],
        subject: "[CDL#99120] Re: Delivery note for the sterile tables",
        text: "Received. This ticket will be closed.",
      },
    ],
  },
  {
    name: "our-ticket-rewrites",
    why: "Our own desk rewrites ids: what the customer answers was never stored under that id.",
    begins: "2025-03-10T08:00:00Z",
    lines: [
      { from: "mia", subject: "Broken dimmer in lamp 17", text: "The dimmer of lamp 17 is broken." },
      { from: "lee", to: ["mia"], re: 0, text: "We send a new one." },
      {
        from: "mia",
        refs: ["<desk-5520@desk.northlight.example>"],
        sends: "in-reply-to",
        subject: "Re: Broken dimmer in lamp 17",
        text: "It came, and it works.",
      },
    ],
  },
  {
    name: "id-changed-by-relay",
    why: "Outbound mail gets a new id on its way (a relay does that), and the customer answers that one; the hint of Outlook joins them.",
    begins: "2025-03-11T08:00:00Z",
    lines: [
      {
        from: "eva",
        subject: "Spare gaskets",
        headers: ["Thread-Topic: Spare gaskets", "Thread-Index: Adt0Zq8mZ1kpQw2TRxWJtA0c1bYcPg=="],
        text: "Do you have spare gaskets?",
      },
      {
        from: "kim",
        to: ["eva"],
        re: 0,
        headers: ["Thread-Topic: Spare gaskets", "Thread-Index: Adt0Zq8mZ1kpQw2TRxWJtA0c1bYcPgAAAJ4w"],
        text: "Fifty in stock.",
      },
      {
        from: "eva",
        refs: ["<AM0PR05.relay@prod.outlook.example>"],
        subject: "RE: Spare gaskets",
        headers: ["Thread-Topic: Spare gaskets", "Thread-Index: Adt0Zq8mZ1kpQw2TRxWJtA0c1bYcPgAAAJ4wAAAAx1A="],
        text: "Ten, please.",
      },
    ],
  },
];
