/** Mail to many, and many mails that look the same: newsletters, lists, invoices, reports, forms. */
import type { Conversation, Line } from "./words.ts";

const readers = [
  "info@bakery-sol.example",
  "office@dentist-ahorn.example",
  "hello@kayak-club.example",
  "buero@tischler-moll.example",
  "contact@ferme-du-pre.example",
  "reception@hotel-sund.example",
  "mail@druckerei-falk.example",
  "team@velo-nord.example",
  "orders@teahouse-lin.example",
  "kontor@werft-3.example",
  "welcome@museum-oak.example",
  "desk@print-loft.example",
  "studio@klang-raum.example",
  "sales@glass-hof.example",
  "post@imkerei-linde.example",
  "info@sauna-vuori.example",
  "hi@book-barn.example",
  "office@forst-amsel.example",
];

const newsletterId = "<newsletter-spring@mail.northlight.example>";

const answer = (from: string, index: number): Line => ({
  from,
  refs: [newsletterId],
  in: `newsletter-reader-${index + 1}`,
  subject: "Re: Northlight news, spring 2025",
  after: 7,
  text: ["Please take me off your list.", "Is the blue lamp still there?", "Nice pictures!"][index % 3] ?? "",
});

const newsletter: Conversation = {
  name: "newsletter",
  why: "Eighteen readers answer one newsletter: each is a conversation of his own, and the newsletter ties nobody to anybody.",
  begins: "2025-04-15T08:00:00Z",
  lines: [
    {
      from: "kim",
      to: ["news@northlight.example"],
      id: newsletterId,
      in: "newsletter-itself",
      subject: "Northlight news, spring 2025",
      headers: ["List-Unsubscribe: <https://northlight.example/unsubscribe>", "Precedence: bulk"],
      text: "New lamps, new colours.",
    },
    ...readers.map(answer),
    { from: "kim", to: [readers[1] ?? ""], re: 2, in: "newsletter-reader-2", text: "It is. How many?" },
    { from: readers[1] ?? "", re: 19, in: "newsletter-reader-2", text: "Two." },
    {
      ...answer(readers[0] ?? "", 0),
      text: "I am still on your list!",
      note: "the same reader answers the newsletter a second time",
    },
  ],
};

const months = ["January", "February", "March", "April", "May", "June"];

const invoices: Conversation = {
  name: "monthly-invoices",
  why: "The same sender sends an invoice under the same subject every month: six conversations, one with a question about it.",
  begins: "2025-01-01T06:00:00Z",
  lines: [
    ...months.map(
      (month, index): Line => ({
        from: "billing@cloud-rack.example",
        at: `2025-0${index + 1}-01T06:00:00Z`,
        in: `monthly-invoices-${index + 1}`,
        subject: "Your invoice",
        text: `The invoice for ${month} is attached.`,
      }),
    ),
    {
      from: "lee",
      to: ["billing@cloud-rack.example"],
      at: "2025-03-02T08:00:00Z",
      re: 2,
      in: "monthly-invoices-3",
      text: "Why is it twice as much as in February?",
    },
    {
      from: "billing@cloud-rack.example",
      at: "2025-03-02T12:00:00Z",
      re: 6,
      in: "monthly-invoices-3",
      text: "You have two racks now.",
    },
  ],
};

const reports: Conversation = {
  name: "weekly-reports",
  why: "A report under one subject every week, by a person: each stands alone.",
  begins: "2025-05-05T07:00:00Z",
  lines: [1, 2, 3, 4].map(
    (week): Line => ({
      from: "finn",
      in: `weekly-reports-${week}`,
      subject: "Weekly status Fjord",
      after: 60 * 24 * 7,
      text: `Week ${week}: on schedule.`,
    }),
  ),
};

const forms: Conversation = {
  name: "web-form",
  why: "The web site's form sends every enquiry from one address under one subject; who asks stands in Reply-To.",
  begins: "2025-05-06T07:00:00Z",
  lines: [
    ...["karl", "jana", "lena"].map(
      (who, index): Line => ({
        from: "noreply@northlight.example",
        to: ["kim"],
        in: `web-form-${index + 1}`,
        subject: "Enquiry from the web site",
        headers: [
          `Reply-To: ${{ karl: "karl.weber@gmx.de", jana: "jana.prokop@gmail.com", lena: "lena.weber@gmail.com" }[who]}`,
        ],
        text: "Somebody filled in the form.",
      }),
    ),
    { from: "kim", to: ["karl"], re: 0, in: "web-form-1", text: "How can we help?" },
    { from: "karl", re: 3, in: "web-form-1", text: "With a lamp." },
    { from: "kim", to: ["lena"], re: 2, in: "web-form-3", text: "What are you looking for?" },
  ],
};

const listHeaders = [
  "List-Id: Fjord project <fjord.lists.nordvik.example>",
  "List-Post: <mailto:fjord@lists.nordvik.example>",
];
const onList = { to: ["fjord@lists.nordvik.example"], headers: listHeaders } as const;

const list: Conversation = {
  name: "mailing-list",
  why: "Members of a mailing list who know each other by it alone; it puts a tag into the subject.",
  begins: "2025-05-07T07:00:00Z",
  lines: [
    { from: "eva", ...onList, subject: "[fjord] Welding seams in hall 7", text: "Who checks the seams?" },
    { from: "ivo", ...onList, re: 0, subject: "Re: [fjord] Welding seams in hall 7", text: "I can." },
    { from: "nils", ...onList, re: 0, subject: "Re: [fjord] Welding seams in hall 7", text: "Please before Friday." },
    { from: "kim", ...onList, re: 2, subject: "Re: [fjord] Welding seams in hall 7", text: "Friday works." },
    {
      from: "quinn",
      ...onList,
      re: 3,
      subject: "Re: [fjord] Welding seams in hall 7",
      text: "The insurer wants pictures.",
    },
  ],
};

const copy: Conversation = {
  name: "list-copy",
  why: "The same mail comes directly and over a list that adds a footer: one id, two contents, one conversation.",
  begins: "2025-05-08T07:00:00Z",
  lines: [
    {
      from: "finn",
      cc: ["fjord@lists.nordvik.example"],
      id: "<list-copy.1@mail.nordvik.example>",
      subject: "Crane dates for hall 7",
      text: "Monday and Tuesday.",
    },
    {
      from: "finn",
      ...onList,
      id: "<list-copy.1@mail.nordvik.example>",
      subject: "[fjord] Crane dates for hall 7",
      after: 1,
      text: "Monday and Tuesday.\n\n-- \nfjord mailing list",
    },
    { from: "lee", to: ["finn"], re: 0, text: "Confirmed." },
  ],
};

export const many: readonly Conversation[] = [newsletter, invoices, reports, forms, list, copy];
