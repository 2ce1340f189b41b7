/** Who received a message from its sender: we ourselves, or others for us, whose word may count. */
import { BlockList, isIP } from "node:net";
import type { Received } from "../../mail/trust.ts";
import type { Envelope } from "../../model/envelope.ts";

/** A tenant's settings. */
export interface Receiving {
  /** Hosts whose Authentication-Results count on mail that others received. */
  readonly authservIds: readonly string[];
  /** Addresses and networks of mail servers of the tenant's own, which hand mail on to us. */
  readonly relays: readonly string[];
}

export const nobodyElse: Receiving = { authservIds: [], relays: [] };

/** `hostname`: what we call ourselves. */
export function openReceiving({ authservIds, relays }: Receiving, hostname: string): (envelope: Envelope) => Received {
  const own = new BlockList();
  for (const relay of relays) {
    const [address = "", bits] = relay.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) own.addAddress(address, family);
    else own.addSubnet(address, Number(bits), family);
  }

  return ({ kind, smtp, received_at }) => {
    const ip = plainAddress(smtp?.remote_ip ?? "");
    const family = isIP(ip);
    const byOthers = kind !== "smtp" || (family !== 0 && own.check(ip, family === 6 ? "ipv6" : "ipv4"));
    const isPeer = !byOthers && smtp !== undefined && family !== 0;
    return {
      client: isPeer ? { ip, helo: smtp.helo, mailFrom: smtp.mail_from } : null,
      hostname,
      at: received_at,
      // A peer that we do not know could have put the header there himself.
      authservIds: byOthers ? authservIds : [],
    };
  };
}

/** An IPv4 peer of a socket that listens on both families. */
const plainAddress = (ip: string): string => ip.replace(/^::ffff:(?=\d+\.)/i, "");
