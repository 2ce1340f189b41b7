/** deploy/prometheus: what the rules speak of exists, every rule is tried, and promtool agrees where it is installed. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { metricsPage, metricTable } from "../../src/watch/metric-table.ts";

const folder = fileURLToPath(new URL("../../deploy/prometheus/", import.meta.url));
const rules = readFileSync(`${folder}rules.yaml`, "utf8");
const trials = readFileSync(`${folder}rules_test.yaml`, "utf8");

const recorded = [...rules.matchAll(/- record: (\w+)/g)].map(([, name = ""]) => name);
const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = ""]) => name);
const expressions = [...rules.matchAll(/expr: (?:\|\n((?: {10,}.*\n)+)|(.*))/g)].map(
  ([, block, line]) => block ?? line ?? "",
);

const words = new Set("sum by rate increase or and unless offset predict_linear deriv".split(" "));

describe("the rules for Prometheus", () => {
  test("record the rates that dashboards rely on, and the page tells of them", () => {
    expect(recorded).toEqual(["crm_error_rate", "idempotent_dedup_rate"]);
    for (const name of recorded) expect(metricsPage()).toContain(`| \`${name}\` |`);
  });

  test("speak of no metric and no label that is not in the table", () => {
    expect(expressions).toHaveLength(recorded.length + alerts.length);
    const names = new Map(metricTable.map(({ name, labels }) => [name, labels]));
    for (const name of recorded) names.set(name, []);
    for (const expression of expressions) {
      const known = new Set([...words, ...names.keys(), "instance", ...[...names.values()].flat()]);
      const bare = expression.replaceAll(/"[^"]*"|\[[^\]]*\]|offset \w+|\b\d[\de.]*\b/g, "");
      const unknown = [...bare.matchAll(/[a-z_]\w*/g)].map(([word]) => word).filter((word) => !known.has(word));
      expect(unknown).toEqual([]);
      for (const [, name = "", label = ""] of expression.matchAll(/(\w+)\{(\w+)=/g))
        expect(names.get(name)).toContain(label);
    }
  });

  test("are each tried, alerting and silent", () => {
    for (const name of [...recorded, ...alerts]) expect(trials).toContain(name);
  });

  const promtool = spawnSync("promtool", ["--version"]).status === 0;
  test.skipIf(!promtool)("pass promtool (Debian: apt-get install prometheus)", () => {
    const checked = spawnSync("promtool", ["check", "rules", `${folder}rules.yaml`], { encoding: "utf8" });
    expect(`${checked.stdout}${checked.stderr}`).toContain(`SUCCESS: ${recorded.length + alerts.length} rules found`);
    const tried = spawnSync("promtool", ["test", "rules", `${folder}rules_test.yaml`], { encoding: "utf8" });
    expect({ status: tried.status, output: `${tried.stdout}${tried.stderr}` }).toMatchObject({ status: 0 });
  });
});
