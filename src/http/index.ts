/** DOOR as others see it. */
export { type HttpOptions, type HttpServer, startHttp } from "./server.ts";
