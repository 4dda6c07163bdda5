/**
 * Waiting for something that is on its way, with a deadline, and with the last thing seen when it does not come.
 */
import { setTimeout as sleep } from "node:timers/promises";

const intervalMs = 100;

export type Wait<Seen> = {
  /** What is waited for, as the subject of a sentence. */
  what: string;
  timeoutMs: number;
  /** Says what was seen, for the error. */
  describe: (seen: Seen) => string;
  /** Which kind of error a wait in vain is. */
  error: (sentence: string) => Error;
};

/**
 * Observes at once, and then again every 100 ms, until `done` says so. An observation that is under way at the deadline is not waited for.
 * One that throws ends the wait with its error.
 * @returns the observation that satisfied `done`
 * @throws what `error` makes of the sentence "<what>: not within <n> s; last seen: <...>"
 */
export async function until<Seen>(
  { what, timeoutMs, describe, error }: Wait<Seen>,
  observe: () => Promise<Seen>,
  done: (seen: Seen) => boolean,
): Promise<Seen> {
  let lastSeen = "nothing, the first look is still under way";
  const { promise: deadline, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(error(`${what}: not within ${timeoutMs / 1000} s; last seen: ${lastSeen}`)), timeoutMs);
  try {
    for (;;) {
      const seen = await Promise.race([observe(), deadline]);
      if (done(seen)) return seen;
      lastSeen = describe(seen);
      await Promise.race([sleep(intervalMs), deadline]);
    }
  } finally {
    clearTimeout(timer);
  }
}
