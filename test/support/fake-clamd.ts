/** A clamd that does what a script says: it takes sessions, commands and streams as the real one, and answers as it is told. */

import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

export interface Told {
  /** Numbered as a session is; undefined says nothing. */
  readonly version?: string | undefined;
  /** To a whole stream; undefined says nothing. */
  readonly verdict?: ((bytes: Buffer) => string | undefined) | undefined;
  /** Called as a stream comes in, before it is whole. */
  readonly onPiece?: (socket: Socket, soFar: number) => void;
  readonly onWhole?: (socket: Socket) => void;
}

export const fakeVersion = "ClamAV 1.4.6/27500/Sat Nov 28 09:00:00 2026";

export async function fakeClamd(told: Told | (() => Told)) {
  const streams: Buffer[] = [];
  const sockets = new Set<Socket>();
  let most = 0;
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    most = Math.max(most, sockets.size);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    serve(socket, typeof told === "function" ? told() : told, streams);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens on a port");
  return {
    at: { host: "127.0.0.1", port: address.port },
    streams,
    /** Connections at one time. */
    most: (): number => most,
    async stop(): Promise<void> {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function serve(socket: Socket, told: Told, streams: Buffer[]): void {
  let held = Buffer.alloc(0);
  let stream: Buffer[] | undefined;
  let number = 0;
  const say = (answer: string | undefined): void => {
    if (answer !== undefined) socket.write(answer);
  };
  const command = (name: string): void => {
    if (name === "zIDSESSION") return;
    if (name === "zEND") return void socket.end();
    number++;
    if (name === "zVERSION") say("version" in told ? told.version : `${number}: ${fakeVersion}\0`);
    if (name === "zINSTREAM") stream = [];
  };
  socket.on("data", (bytes) => {
    held = Buffer.concat([held, bytes]);
    for (;;) {
      if (stream === undefined) {
        const end = held.indexOf(0);
        if (end === -1) return;
        const name = held.toString("latin1", 0, end);
        held = held.subarray(end + 1);
        command(name);
        continue;
      }
      if (held.length < 4) return;
      const length = held.readUInt32BE(0);
      if (held.length < 4 + length) return;
      if (length === 0) {
        const whole = Buffer.concat(stream);
        streams.push(whole);
        stream = undefined;
        say(told.verdict === undefined ? `${number}: stream: OK\0` : told.verdict(whole));
        told.onWhole?.(socket);
      } else {
        stream.push(Buffer.from(held.subarray(4, 4 + length)));
        told.onPiece?.(
          socket,
          stream.reduce((sum, piece) => sum + piece.length, 0),
        );
      }
      held = held.subarray(4 + length);
    }
  });
}
