/** Makes out of a tenant's configuration who is who. */
import { compilePeople } from "../mail/people.ts";
import type { People, PeopleLists } from "../model/people.ts";
import { compileRoutes, type Settings } from "../settings/index.ts";

/** By tenant; `lists` stand in place of a tenant's own. */
export function peopleFor(settings: Settings, lists?: PeopleLists): ReadonlyMap<string, People> {
  const route = compileRoutes(settings.tenants);
  return new Map(
    settings.tenants.map(({ id, people, mapping }) => {
      const isInbound = (email: string): boolean => {
        const answer = route(email);
        return answer.kind === "accepted" && answer.tenant === id;
      };
      return [id, compilePeople(lists ?? people, isInbound, mapping?.file.same_person)];
    }),
  );
}
