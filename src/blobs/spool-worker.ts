/** The entry of the spool's worker thread. */
import { parentPort, workerData } from "node:worker_threads";
import { type SpoolThreadData, serveDrafts } from "./spool-serving.ts";

if (parentPort === null) throw new TypeError("this file runs as a worker thread only");
serveDrafts(parentPort, workerData as SpoolThreadData);
