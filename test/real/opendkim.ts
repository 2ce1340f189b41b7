/** A private opendkim for tests: a milter on loopback that signs for the domains it is given, started and stopped by its caller. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signingKey } from "../support/signer.ts";
import { listening } from "./listening.ts";
import { freePort } from "./postfix.ts";

export interface Opendkim {
  /** As Postfix's smtpd_milters takes it. */
  readonly milter: string;
  stop(): Promise<void>;
}

export const opendkimSelector = "mail";

/** Signs every mail from these domains with the key that `signingKey("rsa", domain)` gives, under the selector above. */
export async function startOpendkim(domains: readonly string[]): Promise<Opendkim> {
  const dir = await mkdtemp(join(tmpdir(), "mailwright-opendkim-"));
  const port = await freePort();
  const keys: string[] = [];
  for (const domain of domains) {
    const file = join(dir, `${domain}.pem`);
    const pem = signingKey("rsa", domain).privateKey.export({ format: "pem", type: "pkcs1" });
    await writeFile(file, pem, { mode: 0o600 });
    keys.push(`${domain} ${domain}:${opendkimSelector}:${file}`);
  }
  await writeFile(join(dir, "keys"), `${keys.join("\n")}\n`);
  await writeFile(join(dir, "signing"), domains.map((domain) => `*@${domain} ${domain}\n`).join(""));
  const lines = [
    `Socket inet:${port}@127.0.0.1`,
    "Mode s",
    "Canonicalization relaxed/relaxed",
    `KeyTable file:${join(dir, "keys")}`,
    `SigningTable refile:${join(dir, "signing")}`,
    "OversignHeaders From",
    "Syslog no",
    "Background no",
    "RequireSafeKeys no",
    `TemporaryDirectory ${dir}`,
  ];
  const file = join(dir, "opendkim.conf");
  await writeFile(file, `${lines.join("\n")}\n`);
  const child = spawn("opendkim", ["-f", "-x", file], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2_000);
  });
  const exited = once(child, "exit");
  const leaveNothing = (): void => void child.kill("SIGKILL");
  process.once("exit", leaveNothing);
  await listening({
    name: "opendkim",
    port,
    lives: () => child.exitCode === null,
    said: () => said,
    withinMs: 10_000,
  });
  return {
    milter: `inet:127.0.0.1:${port}`,
    async stop() {
      child.kill("SIGTERM");
      await exited;
      process.off("exit", leaveNothing);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
