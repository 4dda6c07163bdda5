import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { beginRun, NothingCreated, type Need } from "./begin-run.ts";
import { readSettings } from "./config.ts";
import { KubernetesClient } from "./kubernetes.ts";
import { startTestAPI, statusBody } from "./kubernetes-test-server.ts";
import { newTestStore, type TestStore } from "./kubernetes-test-store.ts";
import { labelsOf, newRun, type Run } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "begin-run-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { signal } = new AbortController();
const runWith = (variables: Record<string, string> = {}): Run => newRun(readSettings(variables));
const everything: ReadonlySet<Need> = new Set(["etcd", "deployment", "service"]);

/** Begins a run and stops renewing its Lease; returns what could not be created. */
const begin = async (store: Pick<TestStore, "answer">, run: Run, needs: ReadonlySet<Need> = everything) => {
  await using api = await startTestAPI(store);
  const { stopRenewing, obstacles } = await beginRun(api.client, run, needs, signal);
  stopRenewing();
  return obstacles;
};
/** What a run has created, without its namespace and its Lease. */
const createdIn = ({ objects }: TestStore, { namespace }: Run): string[] =>
  [...objects.keys()].flatMap((path) => path.split(`/namespaces/${namespace}/`)[1] ?? []).filter((path) => !path.startsWith("leases/"));
const writes = ({ requests }: TestStore): string[] => requests.filter((request) => !request.startsWith("GET "));

test("a run has a namespace of its own, its Lease in it, and what its checks need; all of it bears its labels", async () => {
  const [store, run] = [newTestStore(), runWith()];
  expect(await begin(store, run)).toEqual({});

  expect([...store.objects.keys()].slice(0, 2)).toEqual([
    `/api/v1/namespaces/${run.namespace}`,
    `/apis/coordination.k8s.io/v1/namespaces/${run.namespace}/leases/smoke-${run.id}`,
  ]);
  expect(createdIn(store, run).toSorted()).toEqual(["configmaps/smoke-calibration", "deployments/nginx", "services/nginx"]);
  for (const { metadata } of store.objects.values()) expect(metadata.labels).toMatchObject(labelsOf(run));
});

test.for([
  [[], []],
  [["etcd"], ["configmaps/smoke-calibration"]],
  [["deployment"], ["deployments/nginx"]],
  [
    ["deployment", "service"],
    ["deployments/nginx", "services/nginx"],
  ],
] as const)("what needs %j creates only %j", async ([needs, created]) => {
  const [store, run] = [newTestStore(), runWith()];
  await begin(store, run, new Set(needs));
  expect(createdIn(store, run).toSorted()).toEqual(created);
});

test("the Deployment is created with one replica, and scaled to two", async () => {
  const [store, run] = [newTestStore(), runWith()];
  const replicas: unknown[] = [];
  const answer: TestStore["answer"] = (request, body) => {
    if (request.url.includes("/deployments"))
      replicas.push([request.method, (JSON.parse(body) as { spec: { replicas: number } }).spec.replicas]);
    return store.answer(request, body);
  };
  await begin({ answer }, run, new Set(["deployment"]));
  expect(replicas).toEqual([
    ["POST", 1],
    ["PATCH", 2],
  ]);
  expect(writes(store).at(-1)).toBe(`PATCH /apis/apps/v1/namespaces/${run.namespace}/deployments/nginx/scale`);
});

test("a pull Secret is there before the Deployment whose Pods need it", async () => {
  const path = join(folder, "config.json");
  writeFileSync(path, "{}");
  const [store, run] = [newTestStore(), runWith({ SMOKE_PULL_SECRET: path })];
  await begin(store, run, new Set(["deployment"]));
  expect(createdIn(store, run)).toEqual(["secrets/smoke-pull", "deployments/nginx"]);
});

test("what cannot be created hinders whoever needs it, with its verdict, and nobody else", async () => {
  const [store, run] = [newTestStore(), runWith()];
  const answer: TestStore["answer"] = (request, body) => {
    if (request.method === "POST" && request.url.endsWith("/services"))
      return statusBody(403, "Forbidden", "exceeded quota: services.nodeports");
    if (request.method === "POST" && request.url.endsWith("/configmaps")) return statusBody(500, "InternalError", "etcdserver: no leader");
    return store.answer(request, body);
  };
  expect(await begin({ answer }, run)).toEqual({
    service: { verdict: "inconclusive", message: expect.stringContaining("exceeded quota: services.nodeports") },
    etcd: { verdict: "fail", message: expect.stringContaining("etcdserver: no leader") },
  });
  expect(createdIn(store, run)).toEqual(["deployments/nginx"]);
});

