/** What the demo says at its end: commands that work as they are printed, from a clone and from an installed package. */
import { dirname, join, relative, sep } from "node:path";
import type { Cli } from "../cli.ts";
import { packageFolder } from "../package.ts";

export interface DemoEnd {
  readonly config: string;
  /** The folder was the user's own, and stays. */
  readonly kept: boolean;
  readonly staying: boolean;
  /** Where the demo's daemon takes mail. */
  readonly port: number;
}

export function whatNext(cli: Pick<Cli, "cwd">, { config, kept, staying, port }: DemoEnd): string[] {
  const isInstalled = packageFolder().includes(`${sep}node_modules${sep}`);
  const mailwright = isInstalled ? "npx mailwright" : "npm run -s mailwright --";
  const mail = relative(cli.cwd, join(packageFolder(), "corpus", "bodies", "html-and-text.eml"));
  const looking = ["crm contacts", "dead-letters list", "events list"].map(
    (command) => `  ${mailwright} ${command} --config ${config}`,
  );
  if (staying) {
    return [
      "",
      "It stays up until Ctrl-C. From another terminal:",
      ...looking,
      `  ${mailwright} send ${mail} --to deals@inbound.example.com --server 127.0.0.1:${port}`,
    ];
  }
  return [
    "",
    ...(kept ? [`${dirname(config)} is kept. Look around:`, ...looking] : ["Nothing is left behind."]),
    "What to try next:",
    `  ${isInstalled ? "npx mailwright demo --stay" : "npm run demo -- --stay"}    the same, and it stays up for you to look around`,
    `  ${isInstalled ? "npx mailwright run" : "npm start"}    the daemon on config/mailwright.yaml: mail on port 2525, health on port 8025`,
    `  ${mailwright} send ${mail} --to deals@inbound.example.com`,
    `  ${mailwright} events list`,
  ];
}
