/** Conversations in which machines take part: bounces, absences, receipts, invitations, acknowledgements. */
import type { Conversation } from "./words.ts";

export const machines: readonly Conversation[] = [
  {
    name: "bounce",
    why: "A report of delivery names the mail that came back, and nothing else of the conversation.",
    begins: "2025-05-12T08:00:00Z",
    lines: [
      {
        from: "kim",
        to: ["ana", "sales-desk@harbour-foods.example"],
        subject: "Visit in week 22",
        text: "May we come in week 22?",
      },
      {
        from: "mailer-daemon@mx.harbour-foods.example",
        to: ["kim"],
        mailFrom: null,
        subject: "Undelivered Mail Returned to Sender",
        headers: ["Auto-Submitted: auto-replied"],
        contentType: 'multipart/report; report-type=delivery-status; boundary="cut"',
        text: "--cut\nContent-Type: text/plain\n\nThe mailbox does not exist.\n\n--cut\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.harbour-foods.example\n\nFinal-Recipient: rfc822; sales-desk@harbour-foods.example\nAction: failed\nStatus: 5.1.1\n\n--cut\nContent-Type: text/rfc822-headers\n\nFrom: Kim Berg <kim.berg@northlight.example>\nSubject: Visit in week 22\nMessage-ID: <bounce.1@mail.northlight.example>\n\n--cut--",
      },
      { from: "ana", re: 0, text: "You are welcome." },
    ],
  },
  {
    name: "absence",
    why: "A machine says that somebody is away, under a subject of its own; he answers himself when he is back.",
    begins: "2025-05-13T08:00:00Z",
    lines: [
      { from: "lee", to: ["olga"], subject: "Service window for ward 3", text: "May we service ward 3 in June?" },
      {
        from: "olga",
        re: 0,
        mailFrom: null,
        sends: "in-reply-to",
        subject: "Absence du bureau",
        headers: ["Auto-Submitted: auto-replied"],
        after: 1,
        text: "Je suis absente jusqu'au 20 mai.",
      },
      { from: "olga", re: 0, after: 60 * 24 * 8, text: "In the second week." },
    ],
  },
  {
    name: "receipt",
    why: "A read receipt names what was read, in a part of its own and in no header.",
    begins: "2025-05-14T08:00:00Z",
    lines: [
      { from: "pat", to: ["quinn"], subject: "Signed supply agreement", text: "The signed agreement is attached." },
      {
        from: "quinn",
        to: ["pat"],
        mailFrom: null,
        subject: "Read: Signed supply agreement",
        contentType: 'multipart/report; report-type=disposition-notification; boundary="cut"',
        text: "--cut\nContent-Type: text/plain\n\nYour message was read.\n\n--cut\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; quinn@hale-legal.example\nOriginal-Message-ID: <receipt.1@mail.northlight.example>\nDisposition: manual-action/MDN-sent-manually; displayed\n\n--cut--",
      },
      { from: "quinn", re: 0, text: "Thank you, filed." },
    ],
  },
  {
    name: "acknowledged",
    why: "The customer's desk acknowledges by machine, then a person of the desk answers.",
    begins: "2025-05-15T08:00:00Z",
    lines: [
      {
        from: "kim",
        to: ["service@jade-optics.example"],
        subject: "Alignment report LB-20",
        text: "Where is the alignment report?",
      },
      {
        from: "service@jade-optics.example",
        re: 0,
        sends: "in-reply-to",
        subject: "[JO-551] We have got your request: Alignment report LB-20",
        headers: ["Auto-Submitted: auto-replied"],
        after: 1,
        text: "Your request has the number JO-551.",
      },
      {
        from: "service@jade-optics.example",
        re: 0,
        subject: "[JO-551] Re: Alignment report LB-20",
        text: "It is attached.",
      },
      {
        from: "kim",
        to: ["service@jade-optics.example"],
        re: 2,
        subject: "Re: [JO-551] Re: Alignment report LB-20",
        text: "Thank you.",
      },
    ],
  },
  {
    name: "outlook-hint",
    why: "Outlook's client sends no ids through a gateway that drops them; its Thread-Index stays.",
    begins: "2025-05-16T08:00:00Z",
    lines: [
      {
        from: "finn",
        subject: "Audit of the welding shop",
        headers: ["Thread-Topic: Audit of the welding shop", "Thread-Index: Adt1A9bKx0WJq3mSTd2zYwYbq0Rt4A=="],
        text: "When is the audit?",
      },
      {
        from: "pat",
        to: ["finn"],
        re: 0,
        sends: "nothing",
        headers: ["Thread-Topic: Audit of the welding shop", "Thread-Index: Adt1A9bKx0WJq3mSTd2zYwYbq0Rt4AAAAYZg"],
        text: "On the 28th.",
      },
      {
        from: "finn",
        re: 1,
        sends: "nothing",
        subject: "Audit of the welding shop: list of papers",
        headers: [
          "Thread-Topic: Audit of the welding shop",
          "Thread-Index: Adt1A9bKx0WJq3mSTd2zYwYbq0Rt4AAAAYZgAAAB2cA=",
        ],
        text: "The papers are attached.",
      },
    ],
  },
];
