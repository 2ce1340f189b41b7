/** Puts a token issuer behind a loopback port. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Issuer } from "./issuer.ts";

export async function serveIssuer(issuer: Pick<Issuer, "handle">): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const reply = await issuer.handle({
      method: request.method ?? "GET",
      path: request.url ?? "/",
      headers: request.headers as Record<string, string | undefined>,
      body: Buffer.concat(chunks).toString("utf8"),
    });
    if ("drop" in reply) response.socket?.resetAndDestroy();
    else response.writeHead(reply.status, reply.headers).end(reply.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
