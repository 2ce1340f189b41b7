/** The owner and the fields that a rule wants on a record, with a mail's values in them: pure. */
import type { Fields } from "./compile.ts";
import type { Facts } from "./facts.ts";

/** What a rule wants on the records that it makes; nothing at all where it wants nothing. */
export function wantedOf(
  asked: Fields | undefined,
  facts: Facts,
  byOwnership: string | null,
): { owner?: string; fields?: Record<string, string> } {
  const owner = asked?.owner ?? byOwnership;
  const fields = asked === undefined ? {} : filled(asked, facts);
  return { ...(owner === null ? {} : { owner }), ...(Object.keys(fields).length === 0 ? {} : { fields }) };
}

/** What a value of a template is for a mail; empty values are left out, so that a field keeps what it has. */
function filled({ fields }: Fields, facts: Facts): Record<string, string> {
  const values = fields.map(({ name, value }) => [name, value(facts)] as const).filter(([, value]) => value !== "");
  return Object.fromEntries(values);
}
