/** A real disk that fails on request: the named call, from the n-th time on, with the error a full or broken disk gives. */
import { type FileHandle, open } from "node:fs/promises";
import { type Disk, realDisk } from "../../src/blobs/durable.ts";

/** `sync of a directory` is told apart from `sync` of a file. */
export type Call = "open" | "write" | "sync" | "syncDirectory" | "close" | "rename" | "link" | "mkdir";

export class FailingDisk {
  /** Every call in the order in which it was made. */
  readonly calls: Call[] = [];
  #fault: { call: Call; from: number; code: string } | undefined;

  /** `from` counts from 1, over calls made after this. */
  failAt(call: Call, code: "ENOSPC" | "EIO", from = 1): void {
    this.calls.length = 0;
    this.#fault = { call, from, code };
  }

  mend(): void {
    this.#fault = undefined;
    this.calls.length = 0;
  }

  #pass(call: Call): void {
    this.calls.push(call);
    const made = this.calls.filter((each) => each === call).length;
    if (this.#fault?.call === call && made >= this.#fault.from) {
      throw Object.assign(new Error(`${this.#fault.code}: planted in ${call}`), { code: this.#fault.code });
    }
  }

  readonly disk: Disk = {
    ...realDisk,
    open: async (...given: Parameters<typeof open>) => {
      const writes = given[1] !== "r";
      if (writes) this.#pass("open");
      return this.#watched(await open(...given), writes);
    },
    rename: async (...given) => {
      this.#pass("rename");
      await realDisk.rename(...given);
    },
    link: async (...given) => {
      this.#pass("link");
      await realDisk.link(...given);
    },
    mkdir: (async (...given: Parameters<Disk["mkdir"]>) => {
      this.#pass("mkdir");
      return await realDisk.mkdir(...given);
    }) as Disk["mkdir"],
  };

  #watched(handle: FileHandle, writes: boolean): FileHandle {
    const before = (call: Call, work: () => unknown) => async () => {
      this.#pass(call);
      return await work();
    };
    return new Proxy(handle, {
      get: (target, name) => {
        if (name === "sync") return before(writes ? "sync" : "syncDirectory", () => target.sync());
        if (name === "write") return (bytes: Uint8Array) => before("write", () => target.write(bytes))();
        if (name === "close" && writes) return this.#closing(target);
        const found: unknown = Reflect.get(target, name);
        return typeof found === "function" ? found.bind(target) : found;
      },
    });
  }

  /** A failing close has closed all the same. */
  #closing(target: FileHandle): () => Promise<void> {
    return async () => {
      await target.close();
      this.#pass("close");
    };
  }
}
