/**
 * Waiting for something that is on its way, with a deadline, and with the last thing seen when it does not come.
 */
import { setTimeout as sleep } from "node:timers/promises";

export type Wait<Seen> = {
  /** What is waited for, as the subject of a sentence. */
  what: string;
  timeoutMs: number;
  /** 100 ms unless told. */
  intervalMs?: number;
  /** Calls the wait off; it is then rejected with the signal's reason. */
  signal?: AbortSignal;
  /** Says what was seen, for the error. */
  describe: (seen: Seen) => string;
  /** Which kind of error a wait in vain is. */
  error: (sentence: string) => Error;
};

/**
 * Observes at once, and then again at each interval, until `done` says so. An observation that is under way at the deadline is told so by
 * its signal, and not waited for. One that throws ends the wait with its error.
 * @returns the observation that satisfied `done`
 * @throws what `error` makes of the sentence "<what>: not within <n> s; last seen: <...>"
 */
export async function until<Seen>(
  { what, timeoutMs, intervalMs = 100, signal, describe, error }: Wait<Seen>,
  observe: (signal: AbortSignal) => Promise<Seen>,
  done: (seen: Seen) => boolean,
): Promise<Seen> {
  signal?.throwIfAborted();
  const deadline = new AbortController();
  const over = AbortSignal.any([deadline.signal, ...(signal ? [signal] : [])]);
  const { promise: calledOff, reject } = Promise.withResolvers<never>();
  over.addEventListener("abort", reject, { once: true });
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  let lastSeen = "nothing, the first look is still under way";
  try {
    for (;;) {
      const seen = await Promise.race([observe(over), calledOff]);
      if (done(seen)) return seen;
      lastSeen = describe(seen);
      await sleep(intervalMs, undefined, { signal: over });
    }
  } catch (reason) {
    signal?.throwIfAborted();
    throw deadline.signal.aborted ? error(`${what}: not within ${timeoutMs / 1000} s; last seen: ${lastSeen}`) : reason;
  } finally {
    clearTimeout(timer);
  }
}
