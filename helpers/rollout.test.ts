import type { CoreV1Event, V1Deployment, V1Pod } from "@kubernetes/client-node";
import { expect, test } from "vitest";
import { describeObstacle, obstaclesOf, type RolloutObservation } from "./rollout.ts";

const deployment: V1Deployment = { status: { observedGeneration: 1 } };
const now = Date.parse("2026-01-01T00:01:00Z");

function observation(overrides: Partial<RolloutObservation>): RolloutObservation {
  return { deployment, pods: [], events: [], leases: {}, now, ...overrides };
}

function pod(status: V1Pod["status"], spec: V1Pod["spec"] = { nodeName: "node-0", containers: [] }): V1Pod {
  return { metadata: { name: "nginx-1", uid: "uid-1" }, spec, ...(status && { status }) };
}

function waiting(reason: string, message = ""): V1Pod {
  return pod({ phase: "Pending", containerStatuses: [{ state: { waiting: { reason, message } } } as never] });
}

function event(reason: string, message = "", lastTimestamp?: string, uid = "uid-1"): CoreV1Event {
  return {
    reason,
    message,
    ...(lastTimestamp && { lastTimestamp: lastTimestamp as never }),
    involvedObject: { uid },
    metadata: {},
  };
}

test.for([
  ["InvalidImageName", "", "none"],
  ["ErrImageNeverPull", "", "none"],
  ["ErrImagePull", "manifest unknown", "none"],
  ["ErrImagePull", "no match for platform in manifest", "none"],
  ["ErrImagePull", "dial tcp 10.0.0.1:5000: i/o timeout", "little"],
  ["ImagePullBackOff", "Back-off pulling image", "little"],
  ["CrashLoopBackOff", "back-off 10s restarting failed container", "little"],
  ["RunContainerError", "seccomp not supported", "little"],
] as const)("a container waiting for %s (%s): hope is %s", ([reason, message, hope]) => {
  const [obstacle] = obstaclesOf(observation({ pods: [waiting(reason, message)] }));
  expect(obstacle).toMatchObject({ subject: "Pod nginx-1 on node-0", reason, hope, verdict: "fail" });
});

test("a container that is being created is waited for, unless its sandbox fails", () => {
  const creating = observation({ pods: [waiting("ContainerCreating")] });
  expect(obstaclesOf(creating)).toMatchObject([{ hope: "patient" }]);
  const failing = observation({
    pods: [waiting("ContainerCreating")],
    events: [event("FailedCreatePodSandBox", "cni plugin not initialized")],
  });
  expect(obstaclesOf(failing)).toMatchObject([{ reason: "FailedCreatePodSandBox", hope: "little", verdict: "fail" }]);
});

test("a pull in progress is told apart from one that is done", () => {
  const pulling = observation({ pods: [waiting("ContainerCreating")], events: [event("Pulling", "Pulling image nginx:latest")] });
  expect(obstaclesOf(pulling)).toMatchObject([{ reason: "Pulling", hope: "patient" }]);
  const pulled = observation({ pods: [waiting("ContainerCreating")], events: [event("Pulling"), event("Pulled")] });
  expect(obstaclesOf(pulled)).toMatchObject([{ reason: "Pending", hope: "patient" }]);
});

const early = "2026-01-01T00:00:10Z";
const late = "2026-01-01T00:00:30Z";

test.for([
  ["a sandbox that failed once, and was made since", [event("FailedCreatePodSandBox", "", early), event("Pulling", "", late)], "Pulling"],
  ["two within a second, as they were made", [event("FailedMount", "", late), event("Pulling", "", late)], "Pulling"],
  ["what was first seen early, and again since", [event("FailedMount", "not found", late), event("Pulled", "", early)], "FailedMount"],
  ["what is no step", [event("Pulling", "", early), event("SandboxChanged", "", late)], "Pulling"],
] as const)("how far a Pod is, its latest step tells: %s", ([_what, events, reason]) => {
  const obstacles = obstaclesOf(observation({ pods: [waiting("ContainerCreating")], events }));
  expect(obstacles.map((obstacle) => obstacle.reason)).toEqual([reason]);
});

test("an event of the newer API tells its last time in its series", () => {
  const series = event("FailedMount", "", early);
  series.series = { count: 4, lastObservedTime: late as never };
  const obstacles = obstaclesOf(observation({ pods: [waiting("ContainerCreating")], events: [series, event("Pulled", "", early)] }));
  expect(obstacles).toMatchObject([{ reason: "FailedMount" }]);
});

test("an image that is pulled again, after a pull that failed, is being pulled; a crash is no matter of pulling", () => {
  const events = [event("Failed", "i/o timeout", early), event("Pulling", "", late)];
  expect(obstaclesOf(observation({ pods: [waiting("ErrImagePull", "i/o timeout")], events }))).toMatchObject([{ reason: "Pulling" }]);
  expect(obstaclesOf(observation({ pods: [waiting("CrashLoopBackOff")], events }))).toMatchObject([{ reason: "CrashLoopBackOff" }]);
});

