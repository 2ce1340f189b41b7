/** The settings that sources and destinations bring along, as the schema of the whole configuration needs them. */
import { z } from "zod";
import { destinations } from "../destinations/index.ts";
import { imapSettings, smtpSettings } from "../sources/index.ts";

export { imapSettings, smtpSettings };

export interface DestinationSettings {
  readonly name: string;
  readonly settings: z.ZodObject;
}

export const destinationSettings: readonly DestinationSettings[] = destinations.map(({ name, settings }) => {
  // `id` and `type` are laid beside a destination's own keys, so these have to be the keys of a mapping.
  if (!(settings instanceof z.ZodObject)) throw new Error(`the settings of destination ${name} are no z.strictObject`);
  return { name, settings };
});

// The listener opens these files itself, as they change while it runs: what it is given has to be their absolute path.
const tls = smtpSettings.shape.tls.unwrap().shape;
for (const file of [tls.cert, tls.key]) z.globalRegistry.add(file, { ...file.meta(), path: true });
