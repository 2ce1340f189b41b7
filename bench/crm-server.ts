/** The instant HubSpot of the benches in a process of its own: find, create and log are real calls over HTTP, answered at once. */
import { systemClock } from "../src/main/system.ts";
import { createHubspotSandbox } from "../src/sandbox/hubspot.ts";
import { startSandbox } from "../src/sandbox/server.ts";

const { url } = await startSandbox(createHubspotSandbox({ clock: systemClock, options: { instant: true } }));
process.send?.({ url });
