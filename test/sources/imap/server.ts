/** An IMAP server for tests: honest by itself, and as nasty as it is told to be at any command. On 127.0.0.1, in this process. */
import { createServer, type Server, type Socket } from "node:net";

export interface Stored {
  uid: number;
  bytes: Buffer;
  flags: Set<string>;
  internalDate: Date;
  /** What RFC822.SIZE says, where it lies. */
  size?: number;
  /** X-GM-MSGID and X-GM-THRID, where it is Gmail's. */
  gmail?: readonly [msgid: string, thrid: string];
}

export interface Folder {
  path: string;
  uidValidity: number;
  uidNext: number;
  messages: Stored[];
  use?: string;
  mailboxId?: string;
}

/** One command on its way. A hook that answers it returns true: then the server says nothing of its own. */
export interface Asked {
  readonly server: ImapServer;
  readonly connection: Connection;
  readonly tag: string;
  /** Upper case, `UID FETCH` and its like in one word. */
  readonly name: string;
  readonly rest: string;
}
export type Hook = (asked: Asked) => boolean | undefined;

const capabilities = "IMAP4rev1 IDLE UIDPLUS MOVE SPECIAL-USE UNSELECT";

export class ImapServer {
  readonly folders: Folder[] = [];
  readonly connections = new Set<Connection>();
  /** What came in, one command a line, without its tag. */
  readonly commands: string[] = [];
  hook: Hook = () => undefined;
  greeting: string | undefined = "* OK ready";
  capability = capabilities;
  logins = 0;
  /** Grows with everything that moves. */
  activity = 0;
  password = "secret";
  readonly #listener: Server;
  port = 0;

  constructor() {
    this.#listener = createServer((socket) => this.connections.add(new Connection(this, socket)));
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#listener.listen(port, "127.0.0.1", resolve));
    const address = this.#listener.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    this.port = address.port;
    return this;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#listener.close(resolve));
  }

  /** Every connection breaks. */
  cut(): void {
    for (const connection of this.connections) connection.socket.destroy();
    this.connections.clear();
  }

  folder(path: string, use?: string): Folder {
    const known = this.folders.find((one) => one.path === path);
    if (known !== undefined) return known;
    const made: Folder = { path, uidValidity: 1_000 + this.folders.length, uidNext: 1, messages: [] };
    if (use !== undefined) made.use = use;
    this.folders.push(made);
    return made;
  }

  /** Puts a message in, and tells whoever waits there. */
  put(path: string, text: string | Buffer, changes: Partial<Stored> = {}): Stored {
    const folder = this.folder(path);
    const uid = changes.uid ?? folder.uidNext;
    const bytes = typeof text === "string" ? Buffer.from(text) : text;
    const message = { bytes, flags: new Set<string>(), internalDate: new Date(), ...changes, uid };
    folder.messages.push(message);
    folder.uidNext = Math.max(folder.uidNext, uid + 1);
    this.tell(folder);
    return message;
  }

  tell(folder: Folder): void {
    for (const one of this.connections)
      if (one.selected === folder && one.idling !== undefined) one.say(`* ${folder.messages.length} EXISTS`);
  }

  /** Under new numbers, as after a rebuild of its index. */
  renumber(path: string, uidValidity: number): void {
    const folder = this.folder(path);
    folder.uidValidity = uidValidity;
    folder.messages.forEach((message, index) => {
      message.uid = index + 1;
    });
    folder.uidNext = folder.messages.length + 1;
  }
}

export class Connection {
  readonly server: ImapServer;
  readonly socket: Socket;
  selected: Folder | undefined;
  /** Tag of the IDLE that is on. */
  idling: string | undefined;
  #buffer = Buffer.alloc(0);

  constructor(server: ImapServer, socket: Socket) {
    this.server = server;
    this.socket = socket;
    server.activity += 1;
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("close", () => server.connections.delete(this));
    socket.on("data", (chunk) => this.#feed(chunk));
    if (server.greeting !== undefined) this.say(server.greeting);
  }

  say(line: string): undefined {
    this.raw(`${line}\r\n`);
  }

  raw(bytes: string | Buffer): void {
    this.server.activity += 1;
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  #feed(chunk: Buffer): void {
    this.server.activity += 1;
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const end = this.#buffer.indexOf("\r\n");
      if (end < 0) return;
      const line = this.#buffer.subarray(0, end).toString("latin1");
      this.#buffer = this.#buffer.subarray(end + 2);
      this.#line(line);
    }
  }

