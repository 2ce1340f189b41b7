/** How a command ends: the exit codes that scripts may rely on, and the one error that carries them. */

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  configuration: 3,
  /** Some of what was asked for was done, and some could not be. */
  partly: 4,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends a command with a sentence that says what, where and what to do. */
export class Failed extends Error {
  override readonly name = "Failed";
  readonly exitCode: ExitCode;
  constructor(message: string, exitCode: ExitCode = exitCodes.failed, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export const usage = (message: string): Failed => new Failed(message, exitCodes.usage);

/** A thrown value as one sentence for a person. */
export function sentenceOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
