/** Waits until a peer that was started takes connections; says what it said where it does not. */
import { once } from "node:events";
import { connect } from "node:net";

export interface Starting {
  readonly name: string;
  /** On 127.0.0.1. */
  readonly port: number;
  readonly lives: () => boolean;
  readonly said: () => string;
  readonly withinMs: number;
}

const lookMs = 100;

export async function listening({ name, port, lives, said, withinMs }: Starting): Promise<void> {
  for (let waited = 0; waited < withinMs && lives(); waited += lookMs) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
  throw new Error(`${name} does not listen: ${said()}`);
}
