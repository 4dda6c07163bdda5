import { hostname } from "node:os";
import { expect, test } from "vitest";
import { findAbandonedRuns, findRuns } from "./find-runs.ts";
import { startTestAPI } from "./kubernetes-test-server.ts";
import { newTestStore } from "./kubernetes-test-store.ts";
import { readSettings } from "./config.ts";
import { holdLease, microTime } from "./lease.ts";
import { labelsOf, newRun } from "./run.ts";

const { signal } = new AbortController();
const now = microTime(new Date());
const longAgo = microTime(new Date(Date.now() - 601_000));

const namespacePath = (name: string) => `/api/v1/namespaces/${name}`;
const leasePath = (namespace: string, id: string) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/smoke-${id}`;

/** A namespace of a run's own. */
const namespace = (id: string, deletionTimestamp?: string) => ({
  metadata: { name: `smoke-${id}`, labels: labelsOf({ id }), ...(deletionTimestamp !== undefined && { deletionTimestamp }) },
});
const lease = (id: string, inNamespace: string, renewTime: string) => ({
  metadata: { name: `smoke-${id}`, namespace: inNamespace, labels: labelsOf({ id }) },
  // Not of this machine's boot: whether it is alive is not known.
  spec: { holderIdentity: `${hostname()}/1`, renewTime },
});

test("a cluster without runs has none, whatever else it holds", async () => {
  const store = newTestStore({
    [namespacePath("default")]: {},
    [namespacePath("smoke-lookalike")]: {},
    [leasePath("kube-system", "lookalike")]: { metadata: { namespace: "kube-system" } },
  });
  await using api = await startTestAPI(store);
  expect(await findRuns(api.client, signal)).toEqual([]);
  expect(await findAbandonedRuns(api.client, signal)).toEqual({ abandoned: [], atWork: [] });
});

test("a run in a namespace of its own and one in another's are told apart; by its age alone none is called abandoned", async () => {
  const store = newTestStore({
    [namespacePath("smoke-aaaa")]: namespace("aaaa"),
    [leasePath("smoke-aaaa", "aaaa")]: lease("aaaa", "smoke-aaaa", now),
    [namespacePath("default")]: {},
    [leasePath("default", "bbbb")]: lease("bbbb", "default", longAgo),
  });
  await using api = await startTestAPI(store);
  expect(await findRuns(api.client, signal)).toEqual([
    { id: "aaaa", namespace: "smoke-aaaa", ownsNamespace: true, renewTime: now, abandoned: false, looksOld: false, isTerminating: false },
    { id: "bbbb", namespace: "default", ownsNamespace: false, renewTime: longAgo, abandoned: false, looksOld: true, isTerminating: false },
  ]);
});

test("a namespace whose Lease is missing is found; it may have just been created, so it is not called abandoned", async () => {
  const store = newTestStore({ [namespacePath("smoke-aaaa")]: namespace("aaaa") });
  await using api = await startTestAPI(store);
  expect(await findRuns(api.client, signal)).toEqual([
    { id: "aaaa", namespace: "smoke-aaaa", ownsNamespace: true, renewTime: "", abandoned: false, looksOld: false, isTerminating: false },
  ]);
});

test("a run whose namespace is on its way out is abandoned: what holds it up can be told", async () => {
  const store = newTestStore({
    [namespacePath("smoke-aaaa")]: namespace("aaaa", now),
    [leasePath("smoke-aaaa", "aaaa")]: lease("aaaa", "smoke-aaaa", longAgo),
    [namespacePath("smoke-bbbb")]: namespace("bbbb", now),
  });
  await using api = await startTestAPI(store);
  const abandoned = [
    { id: "aaaa", namespace: "smoke-aaaa", ownsNamespace: true, renewTime: "", abandoned: true, looksOld: false, isTerminating: true },
    { id: "bbbb", namespace: "smoke-bbbb", ownsNamespace: true, renewTime: "", abandoned: true, looksOld: false, isTerminating: true },
  ];
  expect(await findRuns(api.client, signal)).toEqual(abandoned);
  expect(await findAbandonedRuns(api.client, signal)).toEqual({ abandoned, atWork: [] });
});

test("whoever does not renew while it is watched is abandoned, and whoever does is at work", async () => {
  const store = newTestStore({
    [leasePath("default", "dead")]: lease("dead", "default", longAgo),
    [leasePath("default", "live")]: lease("live", "default", now),
    [leasePath("default", "mute")]: lease("mute", "default", now),
    [namespacePath("smoke-bare")]: namespace("bare"),
  });
  let looks = 0;
  await using api = await startTestAPI({
    answer: (request, body) => {
      if (request.url.includes("/leases") && (looks += 1) === 2) {
        store.put(leasePath("default", "live"), lease("live", "default", microTime(new Date(Date.now() + 5_000))));
      }
      return store.answer(request, body);
    },
  });

  const { abandoned, atWork } = await findAbandonedRuns(api.client, signal, 20);

  expect(abandoned.map(({ id }) => id)).toEqual(["dead", "mute", "bare"]);
  expect(atWork.map(({ id }) => id)).toEqual(["live"]);
});

test("a run that renews is at work, however old its Lease is by this machine's clock", async () => {
  const store = newTestStore({ [leasePath("default", "live")]: lease("live", "default", longAgo) });
  let looks = 0;
  await using api = await startTestAPI({
    answer: (request, body) => {
      if (request.url.includes("/leases") && (looks += 1) === 2) {
        store.put(leasePath("default", "live"), lease("live", "default", microTime(new Date(Date.now() - 596_000))));
      }
      return store.answer(request, body);
    },
  });

  const { abandoned, atWork } = await findAbandonedRuns(api.client, signal, 20);

  expect({ abandoned, atWork: atWork.map(({ id }) => id) }).toEqual({ abandoned: [], atWork: ["live"] });
});

test.runIf(process.platform === "linux")("nobody is watched where of all it is certain that nobody is at work on them", async () => {
  const store = newTestStore();
  await using api = await startTestAPI(store);
  const run = newRun(readSettings({ SMOKE_NAMESPACE: "default" }));
  (await holdLease(api.client, run, signal))();
  const held = store.objects.get(leasePath("default", run.id)) as object as { spec: { holderIdentity: string } };
  // Of this process's number, and of another start.
  held.spec.holderIdentity += "0";

  const { abandoned } = await findAbandonedRuns(api.client, signal, 3_600_000);

  expect(abandoned).toMatchObject([{ id: run.id, looksOld: false }]);
});

test("watching ends with the signal", async () => {
  const store = newTestStore({ [leasePath("default", "live")]: lease("live", "default", now) });
  await using api = await startTestAPI(store);
  await expect(findAbandonedRuns(api.client, AbortSignal.timeout(200), 3_600_000)).rejects.toThrow("aborted");
});
