/** Reads a file of cases for a mapping: YAML, checked against its schema, with every problem told by line and column. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { type CanonicalEvent, eventSchema } from "../model/event.ts";
import { makingLevels } from "../model/mapping.ts";
import { expectation, knownOfCase } from "../model/mapping-cases.ts";
import { readDocument } from "./document.ts";
import { problemsOf, type Read } from "./issues.ts";
import type { Outline } from "./outline.ts";
import { people } from "./people.ts";
import { BadConfiguration, type Path, type Problem, pathKey } from "./problems.ts";
import { isRecipientPattern } from "./recipients.ts";

/** One line of a header: a line end in it would begin another. */
const line = z
  .string()
  .max(2_000)
  .refine((text) => !/[\r\n\0]/.test(text), { error: "one line of text" });
const lines = z.union([line, z.array(line).min(1).max(100)]);

const shortMail = z
  .strictObject({
    from: line.default("Ada Lovelace <ada@client.example>").describe("`Ada Lovelace <ada@client.example>`."),
    to: lines.optional().describe("Default: the address that it came by."),
    cc: lines.optional(),
    subject: line.optional(),
    date: line.default("Tue, 10 Mar 2026 11:59:00 +0000"),
    message_id: line.optional().describe("With angle brackets. Default: one of its own for each case."),
    headers: z
      .record(z.string().regex(/^[A-Za-z0-9-]{1,70}$/, { error: "the name of a header field" }), line)
      .default({})
      .describe("Further header fields: `Auto-Submitted: auto-replied`."),
    text: z.string().max(100_000).default(""),
    files: z
      .array(
        z.strictObject({
          name: line,
          type: z
            .string()
            .regex(/^[\w.+-]+\/[\w.+-]+$/, { error: "a media type (application/pdf)" })
            .default("application/octet-stream"),
          text: z.string().max(100_000).default("a file"),
        }),
      )
      .max(100)
      .default([])
      .describe("Attachments."),
  })
  .describe("A short mail, written here.");
export type ShortMail = z.output<typeof shortMail>;

const oneCase = z
  .strictObject({
    name: z.string().min(1).max(200).describe("What the case shows, as a sentence."),
    file: z.string().min(1).optional().meta({ path: true }).describe("A mail file (.eml), relative to this file."),
    mail: shortMail.optional(),
    event: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("Fields of the canonical event that are to be as said here, laid over what the mail gives."),
    via: z
      .union([line, z.array(line).min(1).max(100)])
      .optional()
      .describe("The inbound address that it came by. Default: the tenant's first one."),
    mailbox: line.optional().describe("The IMAP folder that it came by, in place of `via`."),
    known: knownOfCase.prefault({}),
    expect: expectation,
  })
  .refine(({ file, mail }) => file === undefined || mail === undefined, { error: "one of file and mail" })
  .refine(({ file, mail, event }) => (file ?? mail ?? event) !== undefined, { error: "file, mail or event" })
  .refine(({ via, mailbox }) => via === undefined || mailbox === undefined, { error: "one of via and mailbox" });
export type MappingCase = z.output<typeof oneCase>;

const tenant = z
  .strictObject({
    id: z.string().min(1).default("test"),
    recipients: z
      .array(
        z
          .string()
          .refine(isRecipientPattern, { error: "an address (deals@in.acme.example) or a domain (*@in.acme.example)" }),
      )
      .min(1)
      .describe("As in the configuration."),
    people: people.prefault({}),
    create_contact: z.enum(makingLevels).default("unverified").describe("As trust.create_contact."),
  })
  .describe("Whose mail it is. Left out: a tenant of the configuration.");
export type CaseTenant = z.output<typeof tenant>;

export const casesSchema = z
  .strictObject({
    mapping: z
      .string()
      .min(1)
      .optional()
      .meta({ path: true })
      .describe("The mapping file that is tested, relative to this one. Left out: that of the tenant."),
    tenant: tenant.optional(),
    cases: z.array(oneCase).min(1).max(5_000),
  })
  .describe("Cases for a Mailwright mapping: mails, and what is to be planned for each.");
export type CasesFile = z.output<typeof casesSchema>;

const written = z.toJSONSchema(casesSchema, { io: "input" }) as Outline;
const eventOutline = z.toJSONSchema(eventSchema, { io: "input" }) as Outline;

/** With the event's own keys in place of "any": editors complete them, and a mistyped one is told with the nearest known. */
export const casesOutline: Outline = withEvent(written);

