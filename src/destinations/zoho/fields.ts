/** What one Zoho organisation can do: which organisation it is, the fields of its modules, and so how its records are kept single. Asked once, remembered. */
import { z } from "zod";
import type { Dedupe } from "../../model/destination.ts";
import { Refused } from "../../model/outcome.ts";
import type { Clock } from "../../model/ports.ts";
import type { StepKind } from "../../model/step.ts";
import { openMemo } from "../shared/calls.ts";
import { type Api, type ModuleName, paths } from "./api.ts";

/** Ours alone in every organisation: nothing else writes them. */
export const ownFields = { key: "Mailwright_Key", flags: "Mailwright_Flags" } as const;
export type OwnField = (typeof ownFields)[keyof typeof ownFields];

export const needs: Readonly<Record<ModuleName, readonly OwnField[]>> = {
  Contacts: [ownFields.key, ownFields.flags],
  Leads: [ownFields.key, ownFields.flags],
  Accounts: [ownFields.key],
  Deals: [ownFields.key],
};

const pick = z.object({
  display_value: z.string(),
  actual_value: z.string().optional(),
  forecast_type: z.string().nullish(),
  maps: z
    .array(z.object({ api_name: z.string(), pick_list_values: z.array(z.unknown()) }))
    .nullish()
    .catch(undefined),
});
const picks = z.array(pick).catch([]);
export type Pick = z.infer<typeof pick>;
export const stagesOf = (pipeline: Pick): readonly Pick[] =>
  picks.parse(pipeline.maps?.find(({ api_name }) => api_name === "Stage")?.pick_list_values ?? []);

const fieldSchema = z.object({
  api_name: z.string(),
  data_type: z.string(),
  length: z.number().nullish().catch(undefined),
  read_only: z.boolean().nullish().catch(undefined),
  // `{}` where it is not unique.
  unique: z.record(z.string(), z.unknown()).nullish().catch(undefined),
  pick_list_values: z.array(z.unknown()).nullish().catch(undefined),
});
export type Field = z.infer<typeof fieldSchema>;
export const picksOf = (field: Field | undefined): readonly Pick[] => picks.parse(field?.pick_list_values ?? []);
const fieldsSchema = z.object({ fields: z.array(fieldSchema) });

const orgSchema = z.object({
  org: z.tuple(
    [
      z.object({
        id: z.string().regex(/^[\w-]{1,40}$/),
        company_name: z.string().nullish(),
        license_details: z.object({ paid_type: z.string().nullish() }).nullish().catch(undefined),
      }),
    ],
    z.unknown(),
  ),
});
export type Org = z.infer<typeof orgSchema>["org"][0];

export interface Module {
  readonly name: ModuleName;
  field(name: string): Field | undefined;
  has(name: string): boolean;
  isUnique(name: string): boolean;
  /** The longest text that the field takes. */
  length(name: string, otherwise: number): number;
}

export interface AccountSettings {
  readonly org_id?: string | undefined;
  readonly allow_missing_fields: boolean;
}

export interface Account {
  /** Blocked when it is not the organisation that the configuration names. */
  org(): Promise<Org>;
  /** As it is, whatever it lacks. */
  look(module: ModuleName): Promise<Module>;
  /** Blocked when our key could be there and is not. */
  module(module: ModuleName): Promise<Module>;
  dedupe(kind: StepKind): Promise<Dedupe>;
  /** The organisation changed: looks again at the next question. */
  forget(): void;
}

/** An administrator's change shows after this; one that refuses a record shows at once. */
const forgetMs = 3_600_000;
const always: Dedupe = { tier: "unique-key", absenceProvable: true };

export function openAccount(api: Api, settings: AccountSettings, clock: Clock): Account {
  const memo = openMemo(clock, forgetMs);
  const forever = openMemo(clock, Number.POSITIVE_INFINITY);

  const org = (): Promise<Org> =>
    forever.once("org", async () => {
      const answer = await api.call({ method: "GET", path: paths.org, object: "org" }, false);
      const [found] = api.shaped(orgSchema, answer, false).org;
      if (settings.org_id !== undefined && settings.org_id !== found.id) {
        const reason = `the grant is for Zoho organisation ${found.id}, the configuration's org_id says ${settings.org_id}`;
        throw new Refused({ kind: "blocked", reason });
      }
      return found;
    });

  const look = (module: ModuleName): Promise<Module> =>
    memo.once(`fields ${module}`, async () => {
      await org();
      const answer = await api.call({ method: "GET", path: paths.fields(module), object: "field" }, false);
      return moduleOf(module, answer.status === 204 ? [] : api.shaped(fieldsSchema, answer, false).fields);
    });

  /** A field that `doctor --fix` could make is worth waiting for: mail that waits is not lost, a doubled contact stays doubled. */
  async function module(name: ModuleName): Promise<Module> {
    const found = await look(name);
    if (found.has(ownFields.key) || settings.allow_missing_fields) return found;
    const reason = `Zoho has no ${ownFields.key} on ${name}: run mailwright doctor --fix, or set allow_missing_fields`;
    throw new Refused({ kind: "blocked", reason });
  }

  async function keyed(name: ModuleName, absenceProvable: boolean): Promise<Dedupe> {
    const found = await module(name);
    if (found.isUnique(ownFields.key)) return always;
    return { tier: found.has(ownFields.key) || !absenceProvable ? "key-readback" : "marker-readback", absenceProvable };
  }

  /** The mapping may want leads: what holds for people holds for both. An organisation may have no leads. */
  async function people(): Promise<Dedupe> {
    const contacts = await keyed("Contacts", false);
    if (contacts !== always) return contacts;
    const leads = await look("Leads");
    return !leads.has("Last_Name") || leads.isUnique(ownFields.key) ? contacts : await keyed("Leads", false);
  }

  return {
    org,
    look,
    module,
    async dedupe(kind) {
      switch (kind) {
        // Neither hangs on a record whose list could be read to its end: only an index could find it, and that may lag.
        case "person":
          return await people();
        case "company":
          return await keyed("Accounts", false);
        case "deal":
          return await keyed("Deals", true);
        // Zoho itself takes a Message-ID once for a record; links and lists of files say how things shall be.
        case "activity":
        case "file":
        case "link":
        case "unlink":
        case "archive":
        case "event_copy":
          return always;
        default:
          return kind satisfies never;
      }
    },
    forget: memo.forget,
  };
}

function moduleOf(name: ModuleName, fields: readonly Field[]): Module {
  const byName = new Map(fields.map((field) => [field.api_name, field]));
  return {
    name,
    field: (field) => byName.get(field),
    has: (field) => byName.has(field),
    isUnique: (field) => Object.keys(byName.get(field)?.unique ?? {}).length > 0,
    length: (field, otherwise) => Math.max(1, byName.get(field)?.length ?? otherwise),
  };
}
