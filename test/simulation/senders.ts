/** The peers that hand mail in: they send again until they hear a yes, hang up, come twice, and remember what they were told. */
import type { Clock } from "../../src/model/ports.ts";
import { NotAccepted } from "../../src/model/source.ts";
import type { Chance } from "./chance.ts";
import type { Daemon } from "./daemon.ts";
import type { Life } from "./life.ts";
import type { Mail, Tenant, Transmission } from "./mails.ts";

export interface Host {
  /** The daemon that listens now, if one does. */
  listening(): { readonly life: Life; readonly daemon: Daemon } | undefined;
  /** True while things go wrong. */
  stormy(): boolean;
  trace(line: string): void;
  /** Something happened that never may. */
  wrong(what: string): void;
}

/** What the senders know: who was told yes for what. */
export interface Sent {
  readonly acknowledged: ReadonlyMap<Mail, ReadonlySet<Tenant>>;
  /** Mails of which every byte was offered at least once. */
  readonly offered: ReadonlySet<Mail>;
  /** Resolves when every transmission has ended. */
  readonly done: Promise<void>;
}

class HungUp extends Error {
  override readonly name = "HungUp";
}

const resendMs = [20_000, 60_000, 300_000, 900_000];

export function startSenders(transmissions: readonly Transmission[], host: Host, clock: Clock, chance: Chance): Sent {
  const acknowledged = new Map<Mail, Set<Tenant>>();
  const offered = new Set<Mail>();

  async function send(transmission: Transmission, own: Chance): Promise<void> {
    const { mail, cutOff, startsAt } = transmission;
    await clock.sleep(startsAt);
    for (let attempt = 0; ; attempt++) {
      const heard = await once(transmission, own);
      host.trace(`sender ${mail.token}: ${heard}`);
      if (heard === "yes" || cutOff) break;
      const wait = resendMs[Math.min(attempt, resendMs.length - 1)] ?? 0;
      await clock.sleep(wait + own.between(0, 10_000));
    }
  }

  /** One connection. What the peer hears, if it hears anything. */
  async function once(transmission: Transmission, own: Chance): Promise<"yes" | "no" | "nothing"> {
    const peer = host.listening();
    if (peer === undefined) return "nothing";
    const said = await Promise.race([hand(peer, transmission, own), peer.life.died]);
    if (said === "dead") return "nothing";
    // The answer is lost on its way, now and then.
    if (said === "yes" && host.stormy() && own.flip(0.05)) return "nothing";
    if (said === "yes" && !transmission.cutOff) {
      const told = acknowledged.get(transmission.mail) ?? new Set();
      for (const tenant of transmission.mail.tenants) told.add(tenant);
      acknowledged.set(transmission.mail, told);
    }
    return said;
  }

  async function hand(
    { life, daemon }: { life: Life; daemon: Daemon },
    { mail, bytes, cutOff, envelopes }: Transmission,
    own: Chance,
  ): Promise<"yes" | "no"> {
    if ((await daemon.intake.pressure()) !== undefined) return "no";
    const received_at = clock.now();
    const raw = chunks(bytes, cutOff, life, own, () => offered.add(mail));
    try {
      await daemon.intake.accept(
        raw,
        envelopes.map((envelope) => ({ ...envelope, received_at })),
      );
      return "yes";
    } catch (error) {
      if (!(error instanceof NotAccepted || error instanceof HungUp))
        host.wrong(`accept rejected with ${String(error)}`);
      return "no";
    }
  }

  async function* chunks(bytes: Buffer, cutOff: boolean, life: Life, own: Chance, whole: () => void) {
    const end = cutOff ? own.between(0, bytes.length - 20) : bytes.length;
    const size = own.between(200, 4_000);
    for (let start = 0; start < end; start += size) {
      yield await life.call("sender.chunk", () => bytes.subarray(start, Math.min(end, start + size)));
      if (own.flip(0.2)) await clock.sleep(own.between(1, 3_000));
    }
    if (cutOff) throw new HungUp("the peer hung up");
    whole();
  }

  const all = transmissions.map((transmission, index) => send(transmission, chance.split(`${index}`)));
  return { acknowledged, offered, done: Promise.all(all).then(() => undefined) };
}
