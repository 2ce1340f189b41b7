/** The SMTP source: an MX that takes mail for the tenants' recipients and for nobody else. Carries Session's word by smtp-server. */
import type { Socket } from "node:net";
import { SMTPServer } from "smtp-server";
import type { SMTPConnectionOptions } from "smtp-server/lib/smtp-connection.js";
import type { Intake, RunningSource, Source, SourcePorts } from "../model/source.ts";
import { Conversation } from "./smtp/conversation.ts";
import { watchEveryMs } from "./smtp/deadlines.ts";
import type { House } from "./smtp/house.ts";
import { Admission } from "./smtp/limits.ts";
import { listen, serverOptions } from "./smtp/listen.ts";
import { Outbox } from "./smtp/outbox.ts";
import { type SmtpSettings, smtpSettings } from "./smtp/settings.ts";
import { type Certificate, keepCertificate } from "./smtp/tls.ts";

export const smtp: Source<SmtpSettings> = { name: "smtp", settings: smtpSettings, start };

type Known = SMTPConnectionOptions & { readonly id: string };

/** The listening side: who comes in, who has to leave. */
class Listener extends SMTPServer {
  readonly #house: House;
  readonly #conversations = new Set<Conversation>();
  #watching = false;
  #named = 0;
  #place: Pick<SMTPConnectionOptions, "localAddress" | "localPort"> | undefined;

  constructor(house: House, certificate: Certificate | undefined) {
    super(serverOptions(house.settings, house.intake.maxBytes, certificate));
    this.#house = house;
    // Broken connections; what they interrupted is told by whoever was interrupted.
    this.on("error", (error) => house.ports.log.debug({ error }, "smtp: connection error"));
  }

  get conversations(): Iterable<Conversation> {
    return this.#conversations;
  }

  /**
   * smtp-server draws 80 random bits to name a connection, waits a turn, and asks the kernel where it came in. Nobody but us reads the name,
   * and nobody the place: the first connection's stands for all.
   */
  override _handleProxy(tcp: Socket, named: (error: null, known: Known) => void): void {
    this.#named += 1;
    this.#place ??= { localAddress: tcp.localAddress, localPort: tcp.localPort };
    named(null, { id: String(this.#named), ...this.#place });
  }

  override connect(tcp: Socket, known: SMTPConnectionOptions | null = null): void {
    const { admission, ports } = this.#house;
    ports.metrics.count("smtp_connections_total");
    if (tcp.remoteAddress === undefined) return void tcp.destroy(); // gone already
    const place = admission.admit(tcp.remoteAddress);
    if (!place.ok) {
      ports.metrics.count("smtp_rejections_total", { code: `${place.reply.code} ${place.reply.status}` });
      this.#house.admission.turnAway(tcp, place.reply);
      return;
    }
    const conversation = new Conversation(this, tcp, known, this.#house, () => {
      place.release();
      this.#conversations.delete(conversation);
      ports.metrics.gauge("smtp_open_connections", admission.open);
    });
    ports.metrics.gauge("smtp_open_connections", admission.open);
    this.#conversations.add(conversation);
    this.connections.add(conversation);
    conversation.on("error", (error) => this._onError(error));
    conversation.init();
    if (!this.#watching) void this.#watch();
  }

  /** One loop looks at all connections, instead of three timers for each; it sleeps while there are none. */
  async #watch(): Promise<void> {
    const { ports, settings } = this.#house;
    this.#watching = true;
    while (this.#conversations.size > 0 && !this.#house.stopping.aborted) {
      await ports.clock.sleep(watchEveryMs(settings.limits), this.#house.stopping);
      const now = ports.clock.now();
      for (const conversation of this.#conversations) conversation.judge(now);
    }
    this.#watching = false;
  }
}

/** Rejects with a sentence when the certificate or the port cannot be had. */
async function start(settings: SmtpSettings, intake: Intake, ports: SourcePorts): Promise<RunningSource> {
  const stopping = new AbortController();
  const admission = new Admission(settings.limits, ports.clock);
  const house: House = { settings, intake, ports, admission, outbox: new Outbox(), stopping: stopping.signal };
  const kept = settings.tls && (await keepCertificate(settings.tls, { ...ports, signal: stopping.signal }));
  const listener = new Listener(house, kept?.certificate);
  kept?.onRenewed(({ cert, key }) => listener.updateSecureContext({ cert, key }));
  const address = await listen(listener.server, settings);
  ports.log.info({ ...address, starttls: kept !== undefined }, "smtp: listening");
  return {
    address,
    reload: async () => kept?.reload(),
    stop: async (graceMs) => {
      if (stopping.signal.aborted) return;
      const closed = new Promise<void>((resolve) => listener.server.close(() => resolve()));
      stopping.abort();
      for (const conversation of listener.conversations) conversation.retire();
      const early = new AbortController();
      await Promise.race([closed.then(() => early.abort()), ports.clock.sleep(graceMs, early.signal)]);
      for (const conversation of listener.conversations) conversation.expel();
      await closed;
    },
  };
}
