/** SETTINGS of the SMTP source: the `smtp:` section of the configuration. */
import { z } from "zod";

const seconds = z.number().positive();
const count = z.number().int().positive();
const countOrOff = z.number().int().nonnegative();

const limits = z.strictObject({
  connections: count.default(1000).describe("Open connections in all; one more is answered 421 4.7.0."),
  connections_per_ip: countOrOff
    .default(20)
    .describe("Open connections per client address (IPv6: per /64); 421 4.7.0 beyond. 0 means no limit."),
  connection_rate_per_minute: countOrOff
    .default(60)
    .describe("New connections per minute and client address (IPv6: per /64); 421 4.7.0 beyond. 0 means no limit."),
  recipients: count.default(100).describe("RCPT commands per message, refused ones included; 452 4.5.3 beyond."),
  command_bytes: z.number().int().min(512).max(8192).default(2048).describe("Longest command line; 500 5.5.2 beyond."),
  errors: count.default(10).describe("Bad commands answered 5xx before the next one gets 421 4.7.0."),
  commands: count.default(1000).describe("Commands that move no mail (NOOP, RSET, VRFY...) before 421 4.7.0."),
  session_seconds: seconds.default(600).describe("Longest life of a connection, busy or idle; then 421 4.4.2."),
  command_seconds: seconds
    .default(60)
    .describe("Time for a whole command to arrive, however its bytes drip; then 421 4.4.2."),
  idle_seconds: seconds
    .default(60)
    .describe("Time without a single byte; then 421 4.4.2. Halved while over 80 % of `connections` are open."),
  min_data_rate: countOrOff
    .default(500)
    .describe("Least bytes per second of message data, over `data_rate_seconds`; 421 4.4.2 below. 0 means no limit."),
  data_rate_seconds: seconds.default(30).describe("The window over which `min_data_rate` is judged."),
  accept_seconds: seconds
    .default(30)
    .describe("Longest wait for our own store after the end of a message; then 451 4.3.0 and the sender tries again."),
  tarpit_ms: z
    .number()
    .int()
    .nonnegative()
    .default(1000)
    .describe("Delay in milliseconds of every further RCPT reply after 5 refused recipients on a connection."),
});

export const smtpSettings = z
  .strictObject({
    host: z.string().default("0.0.0.0").describe("Address to listen on."),
    port: z
      .number()
      .int()
      .min(0)
      .max(65535)
      .default(2525)
      .describe("Port to listen on; 0 picks a free one and logs it."),
    name: z
      .string()
      .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?$/, "must be a host name")
      .optional()
      .describe("Host name in the greeting and the EHLO answer; default: the machine's own."),
    greeting_delay_ms: z
      .number()
      .int()
      .min(0)
      .max(60_000)
      .default(0)
      .describe(
        "Pause in milliseconds before the greeting. A client that talks before it is refused; 100 stops simple bots.",
      ),
    tls: z
      .strictObject({
        cert: z.string().min(1).describe("PEM file with the certificate and its chain."),
        key: z.string().min(1).describe("PEM file with the private key."),
      })
      .optional()
      .describe("Certificate for STARTTLS, taken again when the files change. Without it STARTTLS is not offered."),
    bare_newline: z
      .enum(["accept", "refuse"])
      .default("accept")
      .describe(
        "Lines that do not end with CRLF: stored exactly as they came, or refused (500 in commands, 550 5.6.11 in messages).",
      ),
    limits: limits.prefault({}).describe("What one client, and all of them together, may use."),
  })
  .describe("The SMTP listener.");

export type SmtpSettings = z.infer<typeof smtpSettings>;
export type SmtpLimits = SmtpSettings["limits"];
