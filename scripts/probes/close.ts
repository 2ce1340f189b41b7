/** What Close's documentation leaves open (facts of 2026-11), in order of value. Nothing here can send mail: an e-mail is logged as received. */
import { paths } from "../../src/destinations/close/api.ts";
import { addressSearch, companySearch } from "../../src/destinations/close/bodies.ts";
import type { WireResponse } from "../../src/model/wire.ts";
import { at, idAt, type Lab, type ProbedVendor, seconds, Unasked, wordsOf } from "./lab.ts";

const pathBy =
  (path: (id: string) => string) =>
  (answer: WireResponse): string | undefined => {
    const id = idAt(answer, "id");
    return id === undefined ? undefined : path(id);
  };
const leadOf = pathBy(paths.lead);
const emailOf = pathBy(paths.email);

async function makeLead(lab: Lab, name: string): Promise<{ lead: string; contact: string }> {
  const contacts = [
    { name: lab.mark, emails: [{ email: `${lab.key(name)}@mailwright-probe.example`, type: "office" }] },
  ];
  const made = await lab.make(paths.leads, { name: lab.mark, contacts }, leadOf);
  return { lead: idAt(made, "id") ?? "", contact: idAt(made, "contacts.0.id") ?? "" };
}

const logged = (lab: Lab, { lead, contact }: { lead: string; contact: string }, time: string) => ({
  lead_id: lead,
  contact_id: contact,
  status: "inbox" as const,
  sender: "probe@mailwright-probe.example",
  to: [],
  cc: [],
  bcc: [],
  subject: lab.mark,
  body_text: lab.mark,
  date_created: time,
  activity_at: time,
});

export const closeProbes: ProbedVendor = {
  name: "close",
  tokenFrom: "MAILWRIGHT_PROBE_CLOSE_TOKEN",
  url: "https://api.close.com",
  headers: (token) => ({ authorization: `Basic ${Buffer.from(`${token}:`).toString("base64")}` }),
  probes: [
    {
      question: "Does Close keep the time of a logged e-mail to the millisecond, and does the list filter by it?",
      changes: "dates and dateFilters of the Close sandbox; 'key-readback' in docs/crm/close.md",
      async ask(lab) {
        const place = await makeLead(lab, "date");
        const time = "2026-03-04T05:06:07.089000+00:00";
        const made = await lab.make(paths.emails, logged(lab, place, time), emailOf);
        const kept = Date.parse(String(at(made, "activity_at"))) === Date.parse(time);
        const window = {
          lead_id: place.lead,
          activity_at__gte: "2026-03-04T05:06:06Z",
          activity_at__lte: "2026-03-04T05:06:09Z",
        };
        const inside = await lab.call("GET", paths.emailsOf(window));
        const outside = await lab.call("GET", paths.emailsOf({ ...window, activity_at__gte: "2026-03-04T05:06:08Z" }));
        const count = (answer: typeof inside) => (at(answer, "data") as unknown[] | undefined)?.length;
        const found = `asked for ${time}, kept ${String(at(made, "activity_at"))}; in its window ${count(inside)}, in the next ${count(outside)}`;
        return { found, asGuessed: kept && count(inside) === 1 && count(outside) === 0 };
      },
    },
    {
      question: "Does the search take a custom field in the shape that is sent?",
      changes: "customFieldSearch of the Close sandbox",
      async ask(lab) {
        const field = await lab.make(
          paths.fields("lead"),
          { name: lab.key("field"), type: "text" },
          pathBy((id) => `${paths.fields("lead")}${id}/`),
        );
        const answer = await lab.call("POST", paths.search, companySearch(idAt(field, "id") ?? "", lab.key("nobody")));
        return { found: `it was answered ${wordsOf(answer)}`, asGuessed: answer.status === 200 };
      },
    },
    {
      question: "When does the search show a new contact, and the list of a lead?",
      changes: "searchLagMs of the Close sandbox and of the facts; 'lists at once'",
      async ask(lab) {
        const { lead, contact } = await makeLead(lab, "lag");
        const list = await lab.call("GET", paths.contactsOf(lead, 0));
        const body = addressSearch(`${lab.key("lag")}@mailwright-probe.example`);
        const ms = await lab.until(
          async () => (await lab.call("POST", paths.search, body)).text.includes(contact),
          180_000,
        );
        const atOnce = list.text.includes(contact);
        return {
          found: `in the list ${atOnce ? "at once" : "not at once"}, in the search ${seconds(ms)}`,
          asGuessed: atOnce && ms !== null && ms <= 120_000,
        };
      },
    },
    {
      question: "In which words does Close refuse a bad field, and an e-mail without a lead?",
      changes: "the row '400 with field-errors'",
      async ask(lab) {
        const bad = await lab.attempt(paths.leads, { name: lab.mark, no_such_field_of_a_lead: "x" }, leadOf);
        const { lead_id: _, ...leadless } = logged(
          lab,
          { lead: "", contact: "" },
          new Date(lab.clock.now()).toISOString(),
        );
        const without = await lab.attempt(paths.emails, leadless, emailOf);
        return {
          found: `a bad field: ${wordsOf(bad)}; no lead: ${wordsOf(without)}`,
          asGuessed: bad.status === 400 && without.status === 400,
        };
      },
    },
    {
      question: "What does an answer say of the calls that are left?",
      changes: "the row 'RateLimit in each answer'",
      async ask(lab) {
        const answer = await lab.call("GET", paths.me);
        if (answer.status !== 200) throw new Unasked(wordsOf(answer));
        const header = answer.headers.ratelimit;
        return { found: `ratelimit: ${header ?? "(none)"}`, asGuessed: header !== undefined };
      },
    },
  ],
};
