/** Organizations: Pipedrive knows no domains, so one is known by our key, or by the person of that domain whose organization it is. */
import type { Asked, Ref, Refs } from "../../model/destination.ts";
import type { CompanyStep } from "../../model/step.ts";
import { permanent, together } from "../shared/calls.ts";
import type { Codes } from "./account.ts";
import { asks, fieldHitsSchema, type PipedriveRecord } from "./api.ts";
import { cutOf, organizationBody } from "./bodies.ts";
import { oldest } from "./lists.ts";
import type { PeoplePorts } from "./people.ts";

/** No mail asks for more companies than that (mapping/filed.ts). */
const mostPersons = 5;

function isOurs(record: PipedriveRecord, { key }: CompanyStep, codes: Codes<"organizations">): boolean {
  return record.is_deleted !== true && record.custom_fields?.[codes.key] === key;
}

/** Where a salesperson has put a person of this domain, there that person's mail belongs: adopted, and never changed. */
async function ofPersons({ domain }: CompanyStep, refs: Refs, { records }: PeoplePorts): Promise<Ref | undefined> {
  const persons = [...refs.values()].filter(({ kind }) => kind === "person");
  for (const { id } of persons.slice(0, mostPersons)) {
    const person = await records.get("persons", id);
    const at = `@${domain.toLowerCase()}`;
    const its = (person?.emails ?? []).some(({ value }) => value?.toLowerCase().endsWith(at));
    if (!its || person?.org_id == null) continue;
    const organization = await records.get("organizations", String(person.org_id));
    if (organization === undefined || organization.is_deleted === true) continue;
    return await records.refOf("organizations", String(organization.id), true);
  }
  return undefined;
}

async function byKey(
  step: CompanyStep,
  codes: Codes<"organizations">,
  { api, records }: PeoplePorts,
): Promise<PipedriveRecord | undefined> {
  const answer = await api.call(asks.byField("organization", codes.key, step.key), false);
  const hits = answer.status === 404 ? [] : (api.shaped(fieldHitsSchema, answer, false).data ?? []);
  for (const { id } of [...hits].sort((a, b) => a.id - b.id)) {
    const record = await records.get("organizations", String(id), { custom_fields: codes.key });
    if (record !== undefined && isOurs(record, step, codes)) return record;
  }
  return undefined;
}

async function amongRecent(
  step: CompanyStep,
  codes: Codes<"organizations">,
  { recent }: PeoplePorts,
): Promise<PipedriveRecord | undefined> {
  const all = await recent.list("organizations", { custom_fields: codes.key });
  return oldest(all.filter((record) => isOurs(record, step, codes)));
}

export async function findCompany(
  step: CompanyStep,
  refs: Refs,
  ports: PeoplePorts,
  asked?: Asked,
): Promise<Ref | undefined> {
  const codes = await ports.account.codes("organizations");
  const found =
    (await byKey(step, codes, ports)) ??
    (asked?.sent === true || ports.tries.mayBeRecent(step.key) ? await amongRecent(step, codes, ports) : undefined);
  if (found !== undefined)
    return { ...(await ports.records.refOf("organizations", String(found.id), true)), ours: true };
  return await ofPersons(step, refs, ports);
}

export async function putCompany(step: CompanyStep, ports: PeoplePorts): Promise<Ref> {
  if (!step.create) throw permanent("Pipedrive has no such organization, and this step may not create one");
  const { account, records, tries, wishes, owner } = ports;
  const codes = await account.codes("organizations");
  const granted = await wishes.of("organizations", step);
  const there = await amongRecent(step, codes, ports);
  if (there !== undefined) return await records.refOf("organizations", String(there.id), true);
  tries.begin(step.key);
  const wanted = { custom: granted.custom, owner: granted.owner ?? owner };
  const made = await records.create("organizations", organizationBody(step, wanted, codes));
  if (made === undefined) throw permanent("Pipedrive calls a value of the new organization too long");
  const note = together(cutOf("name", step.name), granted.note);
  return await records.refOf("organizations", String(made.id), false, note);
}
