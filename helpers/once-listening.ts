/**
 * Asking a server that may have begun a moment ago. A Pod without a readinessProbe, as the chapter's is, is Ready once its container runs,
 * which is before what runs in it listens: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes
 */
import { setTimeout as sleep } from "node:timers/promises";

const intervalMs = 100;

type Asking<Answer> = {
  /** Till when a refused connection may be one to a server that does not listen yet, in milliseconds since 1970. */
  deadline: number;
  isRefused: (answer: Answer) => boolean;
};

/** The first answer that is not a refused connection, whatever else it is; or, past the deadline, the last refusal. */
export async function onceListening<Answer>({ deadline, isRefused }: Asking<Answer>, ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (!isRefused(answer) || Date.now() > deadline) return answer;
    await sleep(intervalMs);
  }
}
