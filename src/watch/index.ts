/** EYES as others see them: the log and the metrics. */
export { type LogOptions, openLog } from "./log.ts";
export { metricsPage } from "./metric-table.ts";
export { type OpenMetrics, openMetrics } from "./metrics.ts";
export { registerSecret } from "./redact.ts";
