/**
 * The instant HubSpot of the benches in a process of its own: find, create and log are real calls over HTTP, answered at once. It reads HTTP by
 * itself, since node:http took as much CPU for each call as the daemon does, of the same two cores.
 */
import { createServer, type Socket } from "node:net";
import { systemClock } from "../src/main/system.ts";
import { createHubspotSandbox } from "../src/sandbox/hubspot.ts";

const sandbox = createHubspotSandbox({ clock: systemClock, options: { instant: true } });
const headEnd = Buffer.from("\r\n\r\n");

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** Where the next call begins. */
  readonly end: number;
}

/** The call at the beginning of the bytes; undefined while it is not whole. Every request of undici has a length or no body. */
function callIn(bytes: Buffer): Call | undefined {
  const headLength = bytes.indexOf(headEnd);
  if (headLength === -1) return undefined;
  const head = bytes.toString("latin1", 0, headLength);
  const [method = "", path = ""] = head.slice(0, head.indexOf("\r\n")).split(" ");
  const from = headLength + headEnd.length;
  const end = from + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  return bytes.length < end ? undefined : { method, path, body: bytes.toString("utf8", from, end), end };
}

async function answerTo({ method, path, body }: Call): Promise<string> {
  const reply =
    path === "/_sandbox/state"
      ? { status: 200, body: JSON.stringify(sandbox.state()) }
      : await sandbox.handle({ method, path, headers: {}, body });
  if (!("status" in reply)) throw new TypeError("the instant sandbox drops nothing");
  const length = Buffer.byteLength(reply.body);
  return `HTTP/1.1 ${reply.status} -\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${reply.body}`;
}

function serve(socket: Socket): void {
  let held: Buffer = Buffer.alloc(0);
  let answering = Promise.resolve();
  const answer = async () => {
    for (let call = callIn(held); call !== undefined; call = callIn(held)) {
      held = held.subarray(call.end);
      socket.write(await answerTo(call));
    }
  };
  socket.setNoDelay();
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    answering = answering.then(answer);
  });
}

const server = createServer(serve);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") process.send?.({ url: `http://127.0.0.1:${address.port}` });
});
process.on("disconnect", () => process.exit(0));
