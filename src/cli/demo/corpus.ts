/** The demo's mails: those of the corpus that say so, in the order they ask for. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { packageFolder } from "../package.ts";
import { peopleFile } from "../score/examples.ts";

const described = z.object({
  why: z.string(),
  demo: z.literal(true).optional(),
  order: z.number().optional(),
  smtp: z.object({ mail_from: z.string().nullable(), rcpt_to: z.array(z.string()).min(1) }),
});

export interface DemoMail {
  /** `bodies/plain-question`. */
  readonly name: string;
  readonly path: string;
  /** One line: what this mail shows. */
  readonly why: string;
  readonly from: string;
  readonly to: readonly string[];
}

export function demoMails(folder = join(packageFolder(), "corpus")): DemoMail[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json") && basename(name) !== peopleFile)
    .map((name) => ({ name, ...described.parse(JSON.parse(readFileSync(join(folder, name), "utf8"))) }))
    .filter(({ demo }) => demo === true)
    .sort((a, b) => (a.order ?? 0) - (b.order ?? 0))
    .map(({ name, why, smtp }) => ({
      name: name.slice(0, -".json".length),
      path: join(folder, `${name.slice(0, -".json".length)}.eml`),
      why,
      from: smtp.mail_from ?? "",
      to: smtp.rcpt_to,
    }));
}
