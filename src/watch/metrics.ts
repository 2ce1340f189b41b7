/** Counts and measures for Prometheus, by the names and labels of the table and by no others. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Labels, Metrics } from "../model/ports.ts";
import { type MetricRow, metricTable } from "./metric-table.ts";

export interface OpenMetrics extends Metrics {
  readonly contentType: string;
  /** Everything in the Prometheus text format. */
  text(): Promise<string>;
}

export interface MetricsOptions {
  /** Default: the table of the product. */
  readonly table?: readonly MetricRow[];
  /** Whether the process itself is measured too (memory, event loop, garbage collection). Default true. */
  readonly process?: boolean;
}

/** More than a large installation's tenants times destinations times outcomes; beyond it new label values are counted as `other`. */
const mostSeries = 5_000;
const maxLabelChars = 100;

/** Unknown names, missing or surplus labels, the wrong kind and values that are no number are defects and throw TypeError or RangeError. */
export function openMetrics({ table = metricTable, process = true }: MetricsOptions = {}): OpenMetrics {
  const registry = new Registry();
  if (process) collectDefaultMetrics({ register: registry });
  const counters = new Map<string, Measured<Counter>>();
  const gauges = new Map<string, Measured<Gauge>>();
  const histograms = new Map<string, Measured<Histogram>>();
  for (const row of table) {
    const common = { name: row.name, help: row.help, labelNames: [...row.labels], registers: [registry] };
    const labels = openLabels(row);
    switch (row.kind) {
      case "counter":
        counters.set(row.name, { metric: new Counter(common), labels });
        break;
      case "gauge":
        gauges.set(row.name, { metric: new Gauge(common), labels });
        break;
      case "histogram":
        histograms.set(row.name, { metric: new Histogram({ ...common, buckets: [...row.buckets] }), labels });
        break;
      default:
        row satisfies never;
    }
  }
  return {
    contentType: registry.contentType,
    count(name, labels, by = 1) {
      const found = named(counters, name, "counter");
      found.metric.inc(found.labels(labels), finite(name, by));
    },
    observe(name, value, labels) {
      const found = named(histograms, name, "histogram");
      // A clock that was set back makes a duration negative; the sum of a histogram must never fall.
      found.metric.observe(found.labels(labels), Math.max(0, finite(name, value)));
    },
    gauge(name, value, labels) {
      const found = named(gauges, name, "gauge");
      found.metric.set(found.labels(labels), finite(name, value));
    },
    text: () => registry.metrics(),
  };
}

interface Measured<T> {
  readonly metric: T;
  readonly labels: (given: Labels | undefined) => Record<string, string>;
}

function named<T>(metrics: ReadonlyMap<string, T>, name: string, kind: string): T {
  const metric = metrics.get(name);
  if (metric === undefined) {
    throw new TypeError(`there is no ${kind} named ${name}; every metric stands in watch/metric-table.ts`);
  }
  return metric;
}

function finite(name: string, value: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`the metric ${name} was given ${value}`);
  return value;
}

/** Checks the labels of one metric where they are new, and keeps the number of its series bounded whatever values come in. */
function openLabels({ name, labels }: MetricRow): (given: Labels | undefined) => Record<string, string> {
  const seen = new Map<string, Record<string, string>>();

  function checked(given: Labels): Record<string, string> {
    const values: Record<string, string> = {};
    for (const label of labels) {
      const value = given[label];
      if (value === undefined) throw new TypeError(`the metric ${name} needs the label ${label}`);
      values[label] = value.slice(0, maxLabelChars).toWellFormed();
    }
    for (const label in given) {
      if (!labels.includes(label)) throw new TypeError(`the metric ${name} has no label ${label}`);
    }
    return values;
  }

  return (given = {}) => {
    // With the lengths, so that no value can pass for another label.
    let key = "";
    for (const label in given) {
      const value = String(given[label]).slice(0, maxLabelChars);
      key += `${label}=${value.length}:${value};`;
    }
    const known = seen.get(key);
    if (known !== undefined) return known;
    const values = checked(given);
    if (labels.length > 0 && seen.size >= mostSeries)
      return Object.fromEntries(labels.map((label) => [label, "other"]));
    seen.set(key, values);
    return values;
  };
}
