/** The parts of mailauth 7 that are used one by one and have no types, or looser ones than what they give. */
declare module "mailauth/lib/dkim/dkim-verifier.js" {
  import type { Writable } from "node:stream";

  export interface Headers {
    readonly parsed: readonly { readonly key: string | null; readonly casedKey?: string; readonly line: Buffer }[];
    readonly original: Buffer;
  }
  interface Tag {
    readonly value?: unknown;
  }
  export interface SignatureHeader {
    readonly type: "DKIM" | "ARC";
    /** Why it was not looked at at all. */
    readonly skip?: string;
    readonly algorithm?: string;
    readonly signingDomain?: string;
    readonly selector?: string;
    readonly parsed?: Readonly<Record<string, Tag | undefined>>;
  }
  export interface SignatureResult {
    readonly id?: string;
    readonly signingDomain?: string;
    readonly selector?: string;
    readonly algo?: string;
    readonly status: {
      readonly result: string;
      readonly comment?: string | false;
      readonly aligned?: string | false;
      /** Bytes of the body that l= leaves unsigned. */
      readonly underSized?: number;
      readonly policy?: Readonly<Record<string, string>>;
      readonly warnings?: readonly string[];
    };
  }
  export interface ArcData {
    readonly chain: readonly Readonly<Record<string, SignatureHeader | undefined>>[] | false;
    readonly lastEntry?: Readonly<Record<string, SignatureHeader | undefined>>;
  }
  export class DkimVerifier extends Writable {
    constructor(options: {
      readonly resolver: (name: string, type: string) => Promise<unknown[]>;
      readonly sender?: string;
      readonly curTime?: Date;
      readonly rejectRsaSha1?: boolean;
    });
    headers: Headers | false;
    state: "header" | "body";
    headerBytes: number;
    byteLength: number;
    signatureHeaders: SignatureHeader[];
    readonly headerFrom: readonly string[];
    readonly fromFields: number;
    readonly results: readonly SignatureResult[];
    readonly arc: ArcData;
    messageHeaders(headers: Headers): Promise<void>;
    /** Takes `chunk` as the last piece of the header, and calls messageHeaders. */
    emitHeaders(chunk?: Buffer): Promise<void>;
    nextChunk(chunk: Buffer): Promise<void>;
    writeAsync(chunk: Buffer): Promise<void>;
    finish(): Promise<void>;
  }
}

declare module "mailauth/lib/spf/index.js" {
  const exported: {
    spf(options: {
      readonly sender?: string;
      readonly ip: string;
      readonly helo: string;
      readonly mta: string;
      readonly resolver: (name: string, type: string) => Promise<unknown[]>;
    }): Promise<{
      readonly domain: string;
      readonly status: { readonly result: string; readonly comment?: string | false };
    }>;
  };
  export default exported;
}

declare module "mailauth/lib/arc/index.js" {
  const exported: {
    arc(
      data: unknown,
      options: { readonly resolver: (name: string, type: string) => Promise<unknown[]> },
    ): Promise<{ readonly status: { readonly result: string; readonly comment?: string | false } }>;
  };
  export default exported;
}

declare module "mailauth/lib/dmarc/index.js" {
  export interface DmarcResponse {
    readonly status: {
      readonly result: string;
      readonly comment?: string | false;
      readonly header: { readonly from: string };
    };
    readonly policy?: string;
    readonly error?: string;
    readonly alignment?: {
      readonly spf: { readonly result?: string; readonly strict: boolean };
      readonly dkim: { readonly result?: string; readonly strict: boolean };
    };
  }
  const exported: {
    evaluateDmarc(options: {
      readonly headerFrom: readonly string[];
      readonly fromFields: number;
      readonly spfDomains: readonly string[];
      readonly dkimDomains: readonly { readonly domain?: string; readonly underSized?: number }[];
      readonly arcResult?: unknown;
      readonly resolver: (name: string, type: string) => Promise<unknown[]>;
    }): Promise<{
      readonly response: DmarcResponse | false;
      readonly dkimAligned?: ReadonlySet<string>;
      readonly reason?: string;
    }>;
  };
  export default exported;
}
