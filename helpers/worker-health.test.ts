import { expect, onTestFinished, test, vi } from "vitest";
import { startTestAPI } from "./kubernetes-test-server.ts";
import { newTestStore } from "./kubernetes-test-store.ts";
import { microTime } from "./lease.ts";
import { workerProblems } from "./worker-health.ts";

const node = (status = "True") => ({ status: { conditions: [{ type: "Ready", status, reason: "KubeletNotReady", message: "no CNI" }] } });
const secondsAgo = (seconds: number): string => microTime(new Date(Date.now() - seconds * 1000));
const lease = (renewTime: string, leaseDurationSeconds?: number) => ({
  spec: { renewTime, ...(leaseDurationSeconds !== undefined && { leaseDurationSeconds }) },
});
const briefly = () => 0.5;

const nodePath = (name: string) => `/api/v1/nodes/${name}`;
const leasePath = (name: string) => `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`;

test("workers that are Ready and have renewed their Leases have no problem", async () => {
  const store = newTestStore({
    [nodePath("node-0")]: node(),
    [nodePath("node-1")]: node(),
    [leasePath("node-0")]: lease(secondsAgo(1)),
    [leasePath("node-1")]: lease(secondsAgo(12)),
  });
  await using api = await startTestAPI(store);
  expect(await workerProblems(api.client, ["node-0", "node-1"])).toEqual([]);
});

test("a Lease that lasts longer is renewed less often", async () => {
  const store = newTestStore({ [nodePath("node-0")]: node(), [leasePath("node-0")]: lease(secondsAgo(32), 120) });
  await using api = await startTestAPI(store);
  expect(await workerProblems(api.client, ["node-0"])).toEqual([]);
});

test.for([
  ["of the usual 40 s", 40, 13],
  ["of 120 s", 120, 33],
] as const)("a Lease %s that is old is watched for as long as its renewal may take", async ([, leaseDurationSeconds, seconds]) => {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const store = newTestStore({ [nodePath("node-0")]: node(), [leasePath("node-0")]: lease(secondsAgo(3_600), leaseDurationSeconds) });
  await using api = await startTestAPI({
    answer: (request, body) => {
      if (request.url === leasePath("node-0")) vi.setSystemTime(Date.now() + 20_000);
      return store.answer(request, body);
    },
  });
  expect(await workerProblems(api.client, ["node-0"])).toEqual([expect.stringContaining(`not in the ${seconds} s since`)]);
});

test("every worker that is missing, not Ready or without a Lease is named", async () => {
  const store = newTestStore({ [nodePath("node-0")]: node("Unknown"), [nodePath("node-1")]: node() });
  await using api = await startTestAPI(store);
  expect(await workerProblems(api.client, ["node-0", "node-1", "node-2"], briefly)).toEqual([
    "node-0: Ready is Unknown (KubeletNotReady: no CNI), and has not become Ready in the 0.5 s since",
    "node-1: Ready, but it had no Lease in kube-node-lease, and got none in the 0.5 s since: its kubelet does not report",
    "node-2: not registered; the cluster has node-0, node-1",
  ]);
});

test("without names every registered Node is looked at, and none at all is a problem", async () => {
  const store = newTestStore({ [nodePath("node-7")]: node("False") });
  await using api = await startTestAPI(store);
  expect(await workerProblems(api.client, [], briefly)).toEqual([
    "node-7: Ready is False (KubeletNotReady: no CNI), and has not become Ready in the 0.5 s since",
  ]);

  store.objects.clear();
  expect(await workerProblems(api.client, [])).toEqual(["no Node is registered: no kubelet has ever reached the API server"]);
  expect(await workerProblems(api.client, ["node-0"])).toEqual(["node-0: not registered; the cluster has no Nodes"]);
});

test("a Node that becomes Ready while it is watched is that of a kubelet that has just begun", async () => {
  const store = newTestStore({ [nodePath("node-0")]: node("False"), [leasePath("node-0")]: lease(secondsAgo(0)) });
  await using api = await startTestAPI({
    answer: (request, body) => {
      const answer = store.answer(request, body);
      store.put(nodePath("node-0"), node());
      return answer;
    },
  });
  expect(await workerProblems(api.client, ["node-0"])).toEqual([]);
});

test.for([
  ["old", secondsAgo(3_600)],
  ["of the future, because clocks differ,", secondsAgo(-3_600)],
] as const)("a Lease that is %s and is renewed while it is watched is a live one", async ([_what, renewTime]) => {
  const store = newTestStore({ [nodePath("node-0")]: node(), [leasePath("node-0")]: lease(renewTime) });
  const reads = () => store.requests.filter((request) => request.endsWith(leasePath("node-0"))).length;
  await using api = await startTestAPI({
    answer: (request, body) => {
      if (reads() === 1) store.put(leasePath("node-0"), lease(`${renewTime}, renewed`));
      return store.answer(request, body);
    },
  });
  expect(await workerProblems(api.client, ["node-0"])).toEqual([]);
  expect(reads()).toBe(2);
});

test("a Lease that comes while it is watched is that of a kubelet that has just begun", async () => {
  const store = newTestStore({ [nodePath("node-0")]: node() });
  await using api = await startTestAPI({
    answer: (request, body) => {
      const answer = store.answer(request, body);
      if (request.url === leasePath("node-0")) store.put(leasePath("node-0"), lease(secondsAgo(0)));
      return answer;
    },
  });
  expect(await workerProblems(api.client, ["node-0"])).toEqual([]);
});

test.for([
  ["stays as it is", false],
  ["vanishes", true],
] as const)("an old Lease that %s while it is watched is that of a silent kubelet", async ([_what, vanishes]) => {
  const renewTime = secondsAgo(3_600);
  const store = newTestStore({ [nodePath("node-0")]: node(), [leasePath("node-0")]: lease(renewTime) });
  await using api = await startTestAPI({
    answer: (request, body) => {
      const answer = store.answer(request, body);
      if (vanishes && request.url === leasePath("node-0")) store.objects.delete(leasePath("node-0"));
      return answer;
    },
  });
  expect(await workerProblems(api.client, ["node-0"], briefly)).toEqual([
    `node-0: Ready, but its Lease was last renewed at ${renewTime} and not in the 0.5 s since: its kubelet is silent`,
  ]);
});

test("a Lease that may not be read is no silence", async () => {
  const store = newTestStore({ [nodePath("node-0")]: node() });
  await using api = await startTestAPI({
    answer: (request, body) =>
      request.url === leasePath("node-0") ? { code: 403, body: "leases is forbidden" } : store.answer(request, body),
  });
  await expect(workerProblems(api.client, ["node-0"])).rejects.toMatchObject({ name: "InconclusiveError", code: 403 });
});
