/** The intake on a ground: for the daemon's sources, and for a command that takes a file in. */
import type { Intake } from "../model/source.ts";
import { openIntake } from "../pipeline/accept.ts";
import type { Ground } from "./ground.ts";
import { diskOf } from "./system.ts";

/** `wake`: something new may be waiting. */
export function openGroundIntake(ground: Ground, wake: () => void): Intake {
  const { limits, data_dir } = ground.settings;
  return openIntake(
    {
      maxBytes: limits.max_message_bytes,
      inlineBytes: limits.inline_bytes,
      backlog: limits.backlog,
      diskReserve: (total) => Math.max(limits.disk_reserve_bytes, (total * limits.disk_reserve_percent) / 100),
    },
    { ...ground, disk: () => diskOf(data_dir), wake },
  );
}
