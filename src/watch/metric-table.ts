/** Every metric there is: name, kind, meaning and labels, said once for the program and for docs/metrics.md. */

interface Row {
  readonly name: string;
  /** One sentence for the operator. */
  readonly help: string;
  /** Each label takes few values: tenants, destinations, outcomes; never an address or a Message-ID. */
  readonly labels: readonly string[];
}
export type MetricRow =
  | (Row & { readonly kind: "counter" | "gauge" })
  /** Upper bounds of the buckets, in the unit of the name. */
  | (Row & { readonly kind: "histogram"; readonly buckets: readonly number[] });

/** From a delivery at once to one that waited out a CRM's night. */
const latencyMs = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 15_000, 60_000, 600_000, 3_600_000, 86_400_000];
/** A call ends within 30 s (wire), an accept within its own limit. */
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const counter = (name: string, labels: readonly string[], help: string): MetricRow => ({
  kind: "counter",
  name,
  labels,
  help,
});
const gauge = (name: string, labels: readonly string[], help: string): MetricRow => ({
  kind: "gauge",
  name,
  labels,
  help,
});
const histogram = (name: string, labels: readonly string[], buckets: readonly number[], help: string): MetricRow => ({
  kind: "histogram",
  name,
  labels,
  buckets,
  help,
});

const lane = ["tenant", "crm"];
const mailbox = ["tenant", "account"];

