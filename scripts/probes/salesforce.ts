/** What Salesforce's documentation leaves open (facts of 2026-11), in order of value. The package of docs/crm/salesforce.md has to be deployed. */
import { paths } from "../../src/destinations/salesforce/api.ts";
import type { WireResponse } from "../../src/model/wire.ts";
import { at, idAt, type Lab, type ProbedVendor, Unasked, wordsOf } from "./lab.ts";

const keyField = "Mailwright_Key__c";

interface Field {
  readonly name: string;
  readonly unique?: boolean;
  readonly length?: number;
}
async function described(lab: Lab): Promise<readonly Field[]> {
  const answer = await lab.call("GET", paths.describe("EmailMessage"));
  if (answer.status !== 200) throw new Unasked(`describe of EmailMessage was answered ${wordsOf(answer)}`);
  return (at(answer, "fields") as Field[] | undefined) ?? [];
}
/** Status 3 is "sent", 0 "new": neither sends anything. */
const mail = (lab: Lab, key: string) => ({
  Subject: lab.mark,
  TextBody: lab.mark,
  Incoming: true,
  Status: "0",
  FromAddress: "probe@mailwright-probe.example",
  [keyField]: lab.key(key),
});
/** Salesforce makes a task beside each mail, which does not go with it. */
async function undoTasks(lab: Lab): Promise<void> {
  const soql = `SELECT Id FROM Task WHERE Subject = 'Email: ${lab.mark}'`;
  const found = await lab.call("GET", paths.query(soql, false));
  for (const { Id } of (at(found, "records") as { Id: string }[] | undefined) ?? [])
    lab.undo(paths.record("EmailMessage", Id).replace("/EmailMessage/", "/Task/"));
}
const recordOf = (id: string | undefined) => (id === undefined ? undefined : paths.record("EmailMessage", id));

const recordIn = (made: WireResponse): string | undefined => recordOf(idAt(made, "id"));

export const salesforceProbes: ProbedVendor = {
  name: "salesforce",
  tokenFrom: "MAILWRIGHT_PROBE_SALESFORCE_TOKEN",
  // https://MYDOMAIN.my.salesforce.com
  url: undefined,
  headers: (token) => ({ authorization: `Bearer ${token}` }),
  probes: [
    {
      question: "Does Salesforce keep a unique external id of EmailMessage single?",
      changes: "the row on unique external ids of EmailMessage; the tier of docs/crm/salesforce.md",
      async ask(lab) {
        const field = (await described(lab)).find(({ name }) => name === keyField);
        if (field === undefined) throw new Unasked(`EmailMessage has no field ${keyField}: deploy the package first`);
        await lab.make(paths.records("EmailMessage"), mail(lab, "one"), recordIn);
        await undoTasks(lab);
        const again = await lab.attempt(paths.records("EmailMessage"), mail(lab, "one"), recordIn);
        return {
          found: `unique by describe: ${field.unique === true}; the second was answered ${wordsOf(again)}`,
          asGuessed: again.status === 400 && again.text.includes("DUPLICATE_VALUE"),
        };
      },
    },
    {
      question: "Does a record in the recycle bin still hold its unique value?",
      changes: "the row on the recycle bin and unique values",
      async ask(lab) {
        const made = await lab.make(paths.records("EmailMessage"), mail(lab, "bin"), recordIn);
        await lab.call("DELETE", recordOf(idAt(made, "id")) ?? "");
        await undoTasks(lab);
        const again = await lab.attempt(paths.records("EmailMessage"), mail(lab, "bin"), recordIn);
        return {
          found: `a new one with the deleted one's key was answered ${wordsOf(again)}`,
          asGuessed: again.status === 400,
        };
      },
    },
    {
      question: "How long may the bodies of an EmailMessage be in this org?",
      changes: "the lengths of the Salesforce sandbox's schema; the connector reads them from describe",
      async ask(lab) {
        const lengths = (await described(lab))
          .filter(({ name }) => ["TextBody", "HtmlBody", "Headers", "Subject"].includes(name))
          .map(({ name, length }) => `${name} ${length}`);
        return { found: lengths.join(", "), asGuessed: lengths.includes("TextBody 32000") ? true : null };
      },
    },
  ],
};
