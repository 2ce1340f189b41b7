/** Leads, contacts and opportunities of the sandbox: made, changed and listed, with what Close does when nobody says on which lead. */
import type { Reply } from "../sandbox.ts";
import { invalid, ok } from "./reply.ts";
import type { Fields, SandboxRecord } from "./store.ts";
import { checked, shown, statuses, type World } from "./world.ts";

const contactShape = { lead_id: "text", name: "text", title: "text", emails: "emails" } as const;
const leadShape = { name: "text", description: "text", url: "text", status_id: "text", contacts: "contacts" } as const;
const opportunityShape = {
  lead_id: "text",
  contact_id: "text",
  user_id: "text",
  status_id: "text",
  note: "text",
  value: "number",
  value_period: "text",
  confidence: "number",
} as const;

/** Addresses are not unique at Close: nothing is refused for being there already. */
export function createLead(world: World, body: unknown): Reply {
  const { contacts, ...fields } = checked(world, body, "lead", leadShape);
  const nested = ((contacts ?? []) as unknown[]).map((one) => checked(world, one, "contact", contactShape));
  const lead = world.store.create("lead", fields);
  for (const contact of nested) world.store.create("contact", { ...contact, lead_id: lead.id });
  return ok(shown(world, lead));
}

export function updateLead(world: World, id: string, body: unknown): Reply {
  const lead = world.store.live("lead", id);
  world.store.update(lead, checked(world, body, "lead", leadShape));
  return ok(shown(world, lead));
}

/** Without a lead, one is made on the quiet. */
function leadFor(world: World, given: Fields, name: string): SandboxRecord {
  if (typeof given.lead_id !== "string") return world.store.create("lead", { name });
  const lead = world.store.get("lead", given.lead_id);
  if (lead === undefined) throw invalid({ lead_id: "Lead does not exist." });
  return lead;
}

export function createContact(world: World, body: unknown): Reply {
  const given = checked(world, body, "contact", contactShape);
  const lead = leadFor(world, given, String(given.name ?? "Untitled"));
  return ok(shown(world, world.store.create("contact", { ...given, lead_id: lead.id })));
}

/** A list of addresses takes the place of the one that was there. */
export function updateContact(world: World, id: string, body: unknown): Reply {
  const contact = world.store.live("contact", id);
  const { lead_id: _lead, ...fields } = checked(world, body, "contact", contactShape);
  world.store.update(contact, fields);
  return ok(shown(world, contact));
}

export function createOpportunity(world: World, body: unknown): Reply {
  const given = checked(world, body, "opportunity", opportunityShape);
  const status =
    given.status_id === undefined ? statuses(world)[0] : statuses(world).find(({ id }) => id === given.status_id);
  if (status === undefined) throw invalid({ status_id: "Status does not exist." });
  const lead = leadFor(world, given, "Untitled");
  if (typeof given.contact_id === "string" && world.store.get("contact", given.contact_id)?.fields.lead_id !== lead.id)
    throw invalid({ contact_id: "Contact does not exist on this lead." });
  const named = { status_id: status.id, status_label: status.label, status_type: status.type };
  return ok(shown(world, world.store.create("opportunity", { ...given, ...named, lead_id: lead.id })));
}
