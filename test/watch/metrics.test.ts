import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type MetricRow, metricsPage, metricTable } from "../../src/watch/metric-table.ts";
import { openMetrics } from "../../src/watch/metrics.ts";

const lane = { tenant: "acme", crm: "crm" };

async function shown(metrics: { text(): Promise<string> }, name: string): Promise<string[]> {
  return (await metrics.text()).split("\n").filter((line) => line.startsWith(name));
}

describe("metrics", () => {
  test("are shown in the Prometheus text format, with help and type", async () => {
    const metrics = openMetrics({ process: false });
    metrics.count("accepted_total", { source: "smtp", outcome: "new" });
    metrics.count("accepted_total", { source: "smtp", outcome: "new" }, 2);
    metrics.gauge("queue_depth", 7, lane);
    metrics.gauge("queue_depth", 3, lane);
    metrics.observe("parse_seconds", 0.02);
    const text = await metrics.text();
    expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toContain("# TYPE accepted_total counter");
    expect(text).toContain('accepted_total{source="smtp",outcome="new"} 3');
    expect(text).toContain('queue_depth{tenant="acme",crm="crm"} 3');
    expect(text).toContain('parse_seconds_bucket{le="0.025"} 1');
    expect(text).toContain('parse_seconds_bucket{le="0.01"} 0');
    expect(text).toContain("parse_seconds_sum 0.02");
  });

  test("of the process come along, unless they are not wanted", async () => {
    expect(await shown(openMetrics(), "process_resident_memory_bytes")).toHaveLength(1);
    expect(await shown(openMetrics({ process: false }), "process_")).toEqual([]);
  });

  test("without labels begin at 0, so that the first increase is seen", async () => {
    expect(await shown(openMetrics({ process: false }), "smtp_connections_total")).toEqual([
      "smtp_connections_total 0",
    ]);
  });

  test("of two registries do not mix", async () => {
    const [one, two] = [openMetrics({ process: false }), openMetrics({ process: false })];
    one.count("smtp_connections_total");
    expect(await shown(two, "smtp_connections_total")).toEqual(["smtp_connections_total 0"]);
  });

  test("that do not stand in the table, or are of another kind there, are defects", () => {
    const metrics = openMetrics({ process: false });
    expect(() => metrics.count("made_up_total")).toThrow(/no counter named made_up_total/);
    expect(() => metrics.count("queue_depth", lane)).toThrow(TypeError);
    expect(() => metrics.gauge("parse_seconds", 1)).toThrow(TypeError);
    expect(() => metrics.observe("accepted_total", 1)).toThrow(TypeError);
    expect(() => metrics.gauge("constructor", 1)).toThrow(TypeError);
  });

  test("with a label missing or too many are defects", () => {
    const metrics = openMetrics({ process: false });
    expect(() => metrics.gauge("queue_depth", 1, { tenant: "acme" })).toThrow(/queue_depth needs the label crm/);
    expect(() => metrics.gauge("queue_depth", 1)).toThrow(/needs the label tenant/);
    expect(() => metrics.gauge("queue_depth", 1, { ...lane, message_id: "<a@b>" })).toThrow(/has no label message_id/);
    expect(() => metrics.count("smtp_connections_total", { from: "a@b" })).toThrow(/has no label from/);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("that were given %d are defects", (value) => {
    const metrics = openMetrics({ process: false });
    expect(() => metrics.gauge("ledger_bytes", value)).toThrow(RangeError);
    expect(() => metrics.observe("parse_seconds", value)).toThrow(RangeError);
    expect(() => metrics.count("smtp_connections_total", {}, value)).toThrow(RangeError);
  });

  test("that count cannot count down", () => {
    expect(() => openMetrics({ process: false }).count("smtp_connections_total", {}, -1)).toThrow();
  });

  test("of time take a clock that was set back for no time at all", async () => {
    const metrics = openMetrics({ process: false });
    metrics.observe("parse_seconds", -3_600);
    expect(await shown(metrics, "parse_seconds_sum")).toEqual(["parse_seconds_sum 0"]);
    expect(await shown(metrics, "parse_seconds_count")).toEqual(["parse_seconds_count 1"]);
  });

  test("stay bounded when a label takes value after value", async () => {
    const table: MetricRow[] = [{ kind: "counter", name: "x_total", help: "x", labels: ["who"] }];
    const metrics = openMetrics({ table, process: false });
    for (let value = 0; value < 6_000; value += 1) metrics.count("x_total", { who: `value ${value}` });
    metrics.count("x_total", { who: "value 3" });
    const lines = await shown(metrics, "x_total");
    expect(lines).toHaveLength(5_001);
    expect(lines).toContain('x_total{who="other"} 1000');
    expect(lines).toContain('x_total{who="value 3"} 2');
  });

  test("cut hostile label values, and escape them", async () => {
    const metrics = openMetrics({ process: false });
    metrics.count("smtp_rejections_total", { code: `550"} 1\nfake_total 1 ${"x".repeat(1_000)}\ud800` });
    const [line = ""] = await shown(metrics, "smtp_rejections_total");
    expect(line.length).toBeLessThan(150);
    expect(line).toContain('550\\"} 1\\nfake_total');
  });
});

describe("the table", () => {
  test("names every metric once, sorted, in Prometheus' letters, with a sentence of help", () => {
    const names = metricTable.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)].sort());
    for (const { name, labels, help } of metricTable) {
      expect([name, ...labels].join(" ")).toMatch(/^[a-z][a-z0-9_ ]*$/);
      expect(help).toMatch(/^[A-Z0-9].*\.$/);
    }
  });

  test("has buckets in ascending order", () => {
    for (const row of metricTable) {
      if (row.kind === "histogram") expect(row.buckets).toEqual([...row.buckets].sort((a, b) => a - b));
    }
  });

  test("has no label that could name a person or a message", () => {
    const labels = new Set(metricTable.flatMap((row) => row.labels));
    const allowed = [
      "mechanism",
      "result",
      "tenant",
      "crm",
      "vendor",
      "object",
      "source",
      "outcome",
      "kind",
      "where",
      "code",
      "status",
      "operation",
      // Of a mailbox: its id, a folder that the configuration asks for, and one of our own words.
      "account",
      "folder",
      "action",
      "reason",
    ];
    expect([...labels].filter((label) => !allowed.includes(label))).toEqual([]);
  });

  test.each([
    "parse_to_crm_latency_ms",
    "webhook_delivery_latency_ms",
    "attachments_processed_count",
    "dead_letter_count",
    "queue_depth",
    "queue_oldest_age_seconds",
    "crm_calls_total",
    "accepted_total",
  ])("has %s, which dashboards rely on", (name) => {
    expect(metricTable.map((row) => row.name)).toContain(name);
  });

  test("is what docs/metrics.md says", () => {
    const page = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");
    expect(page).toBe(metricsPage());
    for (const { name } of metricTable) expect(page).toContain(`| \`${name}\` |`);
  });
});
