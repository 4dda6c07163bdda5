/**
 * Asking a server that may have begun a moment ago. A Pod without a readinessProbe, as the chapter's is, is Ready once its container runs,
 * which is before what runs in it listens: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes
 */
import { setTimeout as sleep } from "node:timers/promises";

type Asking<Answer> = {
  /** Till when an answer may be that of a server which does not listen yet, in milliseconds since 1970. */
  deadline: number;
  isTooSoon: (answer: Answer) => boolean;
  /** 100 ms unless told. */
  intervalMs?: number;
};

/** The first answer that does not come too soon, as a refused connection does, whatever else it is; past the deadline, the last one. */
export async function onceListening<Answer>(
  { deadline, isTooSoon, intervalMs = 100 }: Asking<Answer>,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (!isTooSoon(answer) || Date.now() > deadline) return answer;
    await sleep(intervalMs);
  }
}
