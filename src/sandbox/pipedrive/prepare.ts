/** The fields of the connector, as `doctor --fix` leaves an account. */
import type { ObjectName, Schema } from "./schema.ts";

const plan: readonly (readonly [ObjectName, readonly string[]])[] = [
  ["persons", ["Mailwright key", "Mailwright source", "Mailwright flags"]],
  ["organizations", ["Mailwright key", "Mailwright domain"]],
  ["deals", ["Mailwright key"]],
];

export function prepareFields(schema: Schema): void {
  for (const [object, names] of plan) for (const name of names) schema.add(object, name, "varchar");
}
