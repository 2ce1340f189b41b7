/** HOUSE: what all connections of a listener share. */
import type { Intake, SourcePorts } from "../../model/source.ts";
import type { Admission } from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import type { SmtpSettings } from "./settings.ts";

/** What a connection needs to know of the world around it. */
export interface House {
  readonly settings: SmtpSettings;
  readonly intake: Intake;
  readonly ports: SourcePorts;
  readonly admission: Admission;
  readonly outbox: Outbox;
  readonly stopping: AbortSignal;
}
