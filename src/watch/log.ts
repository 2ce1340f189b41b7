/** Writes the log: one line of JSON each, every value redacted, the fields of a message's life on every line of it. */
import { destination as openDestination, pino } from "pino";
import type { Log, LogFields } from "../model/ports.ts";
import { messageIdField, redact } from "./redact.ts";

export interface LogOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  /** 1 is standard output, where the daemon logs; 2 standard error, where commands talk. Default 1. */
  readonly fd?: 1 | 2;
  /** Another place for the lines, for tests. */
  readonly write?: (line: string) => void;
}

export function openLog({ level, fd = 1, write }: LogOptions): Log {
  // Written at once: a line that explains a crash must not be in a buffer when it comes.
  const sink = write === undefined ? openDestination({ fd, sync: true }) : { write };
  const base = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date(Date.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
  return wrapped(base);
}

type Line = (fields: object, message: string) => void;

function wrapped(base: { debug: Line; info: Line; warn: Line; error: Line; child(fields: object): typeof base }): Log {
  return {
    debug: (fields, message) => base.debug(safe(fields), message),
    info: (fields, message) => base.info(safe(fields), message),
    warn: (fields, message) => base.warn(safe(fields), message),
    error: (fields, message) => base.error(safe(fields), message),
    with: (fields) => wrapped(base.child(safe(fields))),
  };
}

function safe(fields: LogFields): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (value instanceof Error) made[name] = errorFields(value);
    else if (typeof value !== "string") made[name] = value;
    else made[name] = name === "message_id" ? messageIdField(value) : redact(value);
  }
  return made;
}

function errorFields(error: Error): Record<string, unknown> {
  return {
    type: error.name,
    message: redact(error.message),
    stack: error.stack === undefined ? undefined : redact(error.stack.split("\n").slice(1, 6).join(" | ")),
    ...("code" in error && typeof error.code === "string" ? { code: redact(error.code) } : {}),
    ...(error.cause instanceof Error ? { cause: errorFields(error.cause) } : {}),
  };
}
