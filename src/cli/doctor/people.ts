/** Examines whether the configuration says who is a colleague. */
import type { Settings } from "../../settings/index.ts";
import { type Found, ok, warning } from "./finding.ts";

/** One finding per tenant. */
export function examinePeople({ tenants }: Settings): Found[] {
  return tenants.map(({ id, people }) => {
    const count = people.own_domains.length + people.own_addresses.length;
    return count > 0
      ? ok("people", `tenant ${id}: mail from ${count} own domains and addresses is told from customers' mail`)
      : warning(
          "people",
          `tenant ${id} has no own_domains: a colleague's mail would be filed as a customer's, and make a contact of him`,
          `name the company's domains at tenants: - id: ${id}, people: { own_domains: [...] }`,
        );
  });
}
