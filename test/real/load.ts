/** A steady stream of small mails to a daemon on the built-in CRM, and the judgement of what became of them. */
import { join } from "node:path";
import { openLocalRecords } from "../../src/store/index.ts";
import { type Home, type RunningDaemon, startDaemon } from "../process/daemon.ts";
import { type Sent, sendMail } from "../process/smtp-client.ts";
import { drained, eventsOf, judge, type SeenActivity, type SentMail, type Verdict } from "../process/verdict.ts";

export interface Load {
  readonly sent: SentMail[];
  readonly replies: string[];
  /** Sends `count` new mails, `width` at a time; resolves with the replies of this round. */
  send(port: number, count: number, width?: number): Promise<readonly Sent[]>;
  /** What got no 250 is sent again, as its sender would, for `patienceMs`. Rejects when it is still refused then. */
  resend(port: number, patienceMs?: number): Promise<void>;
}

export function openLoad(run: string, bytes = 2_000): Load {
  const sent: SentMail[] = [];
  const replies: string[] = [];
  const filler = "Some more of what people write. ".repeat(Math.ceil(bytes / 32)).replaceAll(/.{70}/g, "$&\r\n");

  async function one(port: number, record: SentMail): Promise<Sent> {
    const head = `From: Ana <ana@client.test>\r\nTo: sales@in.test\r\nSubject: ${record.token}\r\nMessage-ID: ${record.id}\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000`;
    const outcome = await sendMail(port, {
      from: "ana@client.test",
      to: ["sales@in.test"],
      data: `${head}\r\n\r\n${record.token}\r\n${filler}`,
    });
    if (outcome.kind === "acknowledged") record.acknowledged = true;
    replies.push(outcome.kind === "unknown" ? "none" : outcome.reply);
    return outcome;
  }

  async function all(port: number, records: readonly SentMail[], width: number): Promise<Sent[]> {
    const queue = records.values();
    const outcomes: Sent[] = [];
    const worker = async () => {
      for (const record of queue) outcomes.push(await one(port, record));
    };
    await Promise.all(Array.from({ length: width }, worker));
    return outcomes;
  }

  return {
    sent,
    replies,
    async send(port, count, width = 8) {
      const records = Array.from({ length: count }, (_, index) => ({
        id: `<${run}.${sent.length + index}@client.test>`,
        token: `word-${run}-${sent.length + index}-end`,
        acknowledged: false,
      }));
      sent.push(...records);
      return await all(port, records, width);
    },
    async resend(port, patienceMs = 10_000) {
      const until = Date.now() + patienceMs;
      for (;;) {
        const outcomes = await all(
          port,
          sent.filter(({ acknowledged }) => !acknowledged),
          8,
        );
        const refused = outcomes.find(({ kind }) => kind !== "acknowledged");
        if (refused === undefined) return;
        if (Date.now() > until)
          throw new Error(`a mail sent again was not taken within ${patienceMs} ms: ${JSON.stringify(refused)}`);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    },
  };
}

/** Lets a sound daemon finish: what got no 250 is sent again, everything drains, it stops; then the CRM and the ledger are read. */
export async function settle(home: Home, load: Load, running?: RunningDaemon): Promise<Verdict> {
  const daemon = running ?? (await startDaemon(home));
  try {
    await load.resend(daemon.smtpPort);
    await drained(daemon.httpPort, 60_000);
  } finally {
    await daemon.kill("SIGTERM");
  }
  return judge(load.sent, localActivities(home), await eventsOf(home));
}

export function localActivities(home: Home): SeenActivity[] {
  const records = openLocalRecords(join(home.dataDir, "crm.sqlite"));
  try {
    return records.list("activity", { limit: 1_000_000 }).map(({ fields, links }) => ({
      messageId: String(fields.message_id),
      body: String(fields.text),
      contacts: links.length,
    }));
  } finally {
    records.close();
  }
}
