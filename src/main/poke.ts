/** The unix socket by which a command tells the running daemon that the ledger has changed. */
import { chmod, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";

/** sockaddr_un holds 108 bytes on Linux and 104 on macOS, the closing NUL included. */
const longestSocketPath = 103;
const mostCommandBytes = 64;
const patienceMs = 5_000;

const socketPath = (dataDir: string): string => join(dataDir, "mailwright.sock");

export interface PokeListener {
  stop(): Promise<void>;
}

/** Listens for `poke` and `ping` lines; only the daemon that holds the data folder's lock may call this. */
export async function listenForPokes(dataDir: string, poked: () => void): Promise<PokeListener> {
  const path = socketPath(dataDir);
  if (Buffer.byteLength(path) > longestSocketPath) {
    throw new Error(
      `data_dir is too long a path for a unix socket: ${path} has more than ${longestSocketPath} bytes; use a shorter one`,
    );
  }
  // A socket file left by a killed daemon; the lock says that it has no owner.
  await rm(path, { force: true });
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    let said = "";
    socket.setEncoding("utf8");
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.on("close", () => open.delete(socket));
    // A command that went away before its answer has what it wanted.
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: string) => {
      said += chunk;
      if (said.includes("\n")) {
        const command = said.trim();
        if (command === "poke") poked();
        socket.end(command === "poke" || command === "ping" ? "ok\n" : "unknown command\n");
      } else if (said.length > mostCommandBytes) socket.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  // Whoever may change the ledger may poke; nobody else has business here, whatever the umask says.
  await chmod(path, 0o600);
  return {
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Tells the daemon to look at the ledger. True when one heard it; false when there is none. */
export const poke = (dataDir: string): Promise<boolean> => say("poke", dataDir);

/** Whether a daemon works on this data folder and answers. */
export const isDaemonUp = (dataDir: string): Promise<boolean> => say("ping", dataDir);

async function say(command: "poke" | "ping", dataDir: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(socketPath(dataDir), () => socket.write(`${command}\n`));
    let said = "";
    socket.setEncoding("utf8");
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.on("data", (chunk: string) => {
      said += chunk;
    });
    socket.on("error", () => resolve(false));
    socket.on("close", () => resolve(said.startsWith("ok")));
  });
}
