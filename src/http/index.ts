/** DOOR as others see it. */
export { openSessions } from "./operators/sessions.ts";
export { hashPassword } from "./password.ts";
export { type HttpOptions, type HttpServer, startHttp } from "./server.ts";
