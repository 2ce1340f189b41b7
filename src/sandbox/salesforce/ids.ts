/** Record ids as Salesforce makes them: a prefix that names the object, 15 characters whose case counts, and three more that say that case. */

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const suffixes = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

export const prefixes = {
  Account: "001",
  Contact: "003",
  User: "005",
  Opportunity: "006",
  RecordType: "012",
  Task: "00T",
  Lead: "00Q",
  OpportunityContactRole: "00K",
  OpportunityStage: "01J",
  Organization: "00D",
  EmailMessage: "02s",
  EmailMessageRelation: "0CZ",
} as const;
export type ObjectName = keyof typeof prefixes;
export const objectNames = Object.keys(prefixes) as ObjectName[];

export const objectNamed = (name: string): ObjectName | undefined =>
  objectNames.find((known) => known.toLowerCase() === name.toLowerCase());

/** The 18 characters of the nth record of an object. */
export function idOf(object: ObjectName, n: number): string {
  let digits = "";
  for (let rest = n; digits.length < 7; rest = Math.floor(rest / 62)) digits = `${alphabet[rest % 62]}${digits}`;
  return id18(`${prefixes[object]}8a000${digits}`.slice(0, 15));
}

/** Five bits for each of three groups of five characters: which of them are capitals. */
export function id18(id15: string): string {
  let suffix = "";
  for (let group = 0; group < 3; group++) {
    let bits = 0;
    for (let at = 0; at < 5; at++) if (/[A-Z]/.test(id15[group * 5 + at] ?? "")) bits |= 1 << at;
    suffix += suffixes[bits];
  }
  return id15 + suffix;
}

export const isId = (text: unknown): text is string =>
  typeof text === "string" && /^[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?$/.test(text);
export const objectOfId = (id: string): ObjectName | undefined =>
  objectNames.find((object) => id.startsWith(prefixes[object]));
