/** One parse in a process of its own, for bench/parse.ts: prints its idle memory and its peak, in bytes. `node bench/parse-memory.ts PARSER CASE` */
import { cases, type ParserName, parseOne } from "./parse-cases.ts";

const [who, name] = process.argv.slice(2) as [ParserName, string];
const wanted = cases.find((one) => one.name === name);
const [small] = cases;
if (wanted === undefined || small === undefined) throw new Error(`there is no case ${name}`);

// Loads the code, as a process that waits for its next message has.
await parseOne(who, small, 0);
const idle = process.resourceUsage().maxRSS * 1024;
await parseOne(who, wanted, 0);
const peak = process.resourceUsage().maxRSS * 1024;
process.stdout.write(JSON.stringify({ idle, peak }));
