/** `mailwright reprocess`: runs a message through the road again, or takes in one that is not stored. */
import { Command } from "commander";
import { type Ground, openGroundIntake } from "../../main.ts";
import { NotAccepted } from "../../model/source.ts";
import type { Cli } from "../cli.ts";
import { exitCodes, Failed, sentenceOf } from "../exit.ts";
import { findMessage } from "../find.ts";
import { importEnvelope, isMailFile, openMailFile, tenantOption, toOption, type WhoseOptions } from "../mail-file.ts";
import { getItDone, withGround } from "../open.ts";
import { jsonOption } from "../options.ts";
import { plain } from "../plain.ts";
import { deliveryShapeOf } from "../rows.ts";
import type { Reprocessed, Worker } from "../shapes.ts";
import { untilDecided } from "../wait.ts";

interface Options extends WhoseOptions {
  readonly json?: true;
  readonly wait: boolean;
}

export function reprocess(cli: Cli): Command {
  return new Command("reprocess")
    .description("Run messages through the pipeline again. Changes nothing at the CRM that is already right.")
    .argument("<id...>", "event id, Message-ID, or a mail file (taken in as source `import` when it is not stored)")
    .addOption(tenantOption())
    .addOption(toOption())
    .option("--no-wait", "do not wait for a running daemon to have done it")
    .addOption(jsonOption())
    .action((ids: string[], options: Options) =>
      withGround(cli, (ground) => reprocessAll(cli, ground, ids, options), {
        create: ids.some((id) => isMailFile(cli, id)),
      }),
    );
}

interface Begun {
  readonly eventId: string;
  readonly action: Reprocessed["action"];
}

async function reprocessAll(cli: Cli, ground: Ground, ids: readonly string[], options: Options): Promise<void> {
  const begun: Begun[] = [];
  let refused = 0;
  for (const id of ids) {
    try {
      begun.push(
        isMailFile(cli, id)
          ? await takeIn(cli, ground, id, options)
          : await requeue(ground, (await findMessage(ground, id)).eventId, "requeued"),
      );
    } catch (error) {
      if (ids.length === 1) throw error;
      refused++;
      await cli.say(`${plain(id)}: ${plain(sentenceOf(error), 1_000)}`);
    }
  }
  const worker = begun.length > 0 ? await getItDone(cli, ground) : "command";
  if (worker === "daemon" && options.wait)
    await untilDecided(
      ground,
      begun.map(({ eventId }) => eventId),
    );
  await tell(cli, ground, begun, worker, options.json);
  if (refused > 0) {
    throw new Failed(
      `${refused} of ${ids.length} could not be reprocessed`,
      begun.length > 0 ? exitCodes.partly : exitCodes.failed,
    );
  }
}

async function requeue({ ledger, clock }: Ground, eventId: string, action: Begun["action"]): Promise<Begun> {
  if (!(await ledger.requeue({ kind: "reprocess", eventId, now: clock.now() }))) {
    throw new Failed(
      `event ${eventId} cannot be reprocessed: retention has removed its raw bytes, or it is being worked right now`,
    );
  }
  return { eventId, action };
}

async function takeIn(cli: Cli, ground: Ground, name: string, options: Options): Promise<Begun> {
  const file = await openMailFile(name, cli);
  const envelope = importEnvelope(ground.settings, options, ground.clock.now());
  const intake = openGroundIntake(ground, () => undefined);
  const pressure = await intake.pressure();
  if (pressure !== undefined) throw new Failed(`no mail can be taken in now: ${pressure.reason}`);
  try {
    const [receipt] = await intake.accept(file.read(), [envelope]);
    if (receipt === undefined) throw new TypeError("the intake gave no receipt");
    if (receipt.outcome === "duplicate") return await requeue(ground, receipt.eventId, "duplicate");
    return { eventId: receipt.eventId, action: "accepted" };
  } catch (error) {
    if (error instanceof NotAccepted)
      throw new Failed(`${name} was not taken in: ${error.refusal.reason}`, 1, { cause: error });
    throw error;
  }
}

async function tell(
  cli: Cli,
  ground: Ground,
  begun: readonly Begun[],
  worked_by: Worker,
  json: true | undefined,
): Promise<void> {
  const rows: Reprocessed[] = [];
  for (const { eventId, action } of begun) {
    const [row] = await ground.ledger.find({ event: eventId, limit: 1 });
    if (row === undefined) throw new Error(`event ${eventId} has vanished from the ledger`);
    rows.push({
      event_id: eventId,
      message_id: row.messageId,
      action,
      worked_by,
      deliveries: row.deliveries.map(deliveryShapeOf),
    });
  }
  if (json === true) return await cli.printJson("reprocess", rows);
  for (const { event_id, action, deliveries } of rows) {
    const became = deliveries.map(
      ({ destination, state, detail }) => `${destination} ${state}${detail === null ? "" : ` (${plain(detail)})`}`,
    );
    await cli.print(`${event_id}: ${action}; ${became.join(", ") || "not decided yet"}`);
  }
}
