/** Configurations for tests: written to a folder of their own, loaded with an environment that the test makes up. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { BadConfiguration, loadSettings, type Problem, type Settings } from "../../src/settings/index.ts";

export const tenantLines = 'tenants:\n  - id: acme\n    recipients: ["*@inbound.example.com"]\n';

/** A folder that is gone after the test. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "mailwright-settings-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

export function written(text: string, inFolder = folder()): string {
  const file = join(inFolder, "mailwright.yaml");
  writeFileSync(file, text);
  return file;
}

export function load(text: string, env: Record<string, string> = {}): Settings {
  return loadSettings(written(text), env);
}

/** What is wrong with a configuration: the problems as data, and as the user reads them without the folder's name. */
export function refusal(
  text: string,
  env: Record<string, string> = {},
): { problems: readonly Problem[]; message: string } {
  const file = written(text);
  try {
    loadSettings(file, env);
  } catch (error) {
    if (!(error instanceof BadConfiguration)) throw error;
    return { problems: error.problems, message: error.message.replaceAll(file, "mailwright.yaml") };
  }
  throw new Error("the configuration was not refused");
}
