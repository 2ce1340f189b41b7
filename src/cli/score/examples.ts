/** The messages of a folder that say what is expected of them: NAME.eml with NAME.json beside it. */
import { lstat, readdir, readFile } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { z } from "zod";
import { eventSchema, trustLevels } from "../../model/event.ts";
import type { PeopleLists } from "../../model/people.ts";
import { peopleSchema } from "../../settings/index.ts";
import { sentenceOf } from "../exit.ts";
import { mostNesting, nestsTooDeeply } from "./leaves.ts";

/** A description of a message. The fields of an event that it names are in `expect`. */
export const descriptionSchema = z.strictObject({
  why: z.string().optional().describe("One line: what this message is here for."),
  smtp: z
    .strictObject({ mail_from: z.string().nullable(), rcpt_to: z.array(z.string()).min(1) })
    .optional()
    .describe("The envelope it comes in. Without it the message counts as imported."),
  conversation: z.string().min(1).optional().describe("Which conversation of the folder it belongs to."),
  trust: z.enum(trustLevels).optional().describe("How far its sender is trusted, where that counts for its thread."),
  conflicts_with: z.string().optional().describe("Another message of the folder that has the same Message-ID."),
  line_ends: z.literal("kept").optional().describe("Its line ends are what it is here for."),
  demo: z.literal(true).optional(),
  order: z.number().optional(),
  expect: z.record(z.string(), z.unknown()),
});
export type Description = z.infer<typeof descriptionSchema>;

export type Example =
  | {
      readonly kind: "described";
      readonly file: string;
      readonly family: string;
      readonly description: Description;
      /** Of the people.json in its folder: whose mail it is. Undefined where there is none. */
      readonly people: PeopleLists | undefined;
    }
  | { readonly kind: "refused"; readonly file: string; readonly reason: string };

const mostDescriptionBytes = 4 * 1024 * 1024;

/** In the order of their names. Rejects when the folder cannot be read. */
export async function* examplesOf(folder: string): AsyncGenerator<Example> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.(?:eml|json)$/.test(name)).sort();
  const known = new Set(names);
  for (const name of names) {
    if (base(name) === peopleFile) continue;
    const stem = name.replace(/\.(?:eml|json)$/, "");
    if (name.endsWith(".eml")) yield await exampleAt(folder, name, known);
    else if (!known.has(`${stem}.eml`)) yield refused(name, `has no ${base(stem)}.eml beside it`);
  }
}

const base = (name: string): string => name.slice(name.lastIndexOf(sep) + 1);
const refused = (file: string, reason: string): Example => ({ kind: "refused", file, reason });

async function exampleAt(folder: string, file: string, known: ReadonlySet<string>): Promise<Example> {
  const family = file.includes(sep) ? file.slice(0, file.indexOf(sep)) : ".";
  const described = `${file.slice(0, -".eml".length)}.json`;
  if (!known.has(described)) return refused(file, "has no .json with the expected event beside it");
  const lists = join(dirname(file), peopleFile);
  try {
    const people = known.has(lists) ? peopleOf(await textOf(folder, lists)) : undefined;
    return { kind: "described", file, family, description: descriptionOf(await textOf(folder, described)), people };
  } catch (error) {
    return refused(described, sentenceOf(error));
  }
}

async function textOf(folder: string, file: string): Promise<string> {
  const path = join(folder, file);
  const found = await lstat(path);
  if (!found.isFile()) throw new Error("is not a file");
  if (found.size > mostDescriptionBytes) throw new Error("is larger than 4 MiB");
  return await readFile(path, "utf8");
}

/** Lists like those of `people` in the configuration, for the messages of one folder. */
export const peopleFile = "people.json";

/** Throws with the reason. */
export function peopleOf(text: string): PeopleLists {
  const lists = peopleSchema.safeParse(objectOf(text));
  if (lists.success) return lists.data;
  const { path = [], message = "" } = lists.error.issues[0] ?? {};
  throw new Error(`stands beside a people.json that holds no lists of people: ${path.join(".")}: ${message}`);
}

/** Throws with the reason. A file without `expect` is a part of an event itself. */
export function descriptionOf(text: string): Description {
  const value = objectOf(text);
  const described = descriptionSchema.safeParse(Object.hasOwn(value, "expect") ? value : { expect: value });
  if (!described.success) {
    const { path = [], message = "" } = described.error.issues[0] ?? {};
    throw new Error(`does not describe a message: ${path.length === 0 ? "" : `${path.join(".")}: `}${message}`);
  }
  const { expect } = described.data;
  const foreign = Object.keys(expect).find((key) => !Object.hasOwn(eventSchema.shape, key));
  if (foreign !== undefined) {
    throw new Error(
      `expects ${JSON.stringify(foreign)}, and an event has ${Object.keys(eventSchema.shape).join(", ")}`,
    );
  }
  if (Object.keys(expect).length === 0) throw new Error("expects nothing");
  return described.data;
}

function objectOf(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`is not JSON: ${sentenceOf(error)}`);
  }
  if (nestsTooDeeply(value)) throw new Error(`nests deeper than ${mostNesting} levels`);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("is not a JSON object");
  return value;
}
