/**
 * The bound of all that is gathered: nobody waits longer for a cause than it is worth.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../../errors.ts";
import { redact } from "../../redaction/redact.ts";
import { notAnswered } from "../model.ts";

/** What comes in time; else what is made of the reason why not. */
export async function within<Value>(ms: number, work: Promise<Value>, otherwise: (reason: string) => Value): Promise<Value> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: over.signal, ref: false }).then(() => `${notAnswered} within ${Math.ceil(ms / 1000)} s`);
  try {
    return await Promise.race([work.catch((error: unknown) => otherwise(redact(reasonOf(error)))), late.then(otherwise)]);
  } finally {
    late.catch(() => undefined);
    over.abort();
  }
}
