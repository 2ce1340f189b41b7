/** What the rest of the program may know of the configuration. */
export { describeSettings, secretsOf } from "./describe.ts";
export { configSchema, mappingCasesJsonSchema, mappingJsonSchema } from "./editor.ts";
export { destinationForms, type Form, type FormField, signInForms } from "./forms.ts";
export { type DestinationEntry, loadSettings, type Settings, type TenantSettings } from "./load.ts";
export { type LoadedMapping, loadMapping, mappingTexts, parseMapping } from "./mapping.ts";
export { type CaseTenant, type LoadedCases, loadCases, type MappingCase, type ShortMail } from "./mapping-cases.ts";
export { people as peopleSchema } from "./people.ts";
export { BadConfiguration, formatProblem, type Problem } from "./problems.ts";
export { reresolve } from "./reresolve.ts";
export { compileRoutes } from "./routes.ts";
