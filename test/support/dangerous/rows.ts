/** What a row of the table of dangerous files says. */

export interface Sample {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array;
}

export interface Dangerous {
  /** In words: the name of the test. */
  readonly what: string;
  /** What has to be found in it. */
  readonly code: string;
  readonly status: "stripped" | "quarantined";
  readonly file: Sample;
  readonly twin: Sample;
}

const octets = "application/octet-stream";

export const sample = (name: string, bytes: Uint8Array, type = octets): Sample => ({ name, type, bytes });

export const stripped = (what: string, code: string, file: Sample, twin: Sample): Dangerous => ({
  what,
  code,
  status: "stripped",
  file,
  twin,
});

export const quarantined = (what: string, code: string, file: Sample, twin: Sample): Dangerous => ({
  what,
  code,
  status: "quarantined",
  file,
  twin,
});
