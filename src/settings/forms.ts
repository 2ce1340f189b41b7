/** What has to be filled in for each kind of CRM and each way of signing in: the required keys, as the schema of the configuration has them. */
import type { Outline } from "./outline.ts";
import { configurationOutline } from "./schema.ts";

export interface FormField {
  readonly key: string;
  readonly about: string;
  readonly secret: boolean;
  /** Where only some words are right. */
  readonly choices: readonly string[] | undefined;
  /** False for what is more than one text: a person writes that into the file. */
  readonly simple: boolean;
}

export interface Form {
  readonly type: string;
  readonly about: string;
  readonly required: readonly FormField[];
  readonly keys: readonly string[];
  /** Those that no command line should show, whether they are required or not. */
  readonly secrets: readonly string[];
}

/** By the `type` of a destination. */
export const destinationForms = (): readonly Form[] => formsAt(["destinations"]);
/** By the `type` of a mailbox's `oauth`. */
export const signInForms = (): readonly Form[] => formsAt(["imap", "oauth"]);

function formsAt(keys: readonly string[]): Form[] {
  let at: Outline | undefined = configurationOutline.properties?.tenants?.items;
  for (const key of keys) at = whole(at?.properties?.[key]);
  return (at?.oneOf ?? at?.anyOf ?? []).map(formOf);
}

/** Of a list its items. */
const whole = (outline: Outline | undefined): Outline | undefined => outline?.items ?? outline;

function formOf({ properties = {}, required = [], description = "" }: Outline): Form {
  const fields = required.flatMap((key): FormField[] => {
    const field = properties[key];
    if (field === undefined || field.const !== undefined || key === "id") return [];
    const texts = field.enum?.filter((one) => typeof one === "string");
    return [
      {
        key,
        about: field.description ?? key,
        secret: field.secret === true,
        choices: texts,
        simple: texts !== undefined || field.type === "string" || field.type === "number" || field.type === "integer",
      },
    ];
  });
  return {
    type: String(properties.type?.const ?? ""),
    about: description,
    required: fields,
    keys: Object.keys(properties),
    secrets: Object.keys(properties).filter((key) => properties[key]?.secret === true),
  };
}
