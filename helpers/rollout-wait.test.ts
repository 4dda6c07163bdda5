import type { V1Pod } from "@kubernetes/client-node";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readSettings } from "./config.ts";
import { startTestAPI, type TestAPI } from "./kubernetes-test-server.ts";
import { newTestStore, type TestStore } from "./kubernetes-test-store.ts";
import { waitForReadyPods } from "./rollout-wait.ts";
import { labelsOf, newRun } from "./run.ts";

const run = newRun(readSettings({ SMOKE_NAMESPACE: "smoke" }));
const deploymentPath = "/apis/apps/v1/namespaces/smoke/deployments/nginx";
const podPath = (name: string) => `/api/v1/namespaces/smoke/pods/${name}`;
const eventPath = (name: string) => `/api/v1/namespaces/smoke/events/${name}`;
const expectation = { replicas: 2, readyTimeoutMs: 60_000, pullTimeoutMs: 180_000 };

const ready = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
const waiting = (reason: string, message: string) => ({
  phase: "Pending",
  containerStatuses: [{ state: { waiting: { reason, message } } }],
});
const pod = (status: object, metadata: object = {}) => ({
  metadata: { labels: labelsOf(run), ...metadata },
  spec: { nodeName: "node-0" },
  status,
});
const event = (reason: string, message: string, count = 1) => ({
  reason,
  message,
  count,
  involvedObject: { uid: `uid of ${podPath("a")}` },
});
const quota = 'pods "nginx" is forbidden: exceeded quota: none';
const refusedByQuota = { conditions: [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: quota }] };

// What takes minutes in a cluster takes as many looks here: the clock stands still between them.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-01-01T00:00:00Z") }));
afterEach(() => void vi.useRealTimers());

const storeWith = (objects: Record<string, object>) =>
  newTestStore({ [deploymentPath]: { status: { observedGeneration: 1 } }, ...objects });

/** An API on which every look at the Deployment takes some seconds by the clock, and may change what there is. */
const startWith = (store: TestStore, { lookSeconds = 0, onLook = (_look: number): void => undefined } = {}): Promise<TestAPI> => {
  let looks = 0;
  return startTestAPI({
    answer: (request, body) => {
      if (request.url === deploymentPath) {
        onLook((looks += 1));
        vi.setSystemTime(Date.now() + lookSeconds * 1000);
      }
      return store.answer(request, body);
    },
  });
};
const namesOf = (pods: readonly V1Pod[]) => pods.map(({ metadata }) => metadata?.name);

