/** What a command is given of the process it runs in: streams, environment, time and signals. A test hands in its own. */
import type { Clock } from "../model/ports.ts";

export interface Output {
  /** Resolves when the text has been handed to the system. Never rejects: a reader that went away wants no more. */
  write(text: string): Promise<void>;
  readonly isTerminal: boolean;
  /** Characters a line, where that is known. */
  readonly columns: number | undefined;
}

export type SignalName = "SIGTERM" | "SIGINT" | "SIGHUP";

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Who runs it, as the system knows that user. */
  readonly user: string;
  readonly clock: Clock;
  readonly stdin: AsyncIterable<Uint8Array> & {
    readonly isTerminal: boolean;
    /** Whether keys are shown and lines gathered by the terminal; absent where it is none. */
    setRaw?(raw: boolean): void;
  };
  readonly stdout: Output;
  readonly stderr: Output;
  onSignal(name: SignalName, heard: () => void): void;
  /** An exception or rejection that nobody caught. */
  onUncaught(heard: (error: unknown) => void): void;
  /** Ends the process at once. */
  exit(code: number): never;
}
