/** Time, chance, logging and measuring, as the rest of the program sees them; a simulation can own every one. */

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after `ms`, or at once (without an error) when the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** Uniform in [0, 1). */
  unit(): number;
  /** RFC 9562 version 7 identifier for the time given (epoch ms). */
  uuid(now: number): string;
}

/** Values that may stand in a log line. Never a body, a subject or an address: `redact` in watch/ is the second line of defence. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined | Error>>;

export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A log whose every line carries these fields (an event_id, a lane). */
  with(fields: LogFields): Log;
}

/** Prometheus label values: bounded sets only, never a Message-ID or an address. */
export type Labels = Readonly<Record<string, string>>;

/** Names are the metric names published in docs/metrics.md. An unknown name is a defect and throws. */
export interface Metrics {
  count(name: string, labels?: Labels, by?: number): void;
  observe(name: string, value: number, labels?: Labels): void;
  gauge(name: string, value: number, labels?: Labels): void;
}

/** Seals bytes at rest: AES-256-GCM under a fresh data key per call, wrapped by the master key that `keyId` names. */
export interface Sealer {
  readonly keyId: string;
  /** Small values in one piece. `label` says what this is; it is sealed too, and handed back by `open`. */
  seal(plain: Uint8Array, label: string): Uint8Array;
  /** Throws SealBroken when a byte was changed or the master key is not the one it was sealed with. */
  open(sealed: Uint8Array): { plain: Uint8Array; label: string };
  /** The same format as a stream, for files: constant memory. */
  sealStream(label: string): TransformStream<Uint8Array, Uint8Array>;
  openStream(): TransformStream<Uint8Array, Uint8Array>;
}

/** Keyed hashes: what was hashed can be compared and not be read, not even by trying all addresses there are. */
export interface Hasher {
  /** 20 characters. `kind` keeps an address and a subject of the same letters apart. */
  hash(kind: string, text: string): string;
}
