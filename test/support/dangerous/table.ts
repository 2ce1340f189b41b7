/** The table of dangerous files: each is made here, with the finding that stops it and a harmless twin that is to pass. */
import { bundles } from "./bundles.ts";
import { documents } from "./documents.ts";
import { evasions } from "./evasions.ts";
import { programs } from "./programs.ts";
import type { Dangerous } from "./rows.ts";

export type { Dangerous, Sample } from "./rows.ts";

/** Made when asked for: some of them are megabytes. */
export const dangerous = (): readonly Dangerous[] => [...programs(), ...bundles(), ...documents(), ...evasions()];
