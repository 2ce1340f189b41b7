/** Every test file runs in a process of its own, and may start parsers: what Node makes of the code is kept for the next, as the program does. */
import { openCodeCache } from "../src/main/code-cache.ts";

openCodeCache();
