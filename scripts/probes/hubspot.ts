/** What HubSpot's documentation leaves open (facts of 2026-11), in order of value. */
import { paths } from "../../src/destinations/hubspot/api.ts";
import { at, idAt, type Lab, type ProbedVendor, seconds, Unasked, wordsOf } from "./lab.ts";

const property = "mailwright_probe_key";

async function withUniqueProperty(lab: Lab): Promise<void> {
  const body = {
    name: property,
    label: lab.mark,
    type: "string",
    fieldType: "text",
    groupName: "email_engagement_information",
    hasUniqueValue: true,
  };
  let made = await lab.call("POST", paths.properties("emails"), body);
  if ((made.status === 400 || made.status === 404) && /group/i.test(made.text)) {
    const groups = await lab.call("GET", paths.properties("emails"));
    made = await lab.call("POST", paths.properties("emails"), {
      ...body,
      groupName: at(groups, "results.0.groupName") ?? "emailinformation",
    });
  }
  if (made.status >= 300) throw new Unasked(`HubSpot takes no unique property on emails: ${wordsOf(made)}`);
  lab.undo(paths.property("emails", property));
}

const email = (lab: Lab, more: Record<string, string> = {}) => ({
  properties: {
    hs_timestamp: new Date(lab.clock.now()).toISOString(),
    hs_email_direction: "INCOMING_EMAIL",
    hs_email_status: "SENT",
    hs_email_subject: lab.mark,
    ...more,
  },
  associations: [],
});
const tryEmail = (lab: Lab, more: Record<string, string>) =>
  lab.attempt(paths.objects("emails"), email(lab, more), (made) => pathOf("emails", idAt(made, "id")));
const makeEmail = (lab: Lab, more: Record<string, string> = {}) =>
  lab.make(paths.objects("emails"), email(lab, more), (made) => pathOf("emails", idAt(made, "id")));
const makeContact = (lab: Lab, name: string) =>
  lab.make(
    paths.objects("contacts"),
    { properties: { email: `${lab.key(name)}@mailwright-probe.example`, lastname: lab.mark }, associations: [] },
    (made) => pathOf("contacts", idAt(made, "id")),
  );
const pathOf = (object: "emails" | "contacts", id: string | undefined) =>
  id === undefined ? undefined : paths.object(object, id);

export const hubspotProbes: ProbedVendor = {
  name: "hubspot",
  tokenFrom: "MAILWRIGHT_PROBE_HUBSPOT_TOKEN",
  url: "https://api.hubapi.com",
  headers: (token) => ({ authorization: `Bearer ${token}` }),
  probes: [
    {
      question: "Does HubSpot keep a unique property of emails single, and how does it refuse the second?",
      changes: "emailsUnique and uniqueConflictStatus of the HubSpot sandbox; the tiers of docs/crm/hubspot.md",
      async ask(lab) {
        await withUniqueProperty(lab);
        await makeEmail(lab, { [property]: lab.key("one") });
        const again = await tryEmail(lab, { [property]: lab.key("one") });
        return { found: `the second email was answered ${wordsOf(again)}`, asGuessed: again.status === 400 };
      },
    },
    {
      question: "Does an archived email still hold its unique value?",
      changes: "archivedKeepKeys of the HubSpot sandbox",
      async ask(lab) {
        await withUniqueProperty(lab);
        const made = await makeEmail(lab, { [property]: lab.key("archived") });
        await lab.call("DELETE", paths.object("emails", idAt(made, "id") ?? ""));
        const again = await tryEmail(lab, { [property]: lab.key("archived") });
        return {
          found: `a new email with the archived one's key was answered ${wordsOf(again)}`,
          asGuessed: again.status === 400,
        };
      },
    },
    {
      question: "Does the list of a contact's emails show an association at once?",
      changes: "the row 'Lists, GET and batch/read show a write at once'; absenceProvable of docs/crm/hubspot.md",
      async ask(lab) {
        const contact = idAt(await makeContact(lab, "list"), "id") ?? "";
        let late = 0;
        for (let n = 0; n < 10; n++) {
          const id = idAt(await makeEmail(lab), "id") ?? "";
          await lab.call("PUT", paths.defaultAssociation("emails", id, "contacts", contact));
          const list = await lab.call("GET", paths.associations("contacts", contact, "emails", undefined));
          if (!list.text.includes(`"${id}"`) && !list.text.includes(`:${id}`)) late++;
        }
        return { found: `${late} of 10 were not in the list that was read right after`, asGuessed: late === 0 };
      },
    },
    {
      question: "When does the search show a new contact?",
      changes: "searchLagMs of the HubSpot sandbox and of the facts",
      async ask(lab) {
        await makeContact(lab, "search");
        const filter = {
          propertyName: "email",
          operator: "EQ",
          value: `${lab.key("search")}@mailwright-probe.example`,
        };
        const body = { filterGroups: [{ filters: [filter] }], sorts: [], properties: ["email"], limit: 1, after: "0" };
        const ms = await lab.until(
          async () => Number(at(await lab.call("POST", paths.search("contacts"), body), "total")) > 0,
          120_000,
        );
        return { found: `it was found ${seconds(ms)}`, asGuessed: ms !== null && ms <= 45_000 };
      },
    },
    {
      question: "May hs_email_message_id be written?",
      changes: "messageIdProperty of the HubSpot sandbox",
      async ask(lab) {
        const answer = await tryEmail(lab, { hs_email_message_id: `<${lab.key("id")}@mailwright-probe.example>` });
        return { found: `an email with it was answered ${wordsOf(answer)}`, asGuessed: answer.status === 201 };
      },
    },
    {
      question: "How long may the text of an email be?",
      changes: "the row '65,536 characters as the limit of every text value'",
      async ask(lab) {
        const statuses: string[] = [];
        for (const length of [65_536, 65_537]) {
          const answer = await tryEmail(lab, { hs_email_text: "x".repeat(length) });
          statuses.push(`${length}: ${answer.status}`);
        }
        return {
          found: statuses.join(", "),
          asGuessed: statuses.join().includes("65536: 201") && statuses.join().includes("65537: 400"),
        };
      },
    },
  ],
};
