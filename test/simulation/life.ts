/** One life of the daemon's process: every call it makes to the world may be its last, and nothing of a dead one ever goes on. */

export type Moment = "before" | "after";

/** What a dead process would have thrown, where a synchronous call cannot simply never return. */
export class Dead extends Error {
  override readonly name = "Dead";
}

/** Decides for each call whether the process dies there. */
export type Fate = (call: string) => Moment | undefined;

/** A fresh one each time: one that all dead code waited for would keep all of it in memory. */
const never = (): Promise<never> => new Promise(() => undefined);

export class Life {
  readonly number: number;
  readonly #fate: Fate;
  readonly #onDeath: (call: string, moment: Moment) => void;
  readonly #end = Promise.withResolvers<"dead">();
  #alive = true;

  constructor(number: number, fate: Fate, onDeath: (call: string, moment: Moment) => void) {
    this.number = number;
    this.#fate = fate;
    this.#onDeath = onDeath;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Resolves when the process is gone: what a peer sees as a closed connection. */
  get died(): Promise<"dead"> {
    return this.#end.promise;
  }

  die(call: string, moment: Moment): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#onDeath(call, moment);
    this.#end.resolve("dead");
  }

  /** Does `work` for the process, unless it is dead, or dies just before or just after. */
  async call<T>(name: string, work: () => Promise<T> | T): Promise<T> {
    if (!this.#alive) return await never();
    const moment = this.#fate(name);
    if (moment === "before") {
      this.die(name, "before");
      return await never();
    }
    try {
      return await work();
    } finally {
      if (moment === "after") this.die(name, "after");
      // Whatever came of it, there is nobody left to hear it.
      if (!this.#alive) await never();
    }
  }

  /** The same for a synchronous call. */
  callSync<T>(name: string, work: () => T): T {
    if (!this.#alive) throw new Dead();
    const moment = this.#fate(name);
    if (moment === "before") {
      this.die(name, "before");
      throw new Dead();
    }
    const value = work();
    if (moment === "after") {
      this.die(name, "after");
      throw new Dead();
    }
    return value;
  }
}

type Caller = (name: string, work: () => unknown) => unknown;

/** The same object, each of its methods made through `call`. */
function through<T extends object>(call: Caller, prefix: string, target: T): T {
  const made = new Map<PropertyKey, unknown>();
  return new Proxy(target, {
    get(object, name) {
      const known = made.get(name);
      if (known !== undefined) return known;
      const member: unknown = Reflect.get(object, name);
      if (typeof member !== "function") return member;
      const wrapped = (...args: unknown[]) =>
        call(`${prefix}.${String(name)}`, () => Reflect.apply(member, object, args) as unknown);
      made.set(name, wrapped);
      return wrapped;
    },
  });
}

/** An object of asynchronous methods as a mortal process calls it. */
export function mortal<T extends object>(life: Life, prefix: string, target: T): T {
  return through((name, work) => life.call(name, work), prefix, target);
}

/** An object of synchronous methods as a mortal process calls it. */
export function mortalSync<T extends object>(life: Life, prefix: string, target: T): T {
  return through((name, work) => life.callSync(name, work), prefix, target);
}

/** An object of asynchronous methods, each of which may fail before or after its effect. `none` lets the call be. */
export function faulty<T extends object>(
  prefix: string,
  target: T,
  fault: (call: string) => Moment | undefined,
  error: (moment: Moment) => Error,
): T {
  const call: Caller = async (name, work) => {
    const moment = fault(name);
    if (moment === "before") throw error("before");
    const value = await work();
    if (moment === "after") throw error("after");
    return value;
  };
  return through(call, prefix, target);
}
