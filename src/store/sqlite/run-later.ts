/** Whether a later run has a message, which nobody took back: then its plan is that one's, and an earlier one that goes on leaves it alone. */

/** A condition of SQL. `event` and `run` are expressions; the run itself is an earlier one, or its undo. */
export const inLaterRun = (event: string, run: string): string => `EXISTS (
  SELECT 1 FROM run_event other INDEXED BY run_event_of JOIN run r ON r.id = other.run AND r.kind = 'apply'
    WHERE other.event = ${event} AND other.run > ${run}
      AND NOT EXISTS (SELECT 1 FROM run u INDEXED BY run_of WHERE u.of = r.id AND u.state = 'done'))`;
