/** MEMORY: delivered mails that a person is asked to compare with what the CRM holds. Part of the second interface of the store (DESIGN section 5). */

/** right: the CRM shows what it should. wrong: it does not; the note says what. */
export const sampleAnswers = ["right", "wrong"] as const;
export type SampleAnswer = (typeof sampleAnswers)[number];

export interface SampleRow {
  /** Order of arrival of its message, for the next page. */
  readonly seq: number;
  readonly eventId: string;
  readonly messageId: string | null;
  readonly tenant: string;
  /** When it was drawn: with its delivery. */
  readonly at: number;
  readonly resolved: {
    readonly at: number;
    readonly by: string;
    readonly as: SampleAnswer;
    readonly note: string | null;
  } | null;
}

export interface Samples {
  /** Newest first; open ones unless said otherwise. */
  samples(query: {
    readonly event?: string;
    readonly tenant?: string;
    readonly which?: "open" | "resolved" | "all";
    readonly limit: number;
    readonly before?: number;
  }): Promise<readonly SampleRow[]>;
  /** A later answer takes the place of the one before. False where the message was not sampled. */
  answerSample(answer: {
    readonly eventId: string;
    readonly as: SampleAnswer;
    readonly by: string;
    readonly note: string | null;
    readonly now: number;
  }): Promise<boolean>;
}
