/** The tenant's `people` block: who is a colleague, who is to be left out, and what the built-in lists get wrong. */
import { z } from "zod";
import { compilePeople } from "../mail/people.ts";
import type { Path } from "./problems.ts";
import { asciiDomain, canonicalLocal } from "./recipients.ts";

const isAddress = (text: string): boolean => {
  const at = text.lastIndexOf("@");
  return at > 0 && asciiDomain(text.slice(at + 1)) !== undefined && canonicalLocal(text.slice(0, at)) !== undefined;
};
const isDomain = (text: string): boolean => asciiDomain(text) !== undefined;

const domain = z.string().refine(isDomain, { error: "a domain (acme.example)" });
const address = z.string().refine(isAddress, { error: "an address (ana@freemail.example)" });
const either = z.string().refine((text) => isAddress(text) || isDomain(text), {
  error: "an address (ana@client.example) or a domain (client.example)",
});
const listedDomain = z.string().refine((text) => isDomain(text.replace(/^!/, "")), {
  error: "a domain (isp.example), or one with ! in front (!client.example)",
});
const roleName = z.string().refine((text) => /^!?[^\s@!]{1,64}$/u.test(text), {
  error: "the part of an address before the @ (disposition), or one with ! in front (!post)",
});

export const people = z
  .strictObject({
    own_domains: z
      .array(domain)
      .default([])
      .describe(
        "The company's own domains, subdomains included: mail from there is a colleague's. Without them every colleague is taken for a customer; the domain of `recipients` is not taken for one by itself.",
      ),
    own_addresses: z
      .array(address)
      .default([])
      .describe("Colleagues' addresses elsewhere: of a freelancer, or a private one that somebody works by."),
    colleagues: z
      .array(z.string().trim().min(2))
      .default([])
      .describe("Names of colleagues as they are shown (Ada Lovelace): a stranger under such a name is suspicious."),
    excluded: z
      .array(either)
      .default([])
      .describe(
        "Addresses and domains, subdomains included, whose mail leaves no trace at the CRM: the tax adviser, the works council, a private contact. It is skipped, by a rule that names the entry.",
      ),
    role_names: z
      .array(roleName)
      .default([])
      .describe(
        "Names before the @ that are a task and not a person, beside the built-in list (info, sales, buchhaltung, compras and some hundreds more). `!name` takes one off that list. Such a contact is made, and flagged `role`.",
      ),
    freemail: z
      .array(listedDomain)
      .default([])
      .describe(
        "Domains where anybody can have an address, beside the built-in list: they make no company. `!domain` takes one off that list.",
      ),
    disposable: z
      .array(listedDomain)
      .default([])
      .describe("Domains of addresses for an hour, beside the built-in list. `!domain` takes one off that list."),
    disposable_contacts: z
      .enum(["hold", "create"])
      .default("hold")
      .describe(
        "Mail that comes from a disposable address that the CRM does not know: held for review, or a new contact flagged `disposable`.",
      ),
    internal: z
      .enum(["skip", "log"])
      .default("skip")
      .describe(
        "Mail in which nobody outside takes part: skipped, or logged without a contact (at HubSpot only where doctor has set up the key of its own).",
      ),
  })
  .describe("Who is a colleague and who is not, and whom the CRM is to know nothing of.");

type Lists = z.output<typeof people>;

/** Own domains that would make colleagues of strangers. Paths are below the tenant. */
export function peopleClashes(lists: Lists): { path: Path; found: string; expected: string }[] {
  const known = compilePeople(lists, () => false);
  return lists.own_domains.flatMap((text, index) => {
    const path: Path = ["people", "own_domains", index];
    const ascii = asciiDomain(text) ?? text;
    if (known.registrable(ascii) === null) {
      return [
        {
          path,
          found: `${JSON.stringify(text)}, under which anybody can register a domain`,
          expected: "a domain that is the company's alone",
        },
      ];
    }
    if (!known.isFreemail(ascii) && !known.isDisposable(ascii)) return [];
    return [
      {
        path,
        found: `${JSON.stringify(text)}, where anybody can have an address`,
        expected: `a domain that is the company's alone; single addresses go into people.own_addresses (if the built-in list is wrong: people.freemail: ["!${ascii}"])`,
      },
    ];
  });
}