  #line(line: string): void {
    if (this.idling !== undefined) {
      if (line.toUpperCase() !== "DONE") return;
      const tag = this.idling;
      this.idling = undefined;
      this.server.commands.push("DONE");
      this.say(`${tag} OK idle ended`);
      return;
    }
    const [, tag = "*", command = "", rest = ""] = /^(\S+) (UID \S+|\S+) ?(.*)$/i.exec(line) ?? [];
    const name = command.toUpperCase();
    this.server.commands.push(`${name} ${rest}`.trim());
    const asked: Asked = { server: this.server, connection: this, tag, name, rest };
    if (this.server.hook(asked) === true) return;
    this.honest(asked);
  }

  /** What a good server would say. */
  honest({ tag, name, rest }: Asked): undefined {
    const { server } = this;
    const ok = (words = "done"): undefined => this.say(`${tag} OK ${words}`);
    switch (name) {
      case "CAPABILITY":
        this.say(`* CAPABILITY ${server.capability}`);
        return ok();
      case "LOGIN":
        server.logins += 1;
        if (!rest.includes(server.password)) return this.say(`${tag} NO [AUTHENTICATIONFAILED] wrong`);
        return ok(`[CAPABILITY ${server.capability}] in`);
      case "LIST":
      case "LSUB":
        if (/^"" ""$/.test(rest)) {
          this.say(`* ${name} (\\Noselect) "/" ""`);
          return ok();
        }
        for (const { path, use } of server.folders) this.say(`* ${name} (${use ?? ""}) "/" "${path}"`);
        return ok();
      case "SELECT":
      case "EXAMINE":
        return this.#select(tag, rest, name === "EXAMINE");
      case "STATUS": {
        const folder = server.folders.find(({ path }) => path === named(rest));
        if (folder === undefined) return this.say(`${tag} NO no such folder`);
        this.say(`* STATUS "${folder.path}" (UIDNEXT ${folder.uidNext} UIDVALIDITY ${folder.uidValidity})`);
        return ok();
      }
      case "UID SEARCH": {
        const day = /SINCE "?([\w-]+)"?/i.exec(rest)?.[1];
        const since = day === undefined ? 0 : Date.parse(`${day} UTC`);
        const found = this.in(/UID (\S+)/i.exec(rest)?.[1] ?? "1:*")
          .filter(({ internalDate }) => internalDate.getTime() >= since)
          .map(({ uid }) => uid);
        this.say(`* SEARCH${found.map((uid) => ` ${uid}`).join("")}`);
        return ok();
      }
      case "UID FETCH":
        for (const message of this.in(rest)) this.fetch(message, rest);
        return ok();
      case "UID STORE": {
        const flag = /\(([^)]*)\)/.exec(rest)?.[1] ?? "";
        for (const message of this.in(rest)) message.flags.add(flag);
        return ok();
      }
      case "UID MOVE": {
        const target = server.folder(named(rest.slice(rest.indexOf(" ") + 1)));
        for (const message of this.in(rest)) {
          this.selected?.messages.splice(this.selected.messages.indexOf(message), 1);
          target.messages.push({ ...message, uid: target.uidNext });
          target.uidNext += 1;
        }
        return ok();
      }
      case "IDLE":
        this.idling = tag;
        return this.say("+ idling");
      case "LOGOUT":
        this.say("* BYE bye");
        ok();
        this.socket.end();
        return;
      default:
        return ok();
    }
  }

  #select(tag: string, rest: string, readOnly: boolean): undefined {
    const folder = this.server.folders.find(({ path }) => path === named(rest));
    if (folder === undefined) return this.say(`${tag} NO no such folder`);
    this.selected = folder;
    this.say("* FLAGS (\\Seen \\Deleted)");
    this.say("* OK [PERMANENTFLAGS (\\Seen \\Deleted \\*)] kept");
    this.say(`* ${folder.messages.length} EXISTS`);
    this.say(`* OK [UIDVALIDITY ${folder.uidValidity}] valid`);
    this.say(`* OK [UIDNEXT ${folder.uidNext}] next`);
    if (folder.mailboxId !== undefined) this.say(`* OK [MAILBOXID (${folder.mailboxId})] id`);
    this.say(`${tag} OK [${readOnly ? "READ-ONLY" : "READ-WRITE"}] open`);
  }

  /** The messages of a set, in the folder that is open. */
  in(set: string): Stored[] {
    const messages = this.selected?.messages ?? [];
    const last = messages.at(-1)?.uid ?? 0;
    const number = (text: string): number => (text === "*" ? last : Number(text));
    const ranges = (set.split(" ")[0] ?? "").split(",").map((part) => {
      const [a = "0", b = a] = part.split(":");
      return [Math.min(number(a), number(b)), Math.max(number(a), number(b))] as const;
    });
    return messages.filter(({ uid }) => ranges.some(([from, to]) => uid >= from && uid <= to));
  }

  /** One row, with what was asked for. */
  fetch(message: Stored, rest: string, changes: { uid?: number; body?: Buffer } = {}): undefined {
    const seq = (this.selected?.messages.indexOf(message) ?? 0) + 1;
    const items = [`UID ${changes.uid ?? message.uid}`];
    if (message.gmail !== undefined && rest.includes("X-GM-MSGID")) items.push(`X-GM-MSGID ${message.gmail[0]}`);
    if (message.gmail !== undefined && rest.includes("X-GM-THRID")) items.push(`X-GM-THRID ${message.gmail[1]}`);
    if (rest.includes("FLAGS")) items.push(`FLAGS (${[...message.flags].join(" ")})`);
    if (rest.includes("INTERNALDATE")) items.push(`INTERNALDATE "${imapDate(message.internalDate)}"`);
    if (rest.includes("RFC822.SIZE")) items.push(`RFC822.SIZE ${message.size ?? message.bytes.length}`);
    if (!rest.includes("BODY")) return this.say(`* ${seq} FETCH (${items.join(" ")})`);
    const [, start, length] = /<(\d+)\.(\d+)>/.exec(rest) ?? [];
    const whole = changes.body ?? message.bytes;
    const body = start === undefined ? whole : whole.subarray(Number(start), Number(start) + Number(length));
    const origin = start === undefined ? "" : `<${start}>`;
    this.raw(`* ${seq} FETCH (${items.join(" ")} BODY[]${origin} {${body.length}}\r\n`);
    this.raw(body);
    this.raw(")\r\n");
  }
}

function named(rest: string): string {
  return /^"([^"]*)"/.exec(rest)?.[1] ?? rest.split(" ")[0] ?? "";
}

function imapDate(date: Date): string {
  const month = date.toLocaleString("en-US", { month: "short", timeZone: "UTC" });
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${String(date.getUTCDate()).padStart(2, " ")}-${month}-${date.getUTCFullYear()}`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}