test("an init container that a webhook has added can stand in the way, too", () => {
  const status = { state: { waiting: { reason: "InvalidImageName", message: "" } } } as never;
  const [obstacle] = obstaclesOf(observation({ pods: [pod({ phase: "Pending", initContainerStatuses: [status] })] }));
  expect(obstacle).toMatchObject({ reason: "InvalidImageName", hope: "none" });
});

test("a Pod that has ended is told of", () => {
  const evicted = pod({ phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." });
  expect(obstaclesOf(observation({ pods: [evicted] })).map(describeObstacle)).toEqual([
    "Pod nginx-1 on node-0: Evicted, The node was low on resource: memory.",
  ]);
});

test("an unschedulable Pod says why", () => {
  const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/2 nodes are available" }];
  const [obstacle] = obstaclesOf(observation({ pods: [pod({ phase: "Pending", conditions }, { containers: [] })] }));
  expect(obstacle && describeObstacle(obstacle)).toBe("Pod nginx-1: Unschedulable, 0/2 nodes are available");
});

test.for([
  ["nobody has said anything about it", "little", []],
  ["cluster-autoscaler makes a Node for it", "patient", [event("FailedScheduling"), event("TriggeredScaleUp")]],
  ["Karpenter makes a Node for it", "patient", [event("Nominated"), event("FailedScheduling")]],
  ["cluster-autoscaler makes none", "little", [event("NotTriggerScaleUp")]],
  ["a Node is made for another Pod", "little", [event("TriggeredScaleUp", "", "2026-01-01T00:00:59Z", "uid-2")]],
] as const)("of an unschedulable Pod, where %s: hope is %s", ([, hope, events]) => {
  const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/2 nodes are available" }];
  const pods = [pod({ phase: "Pending", conditions }, { containers: [] })];
  expect(obstaclesOf(observation({ pods, events }))).toMatchObject([{ reason: "Unschedulable", hope, verdict: "fail" }]);
});

test.for([
  ['pods "nginx-1" is forbidden: exceeded quota: none, requested: pods=1', "inconclusive", "none"],
  ['pods "nginx-1" is forbidden: violates PodSecurity "restricted:latest"', "inconclusive", "none"],
  ['admission webhook "policy.example" denied the request: no', "inconclusive", "none"],
  ['failed calling webhook "policy.example": connection refused', "fail", "little"],
  ['pods "nginx-1" is forbidden: error looking up service account smoke/default: serviceaccount "default" not found', "fail", "little"],
] as const)("a ReplicaSet that cannot create Pods because %s: %s", ([message, verdict, hope]) => {
  const conditions = [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message }];
  const [obstacle] = obstaclesOf(observation({ deployment: { status: { observedGeneration: 1, conditions } } }));
  expect(obstacle).toMatchObject({ reason: "FailedCreate", verdict, hope });
});

test("a ReplicaSet that creates too few Pods, and does not say why, is named", () => {
  const wantsTwo: V1Deployment = { status: { observedGeneration: 1 }, spec: { replicas: 2 } as never };
  expect(obstaclesOf(observation({ deployment: wantsTwo, pods: [] })).map(describeObstacle)).toEqual([
    "Deployment nginx: MissingPods, its ReplicaSet has created 0 of 2 Pods",
  ]);
  const ready = pod({ phase: "Running", conditions: [{ type: "Ready", status: "True" }] });
  expect(obstaclesOf(observation({ deployment: wantsTwo, pods: [ready, ready] }))).toEqual([]);
});

const lease = (renewTime: string) => ({ spec: { renewTime: renewTime as never, holderIdentity: "server_1" } });
const [stale, fresh] = [lease("2026-01-01T00:00:00Z"), lease("2026-01-01T00:00:58Z")];
const unassigned = pod({ phase: "Pending" }, { containers: [] });
const assigned = pod({ phase: "Pending" });

test.for([
  ["that has no Pod to schedule yet", { pods: [], leases: { "kube-scheduler": stale } }, ["kube-scheduler"]],
  ["that has left a Pod without a Node", { pods: [assigned, unassigned], leases: { "kube-scheduler": stale } }, ["kube-scheduler"]],
  ["whose work is done", { pods: [assigned], leases: { "kube-scheduler": stale, "kube-controller-manager": stale } }, []],
  [
    "that has left Pods uncreated",
    { replicas: 2, pods: [assigned], leases: { "kube-controller-manager": stale } },
    ["kube-controller-manager"],
  ],
  ["that renews it", { pods: [unassigned], leases: { "kube-scheduler": fresh } }, []],
] as const)("the Lease of a leader %s", ([_what, { pods, leases, ...wanted }, expected]) => {
  const spec = { replicas: "replicas" in wanted ? wanted.replicas : 1 } as never;
  const obstacles = obstaclesOf(observation({ deployment: { status: { observedGeneration: 1 }, spec }, pods, leases }));
  expect(obstacles.filter(({ reason }) => reason === "StaleLease").map(({ subject }) => subject)).toEqual(expected);
});

test("a Pod on its way out hinders nothing", () => {
  const going = waiting("CrashLoopBackOff");
  going.metadata = { name: "nginx-1", deletionTimestamp: new Date() };
  expect(obstaclesOf(observation({ pods: [going] }))).toEqual([]);
});
