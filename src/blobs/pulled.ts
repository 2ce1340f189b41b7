/** The body of an answer as a stream that is read as it is asked for, and given up when it stalls. */
import type { Readable } from "node:stream";
import { Refused } from "../model/outcome.ts";

/** Nothing came for so long although somebody waits for it. A reader that is slow itself is waited for. */
export const stallMs = 20_000;

/** `failed` says what an error of the connection means. */
export function pulled(body: Readable, where: string, failed: (error: unknown) => Error): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return new ReadableStream<Uint8Array>(
    {
      async pull(out) {
        const { value, done } = await next(chunks, body, where).catch((error: unknown) => {
          throw failed(error);
        });
        if (done === true) out.close();
        else out.enqueue(value);
      },
      cancel() {
        body.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}

async function next(
  chunks: AsyncIterator<Uint8Array>,
  body: Readable,
  where: string,
): Promise<IteratorResult<Uint8Array>> {
  const reason = `${where} sent nothing for ${stallMs / 1000} s in the middle of a file`;
  const stalled = setTimeout(() => body.destroy(new Refused({ kind: "retryable", reason })), stallMs);
  try {
    return await chunks.next();
  } finally {
    clearTimeout(stalled);
  }
}
