import type { V1Pod } from "@kubernetes/client-node";
import { expect, test } from "vitest";
import { endedSince, isReady, livePods, restartsOf } from "./pods.ts";

const pod = (status: V1Pod["status"] & object): V1Pod => ({
  metadata: { name: "nginx-1", uid: "uid-1" },
  spec: { nodeName: "node-0", containers: [] },
  status,
});

test("a Pod is Ready when it runs and says so", () => {
  const conditions = [{ type: "Ready", status: "True" }];
  expect(isReady(pod({ phase: "Running", conditions }))).toBe(true);
  expect(isReady(pod({ phase: "Pending", conditions }))).toBe(false);
  expect(isReady(pod({ phase: "Running", conditions: [{ type: "Ready", status: "False" }] }))).toBe(false);
});

test("a Pod that was Ready has to stay so, and to keep its container", () => {
  const conditions = [{ type: "Ready", status: "True" }];
  const running = (containerID: string, more: object = {}) =>
    pod({ phase: "Running", conditions, containerStatuses: [{ name: "nginx", containerID, ...more } as never] });
  const lastState = { terminated: { reason: "Error", exitCode: 1 } };
  const crashed = running("containerd://1", { state: lastState });
  if (crashed.status) crashed.status.conditions = [{ type: "Ready", status: "False" }];

  const since = (later?: V1Pod) => endedSince(running("containerd://1"), later);

  expect(since(running("containerd://1"))).toBeUndefined();
  expect(since(running("containerd://2", { lastState }))).toMatch(/^Pod nginx-1 on node-0 was Ready, .* ended since: Error, exit code 1$/);
  expect(since(crashed)).toMatch(/ended since: Error, exit code 1$/);
  expect(since(pod({ phase: "Running", containerStatuses: [] }))).toMatch(/is so no more$/);
  expect(since()).toMatch(/is gone$/);
});

test("a Pod that has ended, or is on its way out, counts no more", () => {
  const going = pod({ phase: "Running" });
  going.metadata = { name: "nginx-2", deletionTimestamp: new Date() };
  const pending = pod({ phase: "Pending" });

  expect(livePods([pod({ phase: "Failed", reason: "Evicted" }), pod({ phase: "Succeeded" }), going, pending])).toEqual([pending]);
});

test("the restarts of a Pod are those of all its containers, and none before it has any", () => {
  expect(restartsOf(pod({ containerStatuses: [{ restartCount: 1 }, { restartCount: 2 }] as never }))).toBe(3);
  expect(restartsOf(pod({ phase: "Pending" }))).toBe(0);
});
