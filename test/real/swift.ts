/**
 * A private OpenStack Swift with its S3 interface, on loopback alone: rings, configuration and objects in a folder of its own, started and
 * stopped by its caller. From Debian's swift-proxy, swift-account, swift-container, swift-object and memcached.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { listening } from "./listening.ts";
import { freePort } from "./postfix.ts";
import { hasTool } from "./tools.ts";

const run = promisify(execFile);

export interface Swift {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** kill -9 of the servers, and the same servers again on what they left. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const kinds = ["account", "container", "object"] as const;
type Kind = (typeof kinds)[number];

export function swiftAvailable(): boolean {
  const tools = ["swift-proxy-server", "swift-account-server", "swift-container-server", "swift-object-server"];
  return [...tools, "swift-ring-builder", "memcached"].every(hasTool);
}

export async function startSwift(): Promise<Swift> {
  const dir = await mkdtemp(join(tmpdir(), "mailwright-swift-"));
  const ports = { account: await freePort(), container: await freePort(), object: await freePort() };
  const memcached = await freePort();
  const proxy = await freePort();
  await mkdir(join(dir, "devices", "d1"), { recursive: true });
  await Promise.all(kinds.map((kind) => ring(dir, kind, ports[kind])));
  await configure(dir, ports, proxy, memcached);
  const commands: readonly (readonly [string, readonly string[], number])[] = [
    ["memcached", ["-l", "127.0.0.1", "-p", String(memcached), "-m", "16", "-u", userInfo().username], memcached],
    ...kinds.map((kind) => [`swift-${kind}-server`, [join(dir, `${kind}-server.conf`)], ports[kind]] as const),
    ["swift-proxy-server", [join(dir, "proxy-server.conf")], proxy],
  ];
  let running: ChildProcess[] = [];
  const leaveNothing = (): void => running.forEach((child) => void child.kill("SIGKILL"));
  process.once("exit", leaveNothing);

  async function start(): Promise<void> {
    const starting = commands.map(([name, args, port]) => ({ name, port, ...spawned(name, args) }));
    running = starting.map(({ child }) => child);
    for (const { name, port, child, said } of starting)
      await listening({ name, port, lives: () => child.exitCode === null, said, withinMs: 120_000 });
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const exits = running
      .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
      .map((child) => once(child, "exit"));
    for (const child of running) child.kill(signal);
    await Promise.all(exits);
    running = [];
  }

  await start();
  return {
    url: `http://127.0.0.1:${proxy}`,
    accessKeyId: "test:tester",
    secretAccessKey: "testing",
    region: "us-east-1",
    start,
    kill: () => end("SIGKILL"),
    async stop() {
      await end("SIGKILL");
      process.off("exit", leaveNothing);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function spawned(name: string, args: readonly string[]) {
  const child = spawn(name, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-2_000);
    });
  return { child, said: () => said };
}

async function ring(dir: string, kind: Kind, port: number): Promise<void> {
  const builder = join(dir, `${kind}.builder`);
  // 2^4 partitions, one replica.
  await run("swift-ring-builder", [builder, "create", "4", "1", "1"]);
  const place = [
    "--region",
    "1",
    "--zone",
    "1",
    "--ip",
    "127.0.0.1",
    "--port",
    String(port),
    "--device",
    "d1",
    "--weight",
    "1",
  ];
  await run("swift-ring-builder", [builder, "add", ...place]);
  await run("swift-ring-builder", [builder, "rebalance"]);
}

async function configure(
  dir: string,
  ports: Readonly<Record<Kind, number>>,
  proxy: number,
  memcached: number,
): Promise<void> {
  const common = (port: number) => [
    "[DEFAULT]",
    "bind_ip = 127.0.0.1",
    `bind_port = ${port}`,
    "workers = 0",
    `user = ${userInfo().username}`,
    `swift_dir = ${dir}`,
    `devices = ${join(dir, "devices")}`,
    "mount_check = false",
    "log_level = ERROR",
  ];
  const save = (name: string, lines: readonly string[]) => writeFile(join(dir, name), `${lines.join("\n")}\n`);
  await save("swift.conf", [
    "[swift-hash]",
    "swift_hash_path_suffix = test",
    "swift_hash_path_prefix = test",
    "[storage-policy:0]",
    "name = Policy-0",
    "default = yes",
  ]);
  for (const kind of kinds) {
    await save(`${kind}-server.conf`, [
      ...common(ports[kind]),
      "[pipeline:main]",
      `pipeline = ${kind}-server`,
      `[app:${kind}-server]`,
      `use = egg:swift#${kind}`,
    ]);
  }
  const filters = [
    "catch_errors",
    "cache",
    "listing_formats",
    "bulk",
    "s3api",
    "tempauth",
    "copy",
    "slo",
    "symlink",
    "versioned_writes",
    "proxy-logging",
  ];
  const settings: Readonly<Record<string, readonly string[]>> = {
    cache: [`memcache_servers = 127.0.0.1:${memcached}`],
    s3api: ["location = us-east-1", "s3_acl = false", "min_segment_size = 5242880"],
    tempauth: ["user_test_tester = testing .admin"],
  };
  const eggs: Readonly<Record<string, string>> = { cache: "memcache", "proxy-logging": "proxy_logging" };
  await save("proxy-server.conf", [
    ...common(proxy),
    "[pipeline:main]",
    `pipeline = ${filters.join(" ")} proxy-server`,
    "[app:proxy-server]",
    "use = egg:swift#proxy",
    "account_autocreate = true",
    ...filters.flatMap((name) => [
      `[filter:${name}]`,
      `use = egg:swift#${eggs[name] ?? name}`,
      ...(settings[name] ?? []),
    ]),
  ]);
}
