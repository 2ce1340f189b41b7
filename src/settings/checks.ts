/** What no single value of the configuration can show: names given twice, recipients claimed by two tenants, own domains that are not. */
import { peopleClashes } from "./people.ts";
import type { Path } from "./problems.ts";
import { parseRecipientPattern } from "./recipients.ts";

export interface CheckedTenant {
  readonly id: string;
  readonly recipients: readonly string[];
  readonly destinations: readonly { readonly id: string }[];
  readonly imap: readonly { readonly id: string }[];
  readonly people: Parameters<typeof peopleClashes>[0];
}

export interface Clash {
  readonly path: Path;
  readonly found: string;
  readonly expected: string;
}

export function clashes(tenants: readonly CheckedTenant[]): readonly Clash[] {
  return [
    ...repeated(tenants, ["tenants"], "tenant"),
    ...tenants.flatMap((tenant, index) =>
      repeated(tenant.destinations, ["tenants", index, "destinations"], "destination"),
    ),
    ...tenants.flatMap((tenant, index) => repeated(tenant.imap, ["tenants", index, "imap"], "mailbox")),
    ...withoutMail(tenants),
    ...claimedTwice(tenants),
    ...tenants.flatMap(({ people }, index) =>
      peopleClashes(people).map((clash) => ({ ...clash, path: ["tenants", index, ...clash.path] })),
    ),
  ];
}

function repeated(entries: readonly { readonly id: string }[], path: Path, what: string): readonly Clash[] {
  const seen = new Set<string>();
  return entries.flatMap(({ id }, index) => {
    if (!seen.has(id)) {
      seen.add(id);
      return [];
    }
    return [
      {
        path: [...path, index, "id"],
        found: `the ${what} id "${id}" a second time`,
        expected: `an id of its own for every ${what}`,
      },
    ];
  });
}

function withoutMail(tenants: readonly CheckedTenant[]): readonly Clash[] {
  return tenants.flatMap(({ recipients, imap }, index) =>
    recipients.length > 0 || imap.length > 0
      ? []
      : [
          {
            path: ["tenants", index],
            found: "no address that mail could come to",
            expected: "at least one recipient, or a mailbox under imap",
          },
        ],
  );
}

function claimedTwice(tenants: readonly CheckedTenant[]): readonly Clash[] {
  const owners = new Map<string, CheckedTenant>();
  return tenants.flatMap((tenant, index) =>
    tenant.recipients.flatMap((text, position) => {
      const pattern = parseRecipientPattern(text);
      if (pattern === undefined) return [];
      const key = `${pattern.local ?? "*"}@${pattern.domain}`;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, tenant);
      if (owner === undefined || owner === tenant) return [];
      return [
        {
          path: ["tenants", index, "recipients", position],
          found: `${JSON.stringify(text)}, which tenant "${owner.id}" already claims`,
          expected: "every recipient claimed by one tenant",
        },
      ];
    }),
  );
}
