/** Writes the log: one line of JSON each, every value redacted, the fields of a message's life on every line of it. */
import { type Logger, pino, stdTimeFunctions } from "pino";
import type { Clock, Log, LogFields } from "../model/ports.ts";
import { processRedactor, type Redactor } from "./redact.ts";
import { openSink } from "./sink.ts";

export interface LogOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  /** 1 is standard output, where the daemon logs; 2 standard error, where commands talk. Default 1. */
  readonly fd?: number;
  /** Another place for the lines instead of `fd`. */
  readonly write?: (line: string) => void;
  /** Default: the secrets registered for this process. */
  readonly redactor?: Redactor;
  /** Default: the system's. */
  readonly clock?: Pick<Clock, "now">;
}

/**
 * A line is on its descriptor when the call returns: what explains a crash is never in a buffer when the crash comes, and there is nothing
 * to flush on any way out.
 */
export function openLog({ level, fd = 1, write, redactor = processRedactor, clock }: LogOptions): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp:
        clock === undefined ? stdTimeFunctions.isoTime : () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      // Errors are told by errorFields below, whatever the field is called; pino has a way of its own for `err`.
      serializers: { err: (told: unknown) => told },
    },
    write === undefined ? openSink(fd) : { write },
  );
  return wrapped(logger, redactor);
}

type Fields = Record<string, unknown>;

const nothing = (): Fields => Object.create(null);

/**
 * `bound` stands before the fields of every line; a field of the line wins over one of the same name. Made safe with the first line: a log is
 * bound for every message, and most say nothing.
 */
function wrapped(logger: Logger, redactor: Redactor, bound: () => Fields = nothing): Log {
  const at = (level: "debug" | "info" | "warn" | "error") => (fields: LogFields, message: string) => {
    // Before the work of redacting: most debug lines are never written.
    if (!logger.isLevelEnabled(level)) return;
    logger[level](joined(bound(), safeFields(fields, redactor)), redactor.text(message));
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with(fields) {
      let safe: Fields | undefined;
      return wrapped(logger, redactor, () => {
        safe ??= joined(bound(), safeFields(fields, redactor));
        return safe;
      });
    },
  };
}

/** Without a prototype, so that no name of a field means anything. */
function joined(...parts: readonly Fields[]): Fields {
  return Object.assign(Object.create(null), ...parts);
}

/** pino's own fields; a second one of the same name would leave it to the reader which of the two counts. */
const reserved = new Set(["level", "time", "msg"]);

function safeFields(fields: LogFields, redactor: Redactor): Fields {
  const safe: Fields = Object.create(null);
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    safe[reserved.has(name) ? `${name}_` : name] = safeValue(name, value, redactor);
  }
  return safe;
}

function safeValue(name: string, value: string | number | boolean | null | Error, redactor: Redactor): unknown {
  if (value instanceof Error) return errorFields(value, redactor);
  if (typeof value !== "string") return value;
  return name === "message_id" ? redactor.messageId(value) : redactor.text(value);
}

const mostFrames = 10;
const mostCauses = 4;

function errorFields(error: Error, redactor: Redactor, depth = 1): Record<string, unknown> {
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  const causes = error instanceof AggregateError ? error.errors.slice(0, mostCauses) : [error.cause];
  const told = causes.filter((cause) => cause instanceof Error && depth < mostCauses);
  return {
    type: redactor.text(error.name),
    message: redactor.text(error.message),
    ...("code" in error && typeof error.code === "string" ? { code: redactor.text(error.code) } : {}),
    stack: redactor.text(
      frames
        .slice(0, mostFrames)
        .map((frame) => frame.trim())
        .join(" | "),
    ),
    ...(told.length === 0 ? {} : { causes: told.map((cause) => errorFields(cause, redactor, depth + 1)) }),
  };
}
