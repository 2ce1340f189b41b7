/** DEADLINES: how often the connections are looked at, so that a limit is kept to within a quarter of itself. */
import type { SmtpLimits } from "./settings.ts";

/** Once a second in practice; more often only where a limit is a matter of seconds. */
export function watchEveryMs(limits: SmtpLimits): number {
  const shortest = Math.min(
    limits.session_seconds,
    limits.command_seconds,
    limits.idle_seconds / 2,
    limits.data_rate_seconds,
    limits.accept_seconds,
  );
  return Math.min(1000, Math.max(10, (shortest * 1000) / 4));
}
