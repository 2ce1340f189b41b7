/** What "no permission" means: that the grant may not do such a thing at all, or that one record is not to be seen or changed by its user. */
import { Refused } from "../../model/outcome.ts";
import type { Clock } from "../../model/ports.ts";
import type { WireRequest, WireResponse } from "../../model/wire.ts";
import { openMemo } from "../shared/calls.ts";
import { type ModuleName, metricName, modules, paths } from "./api.ts";

export interface Rights {
  /** Blocked where nothing of the kind passes; permanent where it is this record. */
  refusal(request: WireRequest, reason: string): Promise<Refused>;
}

/** A permission that was just taken away is no record's fault for longer than this. */
const forgetMs = 60_000;

const blocked = (reason: string): Refused =>
  new Refused({ kind: "blocked", reason: `${reason}; the user of the grant may not do this` });
const hidden = (reason: string, what: string): Refused =>
  new Refused({
    kind: "permanent",
    reason: `${reason}; the user of the grant may not use ${what}: share it with them, then replay`,
  });

/** `ask` answers whatever Zoho says. */
export function openRights(ask: (request: WireRequest) => Promise<WireResponse>, clock: Pick<Clock, "now">): Rights {
  const memo = openMemo(clock, forgetMs);
  const get = (path: string, module: ModuleName) => ask({ method: "GET", path, object: metricName[module] });
  const isRead = ({ status }: WireResponse): boolean => status === 200 || status === 204;
  /** Whether the grant reads records of the module at all. */
  const reads = (module: ModuleName): Promise<boolean> =>
    memo.once(module, async () => isRead(await get(paths.module(module, { fields: "id", per_page: "1" }), module)));
  const sees = async (module: ModuleName, id: string): Promise<boolean> =>
    isRead(await get(paths.record(module, id, { fields: "id" }), module));

  /** The first record in the body of a create that the user cannot see. */
  async function unseen(body: unknown): Promise<string | undefined> {
    for (const [module, id] of namedIn(body)) if (!(await sees(module, id))) return `${module} ${id}`;
    return undefined;
  }

  return {
    async refusal({ method, path, body }, reason) {
      const [, name, id, below] = /^\/crm\/v\d+\/(\w+)(?:\/(\d{1,25}))?(\/\w+)?/.exec(path) ?? [];
      const module = modules.find((one) => one === name);
      if (module === undefined || !(await reads(module))) return blocked(reason);
      if (id === undefined) {
        const what = method === "POST" ? await unseen(body) : undefined;
        return what === undefined ? blocked(reason) : hidden(reason, what);
      }
      const isSeen = await sees(module, id);
      // What is seen and may not be changed is that record's; lists and mails of what is seen are a right of their own.
      if (!isSeen || (below === undefined && method !== "GET")) return hidden(reason, `${module} ${id}`);
      const what = await unseen(body);
      return what === undefined ? blocked(reason) : hidden(reason, what);
    },
  };
}

const lookups: Readonly<Record<string, ModuleName>> = { Account_Name: "Accounts", Contact_Name: "Contacts" };

/** Lookups in rows, and the record that a mail is linked with. */
function namedIn(body: unknown): (readonly [ModuleName, string])[] {
  const { data, Emails } = Object(body) as Readonly<Record<string, unknown>>;
  const rows: unknown[] = [data, Emails].flatMap((list) => (Array.isArray(list) ? list : []));
  return rows.flatMap((row) => {
    const named = Object.entries(lookups).map(([field, module]) => [module, Object(Object(row)[field]).id] as const);
    const linked = Object(Object(row).linked_record);
    const of = modules.find((module) => module === Object(linked.module).api_name);
    const all = of === undefined ? named : [...named, [of, linked.id] as const];
    return all.flatMap(([module, id]) => (typeof id === "string" ? [[module, id] as const] : []));
  });
}
