/** Writes SOQL: every value from outside goes through one function, so that none of them can end its own literal. Pure. */

/** https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm */
const escapes: ReadonlyMap<string, string> = new Map([
  ["\\", "\\\\"],
  ["'", "\\'"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/** A value as a literal, quotes included. Other controls cannot be in a field, so that nothing can equal them. */
export function quoted(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is taken out
  const bare = value.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g, "").toWellFormed();
  return `'${bare.replace(/[\\'\n\r\t]/g, (char) => escapes.get(char) ?? "")}'`;
}

/** A value as the pattern of LIKE, with `%` where `before` and `after` say so and nowhere else. */
export function likePattern(value: string, { before = "", after = "" }: { before?: "%" | ""; after?: string }): string {
  const inner = quoted(value).slice(1, -1).replace(/[%_]/g, "\\$&");
  return `'${before}${inner}${after}'`;
}

export const oneOf = (values: readonly string[]): string => `(${values.map(quoted).join(",")})`;

export interface Select {
  readonly fields: readonly string[];
  readonly from: string;
  readonly where?: string;
  /** `CreatedDate ASC`. */
  readonly order?: string;
  readonly limit?: number;
}

/** Names of fields are the org's own and never a mail's; what is no plain name is left out. */
export function select({ fields, from, where, order, limit }: Select): string {
  const names = [...new Set(fields)].filter((name) => /^[A-Za-z][\w.]{0,80}$/.test(name));
  return [
    `SELECT ${names.join(",")} FROM ${from}`,
    ...(where === undefined ? [] : [`WHERE ${where}`]),
    ...(order === undefined ? [] : [`ORDER BY ${order}`]),
    ...(limit === undefined ? [] : [`LIMIT ${limit}`]),
  ].join(" ");
}
