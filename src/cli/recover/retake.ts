/** Takes mail in again that is kept as sealed files but unknown to the ledger, under its old event id. */
import { z } from "zod";
import { type Ground, openGroundIntake } from "../../main.ts";
import { type Envelope, envelopeSchema } from "../../model/envelope.ts";
import type { Cli } from "../cli.ts";
import { sentenceOf } from "../exit.ts";
import { importEnvelope } from "../mail-file.ts";

export interface Retaken {
  taken: number;
  alreadyThere: number;
  /** `where: why`. */
  readonly unreadable: string[];
}

/** `src/pipeline/accept.ts` RawLabel, as it comes out of a seal. */
const labelSchema = z.object({
  v: z.literal(1),
  events: z.array(z.object({ event_id: z.string(), envelope: envelopeSchema })),
});
type Labelled = z.infer<typeof labelSchema>["events"][number];

type SealedFile = { readonly where: string; read(): Promise<Uint8Array | undefined> };

/** One file after the other; what one of them is never stops the rest. Bytes that were taken in are removed by `done`. */
export async function retakeAll(
  cli: Cli,
  ground: Ground,
  files: AsyncIterable<SealedFile & { done(): Promise<void> }>,
  into: Retaken,
): Promise<void> {
  for await (const file of files) {
    try {
      const sealed = await file.read();
      if (sealed === undefined) continue;
      const { plain, label } = ground.sealer.open(sealed);
      for (const { event_id, envelope } of eventsOf(label, cli, ground)) {
        await retake(ground, plain, event_id, envelope, into);
      }
      await file.done();
    } catch (error) {
      into.unreadable.push(`${file.where}: ${sentenceOf(error)}`);
    }
  }
}

/** The same mail under another id is a duplicate, and known: nothing is doubled. */
export async function retake(
  ground: Ground,
  plain: Uint8Array,
  eventId: string,
  envelope: Envelope,
  into: Pick<Retaken, "taken" | "alreadyThere">,
): Promise<void> {
  if (await isKnown(ground, eventId)) {
    into.alreadyThere++;
    return;
  }
  // Under its old id: the CRM's activities and the log name it so.
  const random = { ...ground.random, uuid: () => eventId };
  const intake = openGroundIntake({ ...ground, random }, () => undefined);
  const [receipt] = await intake.accept(once(plain), [envelope]);
  if (receipt?.outcome === "duplicate") into.alreadyThere++;
  else into.taken++;
}

export async function isKnown({ ledger }: Ground, eventId: string): Promise<boolean> {
  return (await ledger.find({ event: eventId, limit: 1 })).length > 0;
}

/** A label without room for its envelopes names nobody; where there is one tenant, it is that one's. */
function eventsOf(label: string, cli: Cli, { settings, random, clock }: Ground): Labelled[] {
  const parsed = labelSchema.safeParse(jsonOf(label));
  if (!parsed.success) throw new Error("its seal does not say which message it is");
  if (parsed.data.events.length > 0) return parsed.data.events;
  const now = clock.now();
  return [{ event_id: random.uuid(now), envelope: importEnvelope(settings, {}, cli.clock.now()) }];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

export async function wholeOf(stream: ReadableStream<Uint8Array> | undefined): Promise<Uint8Array | undefined> {
  if (stream === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
