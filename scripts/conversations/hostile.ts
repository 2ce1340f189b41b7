/** Who wants to get into a conversation that is not his: forged ids, copied subjects, taken names. */
import type { Conversation } from "./words.ts";

export const hostile: readonly Conversation[] = [
  {
    name: "hijack",
    why: "A stranger who got hold of the ids writes into the conversation, with the customer in Cc: he stays outside, also when he is answered.",
    begins: "2025-05-19T08:00:00Z",
    lines: [
      { from: "ana", subject: "Down payment for the Porto evaporators", text: "Where do we send the down payment?" },
      { from: "kim", to: ["ana"], re: 0, text: "To the account on the invoice." },
      {
        from: "mallory",
        cc: ["ana"],
        re: 1,
        in: "hijack-stranger",
        text: "Our account has changed, please use this one.",
        note: "names all ids of the conversation",
      },
      {
        from: "kim",
        to: ["mallory"],
        cc: ["ana"],
        re: 2,
        in: "hijack-stranger",
        text: "Who are you?",
        note: "a colleague answers the stranger",
      },
      { from: "ana", re: 1, text: "Paid today." },
      { from: "mallory", re: 3, in: "hijack-stranger", text: "The accountant." },
    ],
  },
  {
    name: "hijack-by-name",
    why: "A freemail address with the customer's name, and the right ids.",
    begins: "2025-05-20T08:00:00Z",
    lines: [
      { from: "quinn", subject: "Escrow for the supply agreement", text: "The escrow account is open." },
      { from: "pat", to: ["quinn"], re: 0, text: "We pay on Friday." },
      {
        from: "quinn.hale.office@gmail.com",
        fromHeader: "Quinn Hale <quinn.hale.office@gmail.com>",
        re: 1,
        in: "hijack-by-name-stranger",
        text: "Please pay to the new account instead.",
      },
    ],
  },
  {
    name: "hijack-by-subject",
    why: "A stranger who knows nothing but the subject.",
    begins: "2025-05-21T08:00:00Z",
    lines: [
      { from: "eva", subject: "Frame contract heat exchangers", text: "The frame contract is attached." },
      { from: "kim", to: ["eva"], re: 0, text: "We sign next week." },
      {
        from: "mallory",
        in: "hijack-by-subject-stranger",
        subject: "Re: Frame contract heat exchangers",
        text: "We offer the same for half the price.",
      },
    ],
  },
  {
    name: "hijack-spoofed",
    why: "The address of the customer himself, and the evidence is against it: suspicious mail joins nothing by itself.",
    begins: "2025-05-22T08:00:00Z",
    lines: [
      { from: "cem", subject: "Zahlungsplan Klärwerk Süd", text: "Der Zahlungsplan ist in Ordnung." },
      { from: "kim", to: ["cem"], re: 0, subject: "AW: Zahlungsplan Klärwerk Süd", text: "Danke." },
      {
        from: "cem",
        re: 1,
        trust: "suspicious",
        in: "hijack-spoofed-stranger",
        subject: "AW: Zahlungsplan Klärwerk Süd",
        text: "Neue Bankverbindung anbei.",
      },
    ],
  },
  {
    name: "taken-id",
    why: "A stranger sends a mail of his own under the id of ours, with the customer in Cc: the answer to ours is no answer to his.",
    begins: "2025-05-23T08:00:00Z",
    lines: [
      {
        from: "pat",
        to: ["hana"],
        id: "<taken-id.1@mail.northlight.example>",
        subject: "Rods: delivery date",
        text: "They come on the 3rd.",
      },
      {
        from: "mallory",
        cc: ["hana"],
        id: "<taken-id.1@mail.northlight.example>",
        in: "taken-id-stranger",
        subject: "Rods: delivery date",
        text: "They come on the 13th, for a fee.",
      },
      { from: "hana", re: 0, text: "The 3rd is fine." },
      { from: "pat", to: ["hana"], re: 2, text: "Good." },
    ],
  },
  {
    name: "forged-missing",
    why: "A stranger names an id that was never seen, as the customer does: knowing the same id makes nobody known.",
    begins: "2025-05-26T08:00:00Z",
    lines: [
      {
        from: "mia",
        refs: ["<lounge-offer@mail.northlight.example>"],
        subject: "Re: Lounge furniture offer",
        text: "We accept.",
      },
      {
        from: "mallory",
        cc: ["mia"],
        refs: ["<lounge-offer@mail.northlight.example>"],
        in: "forged-missing-stranger",
        subject: "Re: Lounge furniture offer",
        text: "I can do better.",
      },
      { from: "kim", to: ["mia"], re: 0, text: "Thank you." },
    ],
  },
];
