/** How many downloads there are at once, in all and for one client: a reader may be as slow as it likes, and holds up nobody else. */
import { clientOf } from "../client.ts";

export interface Seats {
  /** Undefined where there is no seat left. `leave` may be called more than once. */
  take(address: string): { leave(): void } | undefined;
  taken(): number;
}

export function openSeats(most: number, mostForOne: number): Seats {
  const clients = new Map<string, number>();
  let taken = 0;
  return {
    taken: () => taken,
    take(address) {
      const client = clientOf(address);
      const held = clients.get(client) ?? 0;
      if (taken >= most || held >= mostForOne) return undefined;
      taken++;
      clients.set(client, held + 1);
      let left = false;
      return {
        leave() {
          if (left) return;
          left = true;
          taken--;
          const now = (clients.get(client) ?? 1) - 1;
          if (now > 0) clients.set(client, now);
          else clients.delete(client);
        },
      };
    },
  };
}
