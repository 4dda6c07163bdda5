/**
 * Whether the Deployment's Pods will become Ready: a judgement on what has been seen, so that a wait can end at once on what cannot heal.
 * The waiting reasons are the kubelet's, https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-states
 */
import type { CoreV1Event, V1ContainerStatus, V1Deployment, V1Lease, V1Pod } from "@kubernetes/client-node";
import { secondsSinceRenewal } from "./lease.ts";
import { endOf, hasEnded, isReady, livePods } from "./pods.ts";

/** Everything a judgement needs, read in one go. */
export type RolloutObservation = {
  deployment: V1Deployment;
  pods: readonly V1Pod[];
  events: readonly CoreV1Event[];
  /** By name: kube-scheduler, kube-controller-manager; missing where the cluster has none or it may not be read. */
  leases: Readonly<Record<string, V1Lease | undefined>>;
  now: number;
};

/** Why a rollout is not done, and what that says of the cluster. */
export type Obstacle = {
  /** Whom it befalls: a Pod, the Deployment, a component. */
  subject: string;
  /** Of a Pod: its UID, by which its events are known. */
  podUID?: string | undefined;
  reason: string;
  message: string;
  /** `none`: it cannot heal. `little`: it may, but not after the third time or 15 s. `patient`: progress is being made. */
  hope: "none" | "little" | "patient";
  verdict: "fail" | "inconclusive";
};

/** A leader renews every 2 s and loses its Lease after 15 s, the defaults of --leader-elect-lease-duration. */
const staleLeaseSeconds = 15;

const cannotHeal = /manifest unknown|manifest for .* not found|no match for platform|failed to resolve .*: not found|unsupported manifest/i;

/** The reasons by which a wait ends early. Everything else is waited out. */
const waitingReasons: Record<string, Obstacle["hope"]> = {
  InvalidImageName: "none",
  ErrImageNeverPull: "none",
  ErrImagePull: "little",
  ImagePullBackOff: "little",
  CrashLoopBackOff: "little",
  RunContainerError: "little",
  CreateContainerError: "little",
  CreateContainerConfigError: "little",
};
const pullReasons = new Set(["ErrImagePull", "ImagePullBackOff"]);

/** What a kubelet reports of a Pod on its way: steps that have failed, and steps taken. The latest one tells how far it is. */
const failedSteps = new Set(["FailedCreatePodSandBox", "FailedMount", "Failed"]);
const stepsTaken = new Set(["Pulling", "Pulled", "Created", "Started"]);

/** What cluster-autoscaler and Karpenter report of a Pod for which they are making a Node. */
const givenNodes = new Set(["TriggeredScaleUp", "Nominated"]);

/** Policies that refuse our Pod say nothing about whether the cluster works; a webhook that cannot be called is a broken cluster. */
const refusals = /exceeded quota|violates PodSecurity|admission webhook .* denied the request|is forbidden: (?!error looking up)/;

/** Everything that stands between what has been seen and Pods that are Ready; the control plane first, as it explains the rest. */
export function obstaclesOf(observation: RolloutObservation): Obstacle[] {
  const pods = livePods(observation.pods).filter((pod) => !isReady(pod));
  const ofPods = pods.flatMap((pod) => {
    const own = observation.events.filter(({ involvedObject }) => involvedObject.uid === pod.metadata?.uid);
    return podObstacles(pod, own).map((obstacle) => ({ ...obstacle, podUID: pod.metadata?.uid }));
  });
  return [...leaseObstacles(observation), ...creationObstacles(observation), ...ofPods, ...endedPods(observation.pods)];
}

const named = (pod: V1Pod): string => `Pod ${pod.metadata?.name}${pod.spec?.nodeName === undefined ? "" : ` on ${pod.spec.nodeName}`}`;

/** @param events the Pod's own */
function podObstacles(pod: V1Pod, events: readonly CoreV1Event[]): Obstacle[] {
  const subject = named(pod);
  const unscheduled = (pod.status?.conditions ?? []).find(({ type, status }) => type === "PodScheduled" && status === "False");
  if (unscheduled !== undefined) {
    const { reason = "Unschedulable", message = "" } = unscheduled;
    const hope = events.some((event) => givenNodes.has(event.reason ?? "")) ? "patient" : "little";
    return [{ subject, reason, message, hope, verdict: "fail" }];
  }
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const step = latest(events, ({ reason = "" }) => failedSteps.has(reason) || stepsTaken.has(reason));
  const waiting = [...initContainerStatuses, ...containerStatuses].flatMap((status) => containerObstacles(subject, status, events));
  // While an image is pulled again, its container still shows how the last try ended.
  if (waiting.length > 0 && !(step?.reason === "Pulling" && waiting.every(({ reason }) => pullReasons.has(reason)))) return waiting;
  return [stepObstacle(pod, step)];
}