/** The store, with refusals where a path ends so. */
const refusing = (store: TestStore, suffix: string, code: number): Pick<TestStore, "answer"> => ({
  answer: (request, body) => (request.url.endsWith(suffix) ? statusBody(code, "", `${suffix} is refused`) : store.answer(request, body)),
});

test("a run whose namespace is refused, or that reaches no API, has certainly created nothing", async () => {
  const [store, run] = [newTestStore(), runWith()];
  await expect(begin(refusing(store, "/namespaces", 403), run)).rejects.toThrow(NothingCreated);
  expect(store.objects.size).toBe(0);

  const api = await startTestAPI(store);
  await api[Symbol.asyncDispose]();
  const client = new KubernetesClient(api.access);
  await expect(beginRun(client, run, everything, signal)).rejects.toThrow(NothingCreated);
  await client.close();
});

test("of a namespace that is answered with 5xx nobody knows whether it is there", async () => {
  const began = begin(refusing(newTestStore(), "/namespaces", 500), runWith());
  await expect(began).rejects.toMatchObject({ name: "ConformanceError", code: 500 });
  await expect(began).rejects.not.toBeInstanceOf(NothingCreated);
});

test("without a Lease nothing else is created, and the namespace is known to be there", async () => {
  const [store, run] = [newTestStore(), runWith()];
  await expect(begin(refusing(store, "/leases", 403), run)).rejects.toMatchObject({ name: "InconclusiveError", code: 403 });
  expect([...store.objects.keys()]).toEqual([`/api/v1/namespaces/${run.namespace}`]);
});

test("in an existing namespace the chapter is created under its own names, and the namespace stays as it was", async () => {
  const store = newTestStore({ "/api/v1/namespaces/default": {}, "/api/v1/namespaces/default/configmaps/of-others": {} });
  const run = runWith({ SMOKE_NAMESPACE: "default" });
  expect(await begin(store, run)).toEqual({});
  expect(createdIn(store, run).toSorted()).toEqual([
    "configmaps/of-others",
    "configmaps/smoke-calibration",
    "deployments/nginx",
    "services/nginx",
  ]);
  expect(store.objects.get("/api/v1/namespaces/default")?.metadata.labels).toBeUndefined();
});

test("a namespace that does not exist is refused, and is not created", async () => {
  const store = newTestStore();
  await expect(begin(store, runWith({ SMOKE_NAMESPACE: "default" }))).rejects.toMatchObject({
    name: "SettingsError",
    problems: ['SMOKE_NAMESPACE="default": the cluster has no such namespace. Create it, or unset SMOKE_NAMESPACE.'],
  });
  expect(writes(store)).toEqual([]);
});

test.for([
  ["Secret kubernetes-the-hard-way", "/api/v1/namespaces/default/secrets/kubernetes-the-hard-way"],
  ["Deployment nginx", "/apis/apps/v1/namespaces/default/deployments/nginx"],
  ["Service nginx", "/api/v1/namespaces/default/services/nginx"],
  ["ConfigMap smoke-calibration", "/api/v1/namespaces/default/configmaps/smoke-calibration"],
  ["Secret smoke-pull", "/api/v1/namespaces/default/secrets/smoke-pull"],
] as const)("a namespace that holds the %s is refused, touching nothing", async ([what, path]) => {
  const store = newTestStore({ "/api/v1/namespaces/default": {}, [path]: {} });
  await expect(begin(store, runWith({ SMOKE_NAMESPACE: "default" }))).rejects.toMatchObject({
    name: "SettingsError",
    problems: [
      expect.stringContaining(
        `SMOKE_NAMESPACE="default": it already holds ${what}, which this run would create. Nothing has been touched.`,
      ),
    ],
  });
  expect(writes(store)).toEqual([]);
});

test("every name that is taken is told at once", async () => {
  const store = newTestStore({
    "/api/v1/namespaces/default": {},
    "/apis/apps/v1/namespaces/default/deployments/nginx": {},
    "/api/v1/namespaces/default/services/nginx": {},
  });
  await expect(begin(store, runWith({ SMOKE_NAMESPACE: "default" }))).rejects.toThrow(
    "it already holds Deployment nginx, Service nginx, which",
  );
});

test("a namespace in which it cannot be seen whether a name is taken is not touched", async () => {
  const store = newTestStore({ "/api/v1/namespaces/default": {} });
  const answer: TestStore["answer"] = (request, body) =>
    request.url.includes("/secrets/") ? statusBody(403, "Forbidden", "secrets is forbidden") : store.answer(request, body);
  await expect(begin({ answer }, runWith({ SMOKE_NAMESPACE: "default" }))).rejects.toThrow(NothingCreated);
  expect(writes(store)).toEqual([]);
});
