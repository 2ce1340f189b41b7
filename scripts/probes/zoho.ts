/** What Zoho's documentation leaves open (facts of 2026-11), in order of value. A mail on a record cannot be taken off: it goes with its contact. */
import { paths } from "../../src/destinations/zoho/api.ts";
import { at, idAt, type Lab, type ProbedVendor, seconds, wordsOf } from "./lab.ts";

async function makeContact(lab: Lab, name: string): Promise<string> {
  const row = { Last_Name: lab.mark, Email: `${lab.key(name)}@mailwright-probe.example` };
  const made = await lab.make(paths.module("Contacts"), { data: [row], trigger: [] }, (answer) => {
    const id = idAt(answer, "data.0.details.id");
    return id === undefined ? undefined : paths.record("Contacts", id);
  });
  return idAt(made, "data.0.details.id") ?? "";
}

const mail = (lab: Lab, id: string, more: object) => ({
  Emails: [
    {
      from: { user_name: "probe", email: "probe@mailwright-probe.example" },
      to: [{ user_name: "probe", email: "to@mailwright-probe.example" }],
      subject: lab.mark,
      content: lab.mark,
      date_time: `${new Date(lab.clock.now()).toISOString().slice(0, 19)}+00:00`,
      sent: false,
      original_message_id: id,
      ...more,
    },
  ],
});
const linked = (id: string) => ({ linked_record: { module: { api_name: "Contacts" }, id } });

export const zohoProbes: ProbedVendor = {
  name: "zoho",
  tokenFrom: "MAILWRIGHT_PROBE_ZOHO_TOKEN",
  url: "https://www.zohoapis.com",
  stays: "at Zoho a mail cannot be taken off a record: those of the probes go with their contacts, which were deleted",
  headers: (token) => ({ authorization: `Zoho-oauthtoken ${token}` }),
  probes: [
    {
      question: "Is a Message-ID taken once for a record, or once for all, and do its brackets count?",
      changes: "mailKey of the Zoho sandbox; the keys of docs/crm/zoho.md",
      async ask(lab) {
        const [one, other] = [await makeContact(lab, "one"), await makeContact(lab, "other")];
        const id = `${lab.key("mail")}@mailwright-probe.example`;
        const on = async (contact: string, written: string) =>
          await lab.call("POST", paths.associate("Contacts", contact), mail(lab, written, {}));
        const answers = [
          await on(one, `<${id}>`),
          await on(one, `<${id}>`),
          await on(other, `<${id}>`),
          await on(one, id),
        ];
        const said = answers.map(
          (answer) => `${answer.status} ${String(at(answer, "Emails.0.code") ?? at(answer, "code"))}`,
        );
        const found = `first ${said[0]}, again ${said[1]}, on another record ${said[2]}, without brackets ${said[3]}`;
        return {
          found,
          asGuessed:
            (answers[0]?.status ?? 0) < 300 &&
            answers[1]?.text.includes("DUPLICATE_DATA") === true &&
            (answers[2]?.status ?? 0) < 300,
        };
      },
    },
    {
      question: "Is linked_record needed, taken or refused?",
      changes: "linkedRecord of the Zoho sandbox",
      async ask(lab) {
        const contact = await makeContact(lab, "linked");
        const without = await lab.call(
          "POST",
          paths.associate("Contacts", contact),
          mail(lab, `<${lab.key("without")}@mailwright-probe.example>`, {}),
        );
        const withIt = await lab.call(
          "POST",
          paths.associate("Contacts", contact),
          mail(lab, `<${lab.key("with")}@mailwright-probe.example>`, linked(contact)),
        );
        return { found: `without it ${wordsOf(without)}; with it ${wordsOf(withIt)}`, asGuessed: without.status < 300 };
      },
    },
    {
      question: "When do the search and COQL show a new contact?",
      changes: "searchLagMs and coqlLags of the Zoho sandbox",
      async ask(lab) {
        const contact = await makeContact(lab, "lag");
        const address = `${lab.key("lag")}@mailwright-probe.example`;
        const coql = await lab.call("POST", paths.coql, {
          select_query: `select id from Contacts where Email = '${address}' limit 1`,
        });
        const ms = await lab.until(
          async () => (await lab.call("GET", paths.search("Contacts", { email: address }))).text.includes(contact),
          120_000,
        );
        return {
          found: `COQL ${coql.text.includes(contact) ? "at once" : `not at once (${wordsOf(coql)})`}, the search ${seconds(ms)}`,
          asGuessed: coql.text.includes(contact) && ms !== null && ms <= 45_000,
        };
      },
    },
    {
      question: "How long may the content of a mail be?",
      changes: "maxContentChars of the Zoho sandbox",
      async ask(lab) {
        const contact = await makeContact(lab, "long");
        const statuses: string[] = [];
        for (const length of [32_000, 64_000]) {
          const answer = await lab.call(
            "POST",
            paths.associate("Contacts", contact),
            mail(lab, `<${lab.key(String(length))}@mailwright-probe.example>`, { content: "x".repeat(length) }),
          );
          statuses.push(`${length}: ${answer.status}`);
        }
        return {
          found: statuses.join(", "),
          asGuessed: statuses[0]?.startsWith("32000: 2") === true && statuses[1]?.startsWith("64000: 2") !== true,
        };
      },
    },
  ],
};