function containerObstacles(subject: string, status: V1ContainerStatus, events: readonly CoreV1Event[]): Obstacle[] {
  const { reason = "", message = "" } = status.state?.waiting ?? {};
  const hope = waitingReasons[reason];
  if (hope === undefined) return [];
  const detail = message || latest(events, (event) => event.reason === "Failed")?.message || "";
  return [{ subject, reason, message: detail, hope: cannotHeal.test(detail) ? "none" : hope, verdict: "fail" }];
}

function stepObstacle(pod: V1Pod, step: CoreV1Event | undefined): Obstacle {
  const common = { subject: named(pod), verdict: "fail" } as const;
  const { reason = "", message = "" } = step ?? {};
  if (failedSteps.has(reason)) return { ...common, reason, message, hope: "little" };
  if (reason === "Pulling") return { ...common, reason, message, hope: "patient" };
  const phase = pod.status?.phase ?? "without a status";
  return { ...common, reason: phase, message: standOf(pod), hope: "patient" };
}

/** Between two starts a container that ends again and again is in no state that says so; how it ended last does. */
function standOf({ spec, status }: V1Pod): string {
  if (spec?.nodeName === undefined) return "no scheduler has looked at it";
  const ends = (status?.containerStatuses ?? []).flatMap((container) => {
    const end = endOf(container);
    return end === undefined ? [] : [`container ${container.name} has ended: ${end}`];
  });
  return ["not Ready", ...ends].join("; ");
}

/** They do not stand in the way themselves, but tell why others have come, or have not. */
function endedPods(pods: readonly V1Pod[]): Obstacle[] {
  return pods.filter(hasEnded).map((pod): Obstacle => {
    const { phase = "", reason = phase, message = "" } = pod.status ?? {};
    return { subject: named(pod), reason, message, hope: "patient", verdict: "fail" };
  });
}

/** The last of the events that are wanted. One that was seen again counts by its last time; of two in one second, the one made later. */
function latest(events: readonly CoreV1Event[], wanted: (event: CoreV1Event) => boolean): CoreV1Event | undefined {
  return events
    .filter(wanted)
    .toSorted((one, other) => timeOf(one) - timeOf(other))
    .at(-1);
}

/** In milliseconds since 1970. An event has one of these, by the version of the API that it was written in. */
function timeOf({ lastTimestamp, series, eventTime, metadata }: CoreV1Event): number {
  const time = series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp;
  return time === undefined ? 0 : Date.parse(String(time));
}

/** What keeps the ReplicaSet from creating Pods shows in the Deployment's ReplicaFailure condition, unless nobody is at work on it. */
function creationObstacles({ deployment, pods }: RolloutObservation): Obstacle[] {
  const failure = (deployment.status?.conditions ?? []).find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  const subject = "Deployment nginx";
  if (failure !== undefined) {
    const { reason = "FailedCreate", message = "" } = failure;
    const refused = refusals.test(message);
    return [{ subject, reason, message, hope: refused ? "none" : "little", verdict: refused ? "inconclusive" : "fail" }];
  }
  if (deployment.status?.observedGeneration === undefined) {
    return [{ subject, reason: "NotObserved", message: "no controller manager has looked at it", hope: "patient", verdict: "fail" }];
  }
  const [wanted = 0, created] = [deployment.spec?.replicas, livePods(pods).length];
  if (created < wanted) {
    const message = `its ReplicaSet has created ${created} of ${wanted} Pods`;
    return [{ subject, reason: "MissingPods", message, hope: "patient", verdict: "fail" }];
  }
  return [];
}

/** A Lease stands still as well where there is no leader election. So it explains only what its component has left undone. */
function leaseObstacles({ deployment, pods, leases, now }: RolloutObservation): Obstacle[] {
  const live = livePods(pods);
  const hasNothingToDo: Record<string, boolean> = {
    "kube-scheduler": live.length > 0 && live.every(({ spec }) => spec?.nodeName !== undefined),
    "kube-controller-manager": deployment.status?.observedGeneration !== undefined && live.length >= (deployment.spec?.replicas ?? 0),
  };
  return Object.entries(leases).flatMap(([component, lease]): Obstacle[] => {
    if (lease === undefined || hasNothingToDo[component]) return [];
    const age = secondsSinceRenewal(lease, now);
    if (age < staleLeaseSeconds) return [];
    const message = `its Lease in kube-system was last renewed at ${String(lease.spec?.renewTime)} by ${lease.spec?.holderIdentity}`;
    return [{ subject: component, reason: "StaleLease", message, hope: "little", verdict: "fail" }];
  });
}

/** An obstacle in a phrase: `Pod nginx-1 on node-0: ImagePullBackOff, Back-off pulling image ...`. */
export const describeObstacle = ({ subject, reason, message }: Obstacle): string => `${subject}: ${reason}${message && `, ${message}`}`;