/** Sorted by name, as the page shows it. */
export const metricTable: readonly MetricRow[] = [
  counter(
    "accepted_total",
    ["source", "outcome"],
    "Messages taken into the ledger, by outcome: new, duplicate, conflict.",
  ),
  gauge("attachment_checking_depth", ["tenant"], "Attachments that are being checked: not kept yet, or not scanned."),
  counter(
    "attachment_store_failures_total",
    ["operation"],
    "Calls to a store of files that failed, by operation: put, open, delete; files wait for it.",
  ),
  counter(
    "attachments_processed_count",
    ["outcome"],
    "Attachments that were processed, by outcome: listed, then stored, quarantined, stripped or refused (not kept: a failure).",
  ),
  histogram("auth_seconds", [], seconds, "Duration of verifying the sender of a message, waiting for DNS included."),
  counter(
    "auth_total",
    ["mechanism", "result"],
    "What verifying senders gave: by mechanism (spf, dkim, dmarc, arc) and result (RFC 8601); each DKIM signature counts.",
  ),
  histogram(
    "crm_call_seconds",
    ["vendor", "object"],
    seconds,
    "Duration of calls to a CRM, from the first byte sent to the whole answer.",
  ),
  counter(
    "crm_calls_total",
    ["vendor", "object", "outcome"],
    "Calls to a CRM, by answer: 2xx to 5xx, 429, no_answer (it may have happened), not_sent.",
  ),
  counter(
    "crm_cost_total",
    ["vendor", "object"],
    "What calls took from a CRM's budget, in its own unit: Pipedrive's tokens, Zoho's credits.",
  ),
  gauge(
    "crm_day_budget",
    lane,
    "What a CRM's day has room for, in its own unit (calls, tokens, credits), as far as known.",
  ),
  gauge("crm_day_budget_left", lane, "What is left of a CRM's day, as the lane last saw it."),
  counter(
    "crm_unclassified_total",
    ["vendor", "status"],
    "Answers of a CRM that its connector does not know; each deserves a look.",
  ),
  gauge("dead_letter_count", lane, "Deliveries that failed and wait for a person."),
  counter("defects_total", ["where"], "Unexpected errors of Mailwright's own; each is a defect to report."),
  counter(
    "deliveries_total",
    [...lane, "outcome"],
    "Deliveries that came to an end or were put off, by the state they are in now.",
  ),
  gauge("disk_free_bytes", [], "Free bytes on the volume of the data folder, as last looked at."),
  counter(
    "file_openings_total",
    ["outcome"],
    "Links to files that were opened, by what came of it: served, served_part, redirected, head, expired, fresh, wrong_signature, busy, missing, unreadable, or the state of a file that is not served.",
  ),
  gauge("held_count", lane, "Deliveries held for review."),
  gauge(
    "imap_account_blocked",
    mailbox,
    "1 while the server refuses the login of a mailbox: nothing is read, nothing is lost.",
  ),
  gauge(
    "imap_actions_pending",
    mailbox,
    "Messages to which something that `after` asks for is still to be done on the server.",
  ),
  counter(
    "imap_actions_refused_total",
    [...mailbox, "action"],
    "Messages to which the server did not do it when asked.",
  ),
  gauge(
    "imap_connected",
    mailbox,
    "1 while a mailbox is open at its server. It says nothing of progress: see imap_folder_stalled_seconds.",
  ),
  gauge(
    "imap_coverage_at_seconds",
    mailbox,
    "When the messages of a mailbox were last held against the ledger, in seconds since 1970.",
  ),
  gauge(
    "imap_coverage_folders_unread",
    mailbox,
    "Folders of a mailbox that the nightly audit could not look at; while there are any, imap_coverage_ratio is only renewed by what is missing.",
  ),
  gauge(
    "imap_coverage_messages",
    [...mailbox, "outcome"],
    "Messages of a mailbox by what is known of them, as of the nightly audit: logged, decided, pending, before, given_up, missing.",
  ),
  gauge(
    "imap_coverage_ratio",
    mailbox,
    "Of the messages that a mailbox has at its server, those with an activity or a reason, as of the nightly audit: 1 is all.",
  ),
  counter(
    "imap_disconnects_total",
    [...mailbox, "reason"],
    "Sessions with a server that ended, by reason: connection, refused, protocol, limit, auth.",
  ),
  gauge(
    "imap_folder_behind",
    [...mailbox, "folder"],
    "UIDs between the cursor of a folder and the server's UIDNEXT; deleted ones count too.",
  ),
  counter(
    "imap_folder_refused_total",
    mailbox,
    "Looks at a folder that the server refused; the other folders are read.",
  ),
  gauge(
    "imap_folder_stalled_seconds",
    [...mailbox, "folder"],
    "Since a folder's messages were last seen to be all accounted for.",
  ),
  gauge("imap_quarantined", mailbox, "Messages that could not be fetched and were given up, with their reason."),
  counter("imap_quarantined_total", mailbox, "Messages given up since the start."),
  counter("imap_renumbered_total", mailbox, "Folders whose UIDs have come to mean something else (UIDVALIDITY)."),
  gauge("imap_waiting", mailbox, "Messages that failed to be fetched, and are tried again."),
  gauge("lane_blocked", lane, "1 while a lane is stopped until somebody mends its account; its mail waits."),
  gauge(
    "lane_old_mail_waits",
    lane,
    "1 while old mail of a lane waits, so that what is left of the CRM's day is there for live mail.",
  ),
  gauge("lane_paused", lane, "1 while a lane waits because its CRM asked for it."),
  gauge("ledger_bytes", [], "Bytes of the ledger's files on disk."),
  gauge("ledger_unarchived", [], "Settled messages whose raw bytes have not moved to the blob store yet."),
  histogram("parse_seconds", [], seconds, "Duration of a parse, reading the raw bytes included."),
  histogram(
    "parse_to_crm_latency_ms",
    lane,
    latencyMs,
    "From the stored plan of a message to its last step at the CRM.",
  ),
  counter(
    "parse_total",
    ["outcome"],
    "Parsed messages, by outcome: ok, partial (headers only, or parts missing), failed.",
  ),
  histogram(
    "preview_seconds",
    [],
    seconds,
    "Duration of making a small picture, reading the file from its store included.",
  ),
  counter(
    "previews_total",
    ["outcome"],
    "Small pictures of files, by outcome: made, or why there is none (too_many_pixels, too_large, unreadable, too_slow, too_much_memory, crashed, given_up, not_a_picture).",
  ),
  gauge("quarantine_depth", ["tenant"], "Attachments in quarantine, which wait for a person."),
  gauge("quarantine_oldest_age_seconds", ["tenant"], "Age of the oldest attachment in quarantine; 0 without one."),
  gauge("queue_depth", lane, "Deliveries that wait."),
  gauge("queue_oldest_age_seconds", lane, "Age of the oldest delivery that waits."),
  counter(
    "raw_unread_total",
    [],
    "Reads of stored raw bytes that failed; the message waits for them. Look at the disk.",
  ),
  gauge("received_depth", [], "Messages taken that wait for their parse."),
  counter(
    "reload_total",
    ["outcome"],
    "SIGHUPs, by outcome: done, or refused, when everything stays as it was and the log says why.",
  ),
  gauge(
    "review_oldest_age_seconds",
    ["tenant", "kind"],
    "Age of the oldest review that waits for a person; 0 without one.",
  ),
  gauge(
    "review_open",
    ["tenant", "kind"],
    "Reviews that wait for a person, by kind: held (nothing delivered), thread (not sure where it belongs), move (to be done by hand).",
  ),
  histogram("scan_seconds", [], seconds, "Duration of a virus scan, reading the file from its store included."),
  counter(
    "scans_total",
    ["outcome"],
    "Virus scans, by outcome: clean, infected, unscanned (no verdict; tried again), unread (its store did not give it back).",
  ),
  counter("smtp_connections_total", [], "SMTP connections that came in."),
  counter("smtp_messages_total", ["outcome"], "Messages offered over SMTP, by what they were answered."),
  gauge("smtp_open_connections", [], "SMTP connections open now."),
  histogram("smtp_receive_seconds", [], seconds, "From DATA to the answer after the final dot."),
  counter("smtp_rejections_total", ["code"], "SMTP refusals, by reply code and enhanced status."),
  counter("steps_total", ["crm", "kind", "outcome"], "Steps ensured at a CRM, by what came of them."),
  histogram(
    "webhook_delivery_latency_ms",
    lane,
    latencyMs,
    "From the stored plan of an event to the answer of the webhook it was sent to.",
  ),
];

