/** Makes out of a tenant's configuration who is who. */
import { compilePeople } from "../mail/people.ts";
import type { MappingFile } from "../model/mapping.ts";
import type { People, PeopleLists } from "../model/people.ts";
import { compileRoutes, type Settings } from "../settings/index.ts";

/** By tenant; `lists` stand in place of a tenant's own. */
export function peopleFor(settings: Settings, lists?: PeopleLists): ReadonlyMap<string, People> {
  const route = compileRoutes(settings.tenants);
  return new Map(
    settings.tenants.map(({ id, people, mapping, imap }) => {
      const isInbound = (email: string): boolean => {
        const answer = route(email);
        return answer.kind === "accepted" && answer.tenant === id;
      };
      const named = lists ?? people;
      // Who owns a mailbox that is read is a colleague, whatever the domain.
      const owners = imap.flatMap(({ user, address }) => address ?? (user.includes("@") ? user : []));
      const own_addresses = [...named.own_addresses, ...owners];
      return [id, compilePeople({ ...named, own_addresses }, isInbound, groupsOf(mapping?.file))];
    }),
  );
}

/** Whoever is one person is so under each version that is in force for anybody. */
const groupsOf = (file: MappingFile | undefined): readonly (readonly string[])[] =>
  file === undefined ? [] : [...file.same_person, ...groupsOf(file.otherwise)];