test("ready Pods of the run are returned by name; those of others, and those on their way out, do not count", async () => {
  const store = storeWith({
    [podPath("b")]: pod(ready),
    [podPath("a")]: pod(ready),
    [podPath("foreign")]: pod(ready, { labels: labelsOf({ id: "another" }) }),
    [podPath("leaving")]: pod(ready, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
  });
  await using api = await startWith(store);
  expect(namesOf(await waitForReadyPods(api.client, run, expectation))).toEqual(["a", "b"]);
  expect(store.requests, "nothing needs an explanation yet").not.toContain("GET /api/v1/namespaces/smoke/events");
});

test("a Pod too few and a Pod too many are waited out", async () => {
  const store = storeWith({ [podPath("a")]: pod(ready) });
  const onLook = (look: number): void => {
    if (look === 2) for (const name of ["b", "c"]) store.put(podPath(name), pod(ready));
    if (look === 3) store.objects.delete(podPath("c"));
  };
  await using api = await startWith(store, { onLook });
  expect(await waitForReadyPods(api.client, run, expectation)).toHaveLength(2);
  expect(store.requests.filter((request) => request === `GET ${deploymentPath}`)).toHaveLength(3);
});

test("what else the Pods have to be is waited for, too", async () => {
  const store = storeWith({ [podPath("a")]: pod(ready), [podPath("b")]: pod(ready) });
  await using api = await startWith(store);
  let asked = 0;
  const pods = await waitForReadyPods(api.client, run, { ...expectation, accept: () => (asked += 1) === 2 });
  expect(namesOf(pods)).toEqual(["a", "b"]);
  expect(asked).toBe(2);
});

test("what cannot heal ends the wait at once, with what was seen", async () => {
  const store = storeWith({ [podPath("a")]: pod(waiting("InvalidImageName", "couldn't parse image name")), [podPath("b")]: pod(ready) });
  await using api = await startWith(store);
  await expect(waitForReadyPods(api.client, run, expectation)).rejects.toMatchObject({
    name: "ConformanceError",
    message: "Deployment smoke/nginx cannot become ready: 1 of 2 Pods Ready; Pod a on node-0: InvalidImageName, couldn't parse image name",
  });
});

test("a refusal by policy says nothing about the cluster", async () => {
  const store = storeWith({ [deploymentPath]: { status: { observedGeneration: 1, ...refusedByQuota } } });
  await using api = await startWith(store);
  await expect(waitForReadyPods(api.client, run, expectation)).rejects.toMatchObject({
    name: "InconclusiveError",
    message: expect.stringContaining(`Deployment nginx: FailedCreate, ${quota}`),
  });
});

test("the same reason for 15 s ends the wait, and not before", async () => {
  const store = storeWith({ [podPath("a")]: pod(waiting("CrashLoopBackOff", "back-off 10s restarting")) });
  const began = Date.now();
  await using api = await startWith(store, { lookSeconds: 5 });
  await expect(waitForReadyPods(api.client, run, expectation)).rejects.toThrow(
    "cannot become ready: 0 of 2 Pods Ready; Pod a on node-0: CrashLoopBackOff, back-off 10s restarting",
  );
  expect(Date.now() - began).toBe(20_000);
});

test("a reason that comes and goes starts anew with another one", async () => {
  const [first, second] = [waiting("CrashLoopBackOff", "back-off"), waiting("RunContainerError", "seccomp")];
  const store = storeWith({ [podPath("a")]: pod(first) });
  const onLook = (look: number): void => {
    store.put(podPath("a"), pod(look > 3 ? second : first));
    if (look === 5) for (const name of ["a", "b"]) store.put(podPath(name), pod(ready));
  };
  await using api = await startWith(store, { lookSeconds: 6, onLook });
  expect(await waitForReadyPods(api.client, run, expectation)).toHaveLength(2);
});

test("the third time of the same reason ends the wait", async () => {
  const store = storeWith({
    [podPath("a")]: pod(waiting("ImagePullBackOff", "")),
    [eventPath("1")]: event("Failed", "failed to pull image: i/o timeout", 2),
  });
  const onLook = (look: number): void => {
    if (look === 3) store.put(eventPath("1"), event("Failed", "failed to pull image: i/o timeout", 3));
  };
  const began = Date.now();
  await using api = await startWith(store, { lookSeconds: 2, onLook });
  await expect(waitForReadyPods(api.client, run, expectation)).rejects.toThrow(
    "cannot become ready: 0 of 2 Pods Ready; Pod a on node-0: ImagePullBackOff, failed to pull image: i/o timeout",
  );
  expect(Date.now() - began).toBe(6_000);
});

test("an attempt that failed is counted by its event, which says more than the status", async () => {
  const store = storeWith({
    [podPath("a")]: pod(waiting("ErrImagePull", "i/o timeout")),
    [eventPath("1")]: { ...event("Failed", "failed to pull image: i/o timeout"), series: { count: 3 } },
  });
  const began = Date.now();
  await using api = await startWith(store, { lookSeconds: 2 });
  await expect(waitForReadyPods(api.client, run, expectation)).rejects.toThrow("Pod a on node-0: ErrImagePull, i/o timeout");
  expect(Date.now() - began).toBe(4_000);
});

test("what has befallen a Pod, and is overcome, ends no wait when it comes once more much later", async () => {
  const store = storeWith({ [podPath("a")]: pod({ phase: "Pending" }) });
  const onLook = (look: number): void => {
    const reason = look === 2 || look === 9 ? "FailedCreatePodSandBox" : "Pulling";
    store.put(eventPath("1"), event(reason, `look ${look}`));
    if (look === 10) for (const name of ["a", "b"]) store.put(podPath(name), pod(ready));
  };
  await using api = await startWith(store, { lookSeconds: 4, onLook });
  expect(await waitForReadyPods(api.client, run, expectation)).toHaveLength(2);
});

test("a pull leaves the Pods all of their own time", async () => {
  const store = storeWith({ [podPath("a")]: pod({ phase: "Pending" }) });
  const onLook = (look: number): void => {
    store.put(eventPath("1"), event(look < 5 ? "Pulling" : "Pulled", ""));
    if (look === 7) for (const name of ["a", "b"]) store.put(podPath(name), pod(ready));
  };
  await using api = await startWith(store, { lookSeconds: 25, onLook });
  expect(await waitForReadyPods(api.client, run, { ...expectation, readyTimeoutMs: 80_000 })).toHaveLength(2);
});

test("what has befallen others three times, in a namespace that is shared, does not end the wait", async () => {
  const message = "failed to pull image: i/o timeout";
  const store = storeWith({
    [podPath("a")]: pod(waiting("ImagePullBackOff", message)),
    [eventPath("1")]: { ...event("Failed", message, 9), involvedObject: { uid: "another's" } },
  });
  const onLook = (look: number): void => {
    if (look === 4) for (const name of ["a", "b"]) store.put(podPath(name), pod(ready));
  };
  await using api = await startWith(store, { lookSeconds: 2, onLook });
  expect(await waitForReadyPods(api.client, run, expectation)).toHaveLength(2);
});

test.for([
  ["a pull in progress", [event("Pulling", "Pulling image nginx:latest")], "Pod a on node-0: Pulling, Pulling image nginx:latest", 240],
  ["a Pod without progress", [], "Pod a on node-0: Pending, not Ready", 80],
] as const)("%s may take its own time and no longer", async ([_what, [pulling], seen, seconds]) => {
  const store = storeWith({ [podPath("a")]: pod({ phase: "Pending" }), ...(pulling && { [eventPath("1")]: pulling }) });
  await using api = await startWith(store, { lookSeconds: 40 });
  await expect(waitForReadyPods(api.client, run, expectation)).rejects.toMatchObject({
    name: "ConformanceError",
    message: expect.stringContaining(`Deployment smoke/nginx was not ready after ${seconds} s: 0 of 2 Pods Ready; ${seen}`),
  });
});

test("of a container that ends again and again the last end is told, also when the wait ends while it is started once more", async () => {
  const ended = { reason: "Error", exitCode: 1 };
  const started = { state: { running: {} }, lastState: { terminated: ended } };
  const store = storeWith({
    [podPath("a")]: pod({ phase: "Running", containerStatuses: [{ name: "nginx", ...started }] }),
    [podPath("b")]: pod({ phase: "Running", containerStatuses: [{ name: "nginx", state: { terminated: ended } }] }),
  });
  await using api = await startWith(store, { lookSeconds: 40 });
  await expect(waitForReadyPods(api.client, run, expectation)).rejects.toThrow(
    /Pod a on node-0: Running, not Ready; container nginx has ended: Error, exit code 1; Pod b on node-0: .*: Error, exit code 1$/m,
  );
});

test("Leases of the control plane that are not there, or may not be read, hinder nobody", async () => {
  const store = storeWith({ [podPath("a")]: pod(ready) });
  await using api = await startTestAPI({
    answer: (request, body) => {
      if (request.url === deploymentPath) vi.setSystemTime(Date.now() + 2_000);
      if (request.url.endsWith("/leases/kube-scheduler")) {
        store.put(podPath("b"), pod(ready));
        return { code: 403, body: "leases is forbidden" };
      }
      return store.answer(request, body);
    },
  });
  expect(namesOf(await waitForReadyPods(api.client, run, expectation))).toEqual(["a", "b"]);
});

const schedulerLease = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler";
const stale = (renewTime: string) => ({ spec: { renewTime, holderIdentity: "server_1" } });

test("a stale Lease of the scheduler is named while nothing is scheduled", async () => {
  const unassigned = { ...pod({ phase: "Pending" }), spec: {} };
  const store = storeWith({ [schedulerLease]: stale("2025-12-31T23:59:00Z"), [podPath("a")]: unassigned });
  await using api = await startWith(store, { lookSeconds: 5 });
  await expect(waitForReadyPods(api.client, run, expectation)).rejects.toThrow(
    "cannot become ready: 0 of 2 Pods Ready; kube-scheduler: StaleLease, its Lease in kube-system was last renewed at 2025-12-31T23:59:00Z by server_1",
  );
});

test("a Lease that looks stale and is renewed all the same, because a clock is behind, is no reason to give up", async () => {
  const store = storeWith({});
  const onLook = (look: number): void => void store.put(schedulerLease, stale(`2025-12-31T23:59:0${look}Z`));
  await using api = await startWith(store, { lookSeconds: 16, onLook });
  await expect(waitForReadyPods(api.client, run, expectation)).rejects.toThrow(
    "was not ready after 64 s: 0 of 2 Pods Ready; kube-scheduler: StaleLease",
  );
});

test("an API that does not let us look ends the wait with its own error", async () => {
  await using api = await startTestAPI({ answer: () => ({ code: 403, body: "deployments.apps is forbidden" }) });
  await expect(waitForReadyPods(api.client, run, expectation)).rejects.toMatchObject({ name: "InconclusiveError", code: 403 });
});