function withEvent(outline: Outline): Outline {
  const item = outline.properties?.cases?.items;
  const event = { ...item?.properties?.event, ...partial(eventOutline) };
  const items = { ...item, properties: { ...item?.properties, event } };
  return { ...outline, properties: { ...outline.properties, cases: { ...outline.properties?.cases, items } } };
}

/** Nothing of an event has to be said. */
function partial(outline: Outline): Outline {
  const { required: _, properties, ...rest } = outline;
  if (properties === undefined) return rest;
  const inner = Object.entries(properties).map(([name, one]) => [name, partial(one)] as const);
  return { ...rest, properties: Object.fromEntries(inner), additionalProperties: false };
}

export interface LoadedCases {
  /** Absolute. */
  readonly path: string;
  readonly file: CasesFile;
  /** The line, from 1, on which a case begins; cases are counted from 0. */
  lineOf(at: number): number;
  /** The event with what the case says laid over it. Throws BadConfiguration where that is no event any more. */
  eventOf(at: number, event: CanonicalEvent): CanonicalEvent;
}

const mostBytes = 4 * 1024 * 1024;

/** Throws BadConfiguration with every problem found; nothing else. Paths in it are absolute afterwards. */
export function loadCases(path: string): LoadedCases {
  const document = readDocument(readText(path), path);
  if (document.problems.length > 0) throw new BadConfiguration(document.problems);
  const read: Read = { value: document.value, marks: document.marks, outline: casesOutline, file: path };
  const parsed = casesSchema.safeParse(document.value);
  if (!parsed.success) throw new BadConfiguration(problemsOf(parsed.error.issues, read));
  const strays = parsed.data.cases.flatMap(({ event }, at) => unknownKeys(event, eventOutline, ["cases", at, "event"]));
  if (strays.length > 0) throw new BadConfiguration(problemsOf(strays, read));
  const from = (name: string): string => resolve(dirname(path), name);
  const { mapping, cases } = parsed.data;
  return {
    path,
    file: {
      ...parsed.data,
      ...(mapping === undefined ? {} : { mapping: from(mapping) }),
      cases: cases.map((one) =>
        one.file === undefined ? { ...one, mail: one.mail ?? shortMail.parse({}) } : { ...one, file: from(one.file) },
      ),
    },
    lineOf(at) {
      const place = document.marks.get(pathKey(["cases", at]))?.value;
      return place?.kind === "file" ? place.line : 1;
    },
    eventOf(at, event) {
      const said = cases[at]?.event;
      if (said === undefined) return event;
      const laid = eventSchema.safeParse(over(event, said));
      if (laid.success) return laid.data;
      const issues = laid.error.issues.map((issue) => ({ ...issue, path: ["cases", at, "event", ...issue.path] }));
      throw new BadConfiguration(problemsOf(issues, read));
    },
  };
}

/** Mappings are merged, everything else is put in its place. */
function over(under: unknown, said: unknown): unknown {
  if (!isMapping(said)) return said;
  const entries = new Map(isMapping(under) ? Object.entries(under) : []);
  for (const [key, value] of Object.entries(said)) entries.set(key, over(entries.get(key), value));
  return Object.fromEntries(entries);
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An event is open to fields that a later version adds; a case that names one nobody knows would silently test nothing. */
function unknownKeys(value: unknown, outline: Outline | undefined, path: Path): z.core.$ZodIssue[] {
  if (outline === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((one, at) => unknownKeys(one, outline.items, [...path, at]));
  const shapes = (outline.anyOf ?? outline.oneOf ?? [outline]).filter(({ properties }) => properties !== undefined);
  const [shape] = shapes;
  if (!isMapping(value) || shape === undefined || shapes.length > 1) return [];
  const known = new Map(Object.entries(shape.properties ?? {}));
  const keys = Object.keys(value).filter((key) => !known.has(key));
  const here: z.core.$ZodIssue = { code: "unrecognized_keys", keys, path: [...path], message: "unknown", input: value };
  return [
    ...(keys.length === 0 ? [] : [here]),
    ...Object.entries(value).flatMap(([key, one]) => unknownKeys(one, known.get(key), [...path, key])),
  ];
}

function readText(path: string): string {
  const place: Problem["place"] = { kind: "file", file: path, line: 1, column: 1 };
  const refuse = (found: string) =>
    new BadConfiguration([{ place, path: "", found, expected: "a readable file of cases" }]);
  try {
    const bytes = readFileSync(path);
    if (bytes.length > mostBytes) throw refuse(`more than ${mostBytes} bytes`);
    return bytes.toString("utf8");
  } catch (error) {
    if (error instanceof BadConfiguration) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw refuse(`a file that cannot be read (${code})`);
  }
}
