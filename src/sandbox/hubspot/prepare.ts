/** The properties of the connector, as `doctor --fix` leaves an account. */
import type { World } from "./objects.ts";
import type { ObjectName } from "./schema.ts";

export function prepareProperties({ schema, options }: World): void {
  const plan: Partial<Record<ObjectName, readonly string[]>> = {
    contacts: ["mailwright_key", "mailwright_source", "mailwright_flags"],
    companies: ["mailwright_key"],
    deals: ["mailwright_key"],
    emails: ["mailwright_key", "mailwright_event_id", "mailwright_headers", "mailwright_flags"],
    notes: ["mailwright_key"],
  };
  for (const [object, names] of Object.entries(plan) as [ObjectName, readonly string[]][]) {
    const keyed = object === "emails" || object === "notes";
    if (keyed && options.emailsUnique === "propertiesForbidden") continue;
    schema.createGroup(object, { name: "mailwright", label: "Mailwright" });
    for (const name of names) {
      const hasUniqueValue =
        name === "mailwright_key" && object !== "contacts" && !(keyed && options.emailsUnique === "no");
      schema.create(object, {
        name,
        label: name,
        groupName: "mailwright",
        type: "string",
        fieldType: "text",
        hasUniqueValue,
      });
    }
  }
}