/** What is derived from the table by deploy/prometheus/rules.yaml, since a rate cannot be emitted. */
const recorded: readonly (readonly [string, string])[] = [
  [
    "crm_error_rate",
    "Share of CRM calls of the last 5 minutes that were answered 429 or 5xx, or not at all, per vendor. A 4xx is not among them: " +
      "looking for a record that is not there yet ends in one. What a 4xx stops shows in `dead_letter_count` and `lane_blocked`.",
  ],
  ["idempotent_dedup_rate", "Share of messages of the last 5 minutes that were known already, per source."],
];

/** docs/metrics.md, generated. */
export function metricsPage(): string {
  const code = (text: string): string => `\`${text}\``;
  const row = ({ name, kind, labels, help }: MetricRow): string =>
    `| ${code(name)} | ${kind} | ${labels.map(code).join(", ")} | ${help} |`;
  return `# Metrics

\`GET /metrics\` on the HTTP port answers in the Prometheus text format. This page is generated from
\`src/watch/metric-table.ts\`; a name or label that is not in it cannot be emitted. No label ever carries an address, a subject or a
Message-ID, and no metric grows beyond 5,000 series: further ones are counted under \`other\`.

| name | type | labels | meaning |
|---|---|---|---|
${metricTable.map(row).join("\n")}

\`tenant\` is the tenant's id, \`crm\` the id of the destination within it, as in the configuration; \`vendor\` is its type.
Beside these there are the usual ones of a Node.js process: \`process_*\` (CPU, memory, open files, start time) and \`nodejs_*\`
(event loop, heap, garbage collection).

## Recorded by Prometheus

\`deploy/prometheus/rules.yaml\` has these as recording rules, together with alerts on dead letters, blocked lanes and mailboxes, age of the backlog,
free disk, defects, failed parses and the share of failing CRM calls. \`promtool test rules deploy/prometheus/rules_test.yaml\` tries
every one of them.

| name | meaning |
|---|---|
${recorded.map(([name, meaning]) => `| ${code(name)} | ${meaning} |`).join("\n")}
`;
}
