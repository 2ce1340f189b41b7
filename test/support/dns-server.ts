/** A name server of the tests on 127.0.0.1, UDP and TCP on one port, that answers from a zone and can be down, slow or lying. */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { dnsZone, type Found, type Mx, type RecordsOf, strings, type Zone, type ZoneType } from "./dns-zone.ts";

export interface DnsServer {
  /** As `dns.servers` takes it. */
  readonly address: string;
  readonly port: number;
  readonly zone: Zone;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const typeNumbers: Readonly<Record<ZoneType, number>> = { A: 1, CNAME: 5, PTR: 12, MX: 15, TXT: 16, AAAA: 28 };
const typeNames = new Map(Object.entries(typeNumbers).map(([name, number]) => [number, name as ZoneType]));
const rcodes = { ok: 0, servfail: 2, nxdomain: 3, refused: 5 } as const;
/** RFC 1035 §4.2.1; larger answers are cut, and asked for again by TCP. */
const udpLimit = 512;

/** Binds UDP and TCP to the same free port. Nothing that it holds keeps the process alive. */
export async function startDnsServer(zone: Zone = dnsZone()): Promise<DnsServer> {
  const { tcp, udp, port } = await bind();
  const sockets = new Set<Socket>();
  let closed = false;
  udp.on("message", (query, peer) => {
    respond(zone, query, udpLimit, (answer) => {
      // A late answer of a server that has been closed meanwhile.
      if (!closed) udp.send(answer, peer.port, peer.address, () => {});
    });
  });
  udp.on("error", () => {});
  tcp.on("connection", (socket) => {
    sockets.add(socket);
    socket.unref();
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    overTcp(zone, socket);
  });
  udp.unref();
  tcp.unref();
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    for (const socket of sockets) socket.destroy();
    await Promise.all([
      new Promise<void>((resolve) => udp.close(() => resolve())),
      new Promise<void>((resolve) => tcp.close(() => resolve())),
    ]);
  };
  return { address: `127.0.0.1:${port}`, port, zone, close, [Symbol.asyncDispose]: close };
}

async function bind(): Promise<{ tcp: Server; udp: UdpSocket; port: number }> {
  for (let tries = 0; ; tries++) {
    const tcp = createServer().listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const address = tcp.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const udp = createSocket("udp4");
    try {
      udp.bind(port, "127.0.0.1");
      await once(udp, "listening");
      return { tcp, udp, port };
    } catch (error) {
      udp.close();
      tcp.close();
      if (tries > 20) throw error;
    }
  }
}

/** RFC 1035 §4.2.2: a length of two bytes before every message. */
function overTcp(zone: Zone, socket: Socket): void {
  let held = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      const query = held.subarray(2, 2 + held.readUInt16BE(0));
      held = held.subarray(2 + query.length);
      respond(zone, query, 0xffff, (answer) => {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        if (!socket.destroyed) socket.write(Buffer.concat([length, answer]));
      });
    }
  });
}

function respond(zone: Zone, query: Buffer, limit: number, send: (answer: Buffer) => void): void {
  const question = questionOf(query);
  if (question === null) return;
  const found = zone.look(question.name, question.type);
  if (found.failure === "silent") return;
  const answer =
    found.failure === "garbage" ? Buffer.from("no answer at all") : answerTo(query, question, found, limit);
  if (found.delayMs > 0) setTimeout(() => send(answer), found.delayMs).unref();
  else send(answer);
}

interface Question {
  readonly name: string;
  readonly type: string;
  readonly bytes: Buffer;
}

function questionOf(query: Buffer): Question | null {
  const labels: string[] = [];
  let at = 12;
  while (at < query.length && query[at] !== 0) {
    const length = query[at] ?? 0;
    if (length > 63) return null;
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  if (at + 5 > query.length) return null;
  const number = query.readUInt16BE(at + 1);
  return {
    name: labels.join("."),
    type: typeNames.get(number) ?? `TYPE${number}`,
    bytes: query.subarray(12, at + 5),
  };
}

function answerTo(query: Buffer, question: Question, found: Found, limit: number): Buffer {
  const records = [
    ...found.aliases.map(({ from, to }) => resource(from, "CNAME", to)),
    ...found.records.map((record) => resource(found.name, question.type as ZoneType, record)),
  ];
  const rcode =
    found.failure === "servfail"
      ? rcodes.servfail
      : found.failure === "refused"
        ? rcodes.refused
        : found.exists
          ? rcodes.ok
          : rcodes.nxdomain;
  const failed = found.failure === "servfail" || found.failure === "refused";
  const asked = found.failure === "other_name" ? questionFor("elsewhere.example", question.bytes) : question.bytes;
  const whole = message(query, asked, rcode, failed ? [] : records, found.failure === "other_id", false);
  const cut = limit === udpLimit && (found.truncated || whole.length > limit);
  return cut ? message(query, asked, rcode, [], false, true) : whole;
}

function message(
  query: Buffer,
  question: Buffer,
  rcode: number,
  answers: readonly Buffer[],
  otherId: boolean,
  truncated: boolean,
): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(otherId ? query.readUInt16BE(0) ^ 0x5555 : query.readUInt16BE(0), 0);
  // QR, AA, RD as asked, RA (RFC 1035 §4.1.1).
  head.writeUInt16BE(0x8480 | (query.readUInt16BE(2) & 0x0100) | (truncated ? 0x0200 : 0) | rcode, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(answers.length, 6);
  return Buffer.concat([head, question, ...answers]);
}

function questionFor(name: string, like: Buffer): Buffer {
  return Buffer.concat([nameBytes(name), like.subarray(like.length - 4)]);
}

function nameBytes(name: string): Buffer {
  const labels = name.split(".").filter((label) => label !== "");
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, "latin1")])),
    Buffer.from([0]),
  ]);
}

function resource(name: string, type: ZoneType, record: RecordsOf[ZoneType]): Buffer {
  const data = dataOf(type, record);
  const head = Buffer.alloc(10);
  head.writeUInt16BE(typeNumbers[type], 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(60, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([nameBytes(name), head, data]);
}

function dataOf(type: ZoneType, record: RecordsOf[ZoneType]): Buffer {
  switch (type) {
    case "A":
      return Buffer.from(String(record).split(".").map(Number));
    case "AAAA":
      return v6(String(record));
    case "MX": {
      const { exchange, priority } = record as Mx;
      const bytes = Buffer.alloc(2);
      bytes.writeUInt16BE(priority);
      return Buffer.concat([bytes, nameBytes(exchange)]);
    }
    case "TXT":
      return Buffer.concat(
        strings(record as RecordsOf["TXT"]).map((part) => {
          const bytes = Buffer.from(part, "latin1");
          return Buffer.concat([Buffer.from([bytes.length]), bytes]);
        }),
      );
    case "PTR":
    case "CNAME":
      return nameBytes(String(record));
    default:
      throw new Error(`no such type ${type satisfies never}`);
  }
}

function v6(address: string): Buffer {
  const [head = "", tail] = address.split("::");
  const groups = (part: string | undefined): string[] => (part === undefined || part === "" ? [] : part.split(":"));
  const before = groups(head);
  const after = groups(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  const all = tail === undefined ? before : [...before, ...zeros, ...after];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of all.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  return bytes;
}
