#!/usr/bin/env node
/** The program: hands the command line to src/cli, once the Node that runs it is one that can. */
const [major = 0] = process.versions.node.split(".").map(Number);

if (major < 24) {
  // Nothing else is imported before this: an older Node would stumble over the imports and say something else.
  process.stderr.write(
    `mailwright: Node ${process.versions.node} is too old, Node 24 or newer is needed: install it from https://nodejs.org, or use the container image\n`,
  );
  process.exitCode = 1;
} else {
  const { openCodeCache } = await import("../src/main/code-cache.ts");
  openCodeCache();
  const { runCommand } = await import("../src/cli/index.ts");
  const { processSurroundings } = await import("../src/main/process.ts");
  // A command ends when it says so, not when nothing but a timer that holds nothing is left to wait for.
  const running = setInterval(() => undefined, 2 ** 30);
  process.exitCode = await runCommand(process.argv.slice(2), processSurroundings());
  clearInterval(running);
  // Whatever still holds the process after everything was closed is not worth waiting for.
  setTimeout(() => process.exit(), 1_000).unref();
}
