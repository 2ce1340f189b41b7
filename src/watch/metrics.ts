/** Counts and measures for Prometheus, by the names of the table and by no others. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Labels, Metrics } from "../model/ports.ts";
import { metricTable } from "./metric-table.ts";

export interface OpenMetrics extends Metrics {
  readonly contentType: string;
  /** Everything in the Prometheus text format. */
  text(): Promise<string>;
}

export function openMetrics(): OpenMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  for (const { name, kind, help, labels, buckets } of metricTable) {
    const common = { name, help, labelNames: [...labels], registers: [registry] };
    if (kind === "counter") counters.set(name, new Counter(common));
    else if (kind === "gauge") gauges.set(name, new Gauge(common));
    else
      histograms.set(name, new Histogram({ ...common, ...(buckets === undefined ? {} : { buckets: [...buckets] }) }));
  }
  return {
    contentType: registry.contentType,
    count: (name, labels = {}, by = 1) => named(counters, name).inc({ ...labels }, by),
    observe: (name, value, labels = {}) => named(histograms, name).observe({ ...labels }, value),
    gauge: (name, value, labels: Labels = {}) => named(gauges, name).set({ ...labels }, value),
    text: () => registry.metrics(),
  };
}

function named<T>(metrics: ReadonlyMap<string, T>, name: string): T {
  const metric = metrics.get(name);
  if (metric === undefined) throw new RangeError(`there is no such metric: ${name}; add it to watch/metric-table.ts`);
  return metric;
}
