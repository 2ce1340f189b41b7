/** Every metric there is: name, kind, meaning and labels, said once for the program and for docs/metrics.md. */

export interface MetricRow {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  /** One sentence for the operator. */
  readonly help: string;
  /** Each label takes few values: tenants, destinations, outcomes; never an address or a Message-ID. */
  readonly labels: readonly string[];
  /** Upper bounds, in the unit of the name. */
  readonly buckets?: readonly number[];
}

const milliseconds = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 15_000, 60_000, 600_000];
const seconds = [0.001, 0.005, 0.025, 0.1, 0.25, 1, 2.5, 10, 30];

export const metricTable: readonly MetricRow[] = [
  {
    name: "accepted_total",
    kind: "counter",
    help: "Messages taken into the ledger; outcome duplicate over all is idempotent_dedup_rate.",
    labels: ["source", "outcome"],
  },
  {
    name: "attachments_processed_count",
    kind: "counter",
    help: "Attachments seen by the parse, by outcome.",
    labels: ["outcome"],
  },
  {
    name: "crm_call_seconds",
    kind: "histogram",
    help: "Duration of calls to a CRM.",
    labels: ["vendor", "object"],
    buckets: seconds,
  },
  {
    name: "crm_calls_total",
    kind: "counter",
    help: "Calls to a CRM by what came of them; the share of errors is crm_error_rate.",
    labels: ["vendor", "object", "outcome"],
  },
  {
    name: "crm_unclassified_total",
    kind: "counter",
    help: "Answers of a CRM that its connector does not know; each deserves a look.",
    labels: ["vendor", "status"],
  },
  {
    name: "dead_letter_count",
    kind: "gauge",
    help: "Deliveries that wait for a person, per lane.",
    labels: ["tenant", "crm"],
  },
  {
    name: "defects_total",
    kind: "counter",
    help: "Unexpected errors of Mailwright's own; each is a defect to report.",
    labels: ["where"],
  },
  {
    name: "deliveries_total",
    kind: "counter",
    help: "Turns of deliveries by the state they ended in.",
    labels: ["tenant", "crm", "outcome"],
  },
  { name: "disk_free_bytes", kind: "gauge", help: "Free bytes on the volume of the data folder.", labels: [] },
  { name: "held_count", kind: "gauge", help: "Deliveries held in review, per lane.", labels: ["tenant", "crm"] },
  {
    name: "lane_blocked",
    kind: "gauge",
    help: "1 while a lane is stopped until an operator mends its account.",
    labels: ["tenant", "crm"],
  },
  {
    name: "lane_paused",
    kind: "gauge",
    help: "1 while a lane waits because its CRM asked for it.",
    labels: ["tenant", "crm"],
  },
  { name: "ledger_bytes", kind: "gauge", help: "Bytes of the ledger's files.", labels: [] },
  {
    name: "ledger_unarchived",
    kind: "gauge",
    help: "Settled messages whose raw bytes are still in the ledger or the spool.",
    labels: [],
  },
  {
    name: "parse_seconds",
    kind: "histogram",
    help: "Duration of a parse, reading the raw bytes included.",
    labels: [],
    buckets: seconds,
  },
  {
    name: "parse_to_crm_latency_ms",
    kind: "histogram",
    help: "From the committed plan of a message to its last step at the CRM.",
    labels: ["tenant", "crm"],
    buckets: milliseconds,
  },
  {
    name: "parse_total",
    kind: "counter",
    help: "Parsed messages by outcome: ok, partial, failed.",
    labels: ["outcome"],
  },
  { name: "queue_depth", kind: "gauge", help: "Deliveries that wait, per lane.", labels: ["tenant", "crm"] },
  {
    name: "queue_oldest_age_seconds",
    kind: "gauge",
    help: "Age of the oldest waiting delivery, per lane.",
    labels: ["tenant", "crm"],
  },
  { name: "received_depth", kind: "gauge", help: "Messages that wait for their parse.", labels: [] },
  { name: "smtp_connections_total", kind: "counter", help: "SMTP connections opened.", labels: [] },
  {
    name: "smtp_messages_total",
    kind: "counter",
    help: "Messages offered over SMTP by what they were answered.",
    labels: ["outcome"],
  },
  { name: "smtp_open_connections", kind: "gauge", help: "SMTP connections open now.", labels: [] },
  {
    name: "smtp_receive_seconds",
    kind: "histogram",
    help: "From DATA to the answer after the final dot.",
    labels: [],
    buckets: seconds,
  },
  { name: "smtp_rejections_total", kind: "counter", help: "SMTP refusals by reply code.", labels: ["code"] },
  {
    name: "steps_total",
    kind: "counter",
    help: "Steps ensured at a CRM by what came of them.",
    labels: ["crm", "kind", "outcome"],
  },
  {
    name: "webhook_delivery_latency_ms",
    kind: "histogram",
    help: "Duration of deliveries to a webhook of the user's.",
    labels: ["tenant", "crm"],
    buckets: milliseconds,
  },
];

/** docs/metrics.md, generated. */
export function metricsPage(): string {
  const rows = metricTable.map(
    ({ name, kind, help, labels }) =>
      `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`,
  );
  return [
    "# Metrics",
    "",
    "Served at `/metrics` in the Prometheus text format.",
    "",
    "| name | kind | labels | meaning |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
