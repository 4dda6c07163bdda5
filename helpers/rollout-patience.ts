/**
 * How long Pods that are not Ready are worth waiting for.
 */
import type { Obstacle, RolloutObservation } from "./rollout.ts";

export type Deadlines = {
  /** How long Pods may take that make no progress anybody could wait for. */
  readyTimeoutMs: number;
  /** How long images may be pulled, beside that. */
  pullTimeoutMs: number;
};

export type Patience = {
  /** What ends the wait after another look: an obstacle that will not go away, or a deadline. */
  after(observation: RolloutObservation, obstacles: readonly Obstacle[]): { hopeless: Obstacle | undefined; isOver: boolean };
};

const hopelessAfterMs = 15_000;
const hopelessAfterTimes = 3;

/** @param began when the wait began, in milliseconds since 1970 */
export function newPatience(began: number, { readyTimeoutMs, pullTimeoutMs }: Deadlines): Patience {
  const memory: Memory = new Map();
  // Apart, so that a pull which has taken its time leaves the Pods theirs.
  const spentMs = { pulling: 0, waiting: 0 };
  let lastLook = began;
  return {
    after: (observation, obstacles) => {
      const isPulling = obstacles.some(({ reason }) => reason === "Pulling");
      spentMs[isPulling ? "pulling" : "waiting"] += observation.now - lastLook;
      lastLook = observation.now;
      return {
        hopeless: obstacles.find((obstacle) => isHopeless(obstacle, observation, memory)),
        isOver: isPulling ? spentMs.pulling > pullTimeoutMs : spentMs.waiting > readyTimeoutMs,
      };
    },
  };
}

/** When each obstacle was seen first and last. One that has stayed away for as long as it may last begins anew. */
type Memory = Map<string, { first: number; last: number }>;

function isHopeless(obstacle: Obstacle, { now, events }: RolloutObservation, memory: Memory): boolean {
  if (obstacle.hope === "patient") return false;
  if (obstacle.hope === "none") return true;
  const key = keyOf(obstacle);
  const before = memory.get(key);
  const first = before === undefined || now - before.last >= hopelessAfterMs ? now : before.first;
  memory.set(key, { first, last: now });
  return now - first >= hopelessAfterMs || timesOf(obstacle, events) >= hopelessAfterTimes;
}

/** The message tells the renewals of a Lease apart, which looks stale, and is renewed, where the cluster's clock is behind. */
const keyOf = ({ subject, reason, message }: Obstacle): string => [subject, reason, reason === "StaleLease" && message].join(" ");

/** How often the Pod's kubelet has reported the same. Its event may say more than its status: `Failed to pull image: ...`. */
function timesOf({ message, podUID }: Obstacle, events: RolloutObservation["events"]): number {
  if (message === "") return 0;
  const own = events.filter((event) => event.involvedObject.uid === podUID && event.message?.includes(message));
  return Math.max(0, ...own.map(({ series, count }) => series?.count ?? count ?? 1));
}
