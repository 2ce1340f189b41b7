/** What the rest of the program may know of the configuration. */
export { describeSettings, secretsOf } from "./describe.ts";
export { configSchema } from "./editor.ts";
export { type DestinationEntry, loadSettings, type Settings, type TenantSettings } from "./load.ts";
export { nearest } from "./nearest.ts";
export { BadConfiguration, formatProblem, type Place, type Problem } from "./problems.ts";
export type { Environment } from "./references.ts";
export { type Reresolved, reresolve } from "./reresolve.ts";
export { compileRoutes, type Recipients } from "./routes.ts";
