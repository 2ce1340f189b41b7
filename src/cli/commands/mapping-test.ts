/** `mailwright mapping test`: runs cases of a mapping like unit tests, and shows what is not as it was expected. */
import { resolve } from "node:path";
import { Command } from "commander";
import {
  type CaseResult,
  type CaseSubject,
  compileMapping,
  openCommandLog,
  openPreview,
  peopleFor,
  subjectOf,
  tenantPlans,
  testMapping,
} from "../../main.ts";
import { type LoadedCases, loadCases, loadMapping, type Settings, secretsOf } from "../../settings/index.ts";
import type { Cli } from "../cli.ts";
import { Failed, usage } from "../exit.ts";
import { tenantOption } from "../mail-file.ts";
import type { MappingTested } from "../mapping-shapes.ts";
import { jsonOption } from "../options.ts";
import { plain } from "../plain.ts";

interface Options {
  readonly json?: true;
  readonly mapping?: string;
  readonly tenant?: string;
}

export function mappingTest(cli: Cli): Command {
  return new Command("test")
    .description(
      "Run cases of a mapping like unit tests (docs/mapping.md): each a mail, and what is expected of its plan. Writes nothing, calls nobody; exit code 1 when a case fails.",
    )
    .argument("<files...>", "files of cases (YAML)")
    .option("--mapping <file>", "the mapping file to test, in place of the one that the cases name")
    .addOption(tenantOption())
    .addOption(jsonOption())
    .action((files: string[], options: Options) => test(cli, files, options));
}

async function test(cli: Cli, files: readonly string[], options: Options): Promise<void> {
  // All are read before the first is run: a slip in the last file should not be told after minutes.
  const loaded = files.map((file) => loadCases(resolve(cli.cwd, file)));
  const settings = cli.settings();
  const subjects = loaded.map((cases) => ({ cases, ...subjectFor(cli, cases, settings, options) }));
  const tested: MappingTested[] = [];
  const log = openCommandLog(settings, secretsOf(settings));
  const preview = await openPreview({ children: 2, log, people: new Map() });
  try {
    for (const { cases, subject, mapping } of subjects) {
      for (const result of await testMapping(cases, subject, preview)) {
        const shape = shapeOf(cases, mapping, result);
        tested.push(shape);
        if (options.json !== true) await printCase(cli, shape);
      }
    }
  } finally {
    await preview.close();
  }
  const failed = tested.filter(({ passed }) => !passed).length;
  if (options.json === true) await cli.printJson("mapping test", tested);
  else await cli.print(`${tested.length - failed} passed, ${failed} failed`);
  if (failed > 0) throw new Failed(`${failed} of ${tested.length} cases failed`);
}

/** What the file of cases says of itself goes before the configuration; --mapping goes before both. */
function subjectFor(
  cli: Cli,
  { file }: LoadedCases,
  settings: Settings,
  options: Options,
): { readonly subject: CaseSubject; readonly mapping: string | null } {
  const path = options.mapping === undefined ? file.mapping : resolve(cli.cwd, options.mapping);
  const named = path === undefined ? undefined : loadMapping(path);
  const rules = named === undefined ? undefined : compileMapping(named.file);
  if (file.tenant !== undefined && options.tenant === undefined) {
    return { subject: subjectOf(file.tenant, rules), mapping: named?.path ?? null };
  }
  const subject = configured(settings, options.tenant);
  const own = settings.tenants.find(({ id }) => id === subject.tenant)?.mapping?.path;
  const mapping = { ...subject.mapping, ...(rules === undefined ? {} : { rules }) };
  return { subject: { ...subject, mapping }, mapping: named?.path ?? own ?? null };
}

function configured(settings: Settings, named: string | undefined): CaseSubject {
  const plans = tenantPlans(settings);
  const ids = plans.map(({ tenant }) => tenant);
  const plan = named === undefined && ids.length === 1 ? plans[0] : plans.find(({ tenant }) => tenant === named);
  if (plan === undefined) {
    const which = named === undefined ? "name one with --tenant, or describe one in the file" : `there is no ${named}`;
    throw usage(`the configuration has the tenants ${ids.join(", ")}: ${which}`);
  }
  const recipients = settings.tenants.find(({ id }) => id === plan.tenant)?.recipients ?? [];
  const people = peopleFor(settings).get(plan.tenant) ?? plan.people;
  return { tenant: plan.tenant, recipients, people, mapping: plan.mapping };
}

function shapeOf({ path }: LoadedCases, mapping: string | null, result: CaseResult): MappingTested {
  const { name, line, decision, readings, differences } = result;
  return {
    file: path,
    line,
    mapping,
    case: name,
    passed: differences.length === 0,
    outcome: decision.kind,
    rule: decision.rule,
    reason: decision.kind === "steps" ? null : decision.reason,
    differences: [...differences],
    rules: readings.map(({ rule, failed, took }) => ({ rule, applies: failed === null, failed, took: [...took] })),
  };
}

async function printCase(cli: Cli, tested: MappingTested): Promise<void> {
  const { paint } = cli;
  const name = plain(tested.case, 200);
  if (tested.passed) return await cli.print(`${paint("green", "ok")}      ${name}`);
  await cli.print(`${paint("red", "failed")}  ${name}  ${paint("dim", `${tested.file}:${tested.line}`)}`);
  for (const { where, expected, found } of tested.differences) {
    const indent = "          ";
    await cli.print(`        ${paint("bold", plain(where, 100))}`);
    await cli.print(`${indent}expected: ${paint("green", plain(expected, 300))}`);
    await cli.print(`${indent}found:    ${paint("red", plain(found, 600))}`);
  }
  // Why the rule that was meant did not apply is the first thing anybody asks.
  const silent = tested.rules.filter(({ applies }) => !applies);
  for (const { rule, failed } of silent) {
    await cli.print(`        ${paint("dim", `rule ${rule} does not apply: ${plain(failed ?? "", 100)}`)}`);
  }
}
