/** The vendors that the road is driven to. A new one is a file and a line here. */
import { closeRoad } from "./close-road.ts";
import { hubspotRoad } from "./hubspot-road.ts";
import { pipedriveRoad } from "./pipedrive-road.ts";
import type { RoadRig } from "./road.ts";
import { salesforceRoad } from "./salesforce-road.ts";
import { trytonRoad } from "./tryton-road.ts";
import { zohoRoad } from "./zoho-road.ts";

export const roadRigs: readonly RoadRig[] = [
  closeRoad,
  hubspotRoad,
  pipedriveRoad,
  salesforceRoad,
  trytonRoad,
  zohoRoad,
];
