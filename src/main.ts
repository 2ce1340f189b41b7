/** The composition root: the only part that knows everyone. Commands start here with settings in hand. */
export { type Daemon, startDaemon, startWorks, stopGraceMs, type Works } from "./main/daemon.ts";
export { dataPaths, type Ground, type GroundOptions, openGround, openSettingsLog } from "./main/ground.ts";
export { laneId, type OpenLane, openLanes, tenantPlans } from "./main/lanes.ts";
export { poke } from "./main/poke.ts";
export { diskOf, systemClock, systemRandom } from "./main/system.ts";
