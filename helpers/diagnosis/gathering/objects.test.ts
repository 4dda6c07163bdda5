import { parseAllDocuments } from "yaml";
import { expect, test } from "vitest";
import { readSettings } from "../../config.ts";
import { startTestAPI, statusBody } from "../../kubernetes-test-server.ts";
import { newTestStore, type TestStore } from "../../kubernetes-test-store.ts";
import { planted, plantedPassword, tracesIn } from "../../redaction/planted.ts";
import { labelsOf, newRun } from "../../run.ts";
import { readObjects } from "./objects.ts";

/** In a namespace that others share. */
const settings = { SMOKE_HOSTS: "server=192.0.2.10", SMOKE_NAMESPACE: "default", SMOKE_WORKERS: "node-0,node-1" };
const run = { ...newRun(readSettings(settings)), id: "2b1c0a9f" };
const labels = labelsOf(run);
const core = "/api/v1/namespaces/default";
const apps = "/apis/apps/v1/namespaces/default";
const eventAbout = (kind: string, name: string, uid: string) => ({ involvedObject: { kind, name, uid }, reason: "Failed" });
const ownPod = { metadata: { labels, managedFields: [{ manager: "kubelet" }] }, spec: { containers: [{ name: "nginx" }] } };

/** What the API has: of the run, of an earlier one, and of others. */
const cluster = {
  [`${apps}/deployments/nginx`]: { metadata: { labels } },
  [`${apps}/replicasets/nginx-6c`]: { metadata: { labels } },
  [`${apps}/replicasets/nginx-54`]: { metadata: { labels: labelsOf({ id: "11111111" }) } },
  [`${core}/pods/nginx-6c-7tcx2`]: ownPod,
  [`${core}/pods/someones-db-0`]: { spec: { containers: [{ name: "db" }] } },
  [`${core}/events/own`]: eventAbout("Pod", "nginx-6c-7tcx2", `uid of ${core}/pods/nginx-6c-7tcx2`),
  // Of a Pod that is gone its name alone is left.
  [`${core}/events/of-one-gone`]: eventAbout("Pod", "nginx-6c-v6vh4", "5"),
  [`${core}/events/of-deployment`]: eventAbout("Deployment", "nginx", `uid of ${apps}/deployments/nginx`),
  [`${core}/events/of-earlier-run`]: eventAbout("Pod", "nginx-54-pxp6c", "6"),
  [`${core}/events/someones`]: eventAbout("Pod", "someones-db-0", `uid of ${core}/pods/someones-db-0`),
  [`${core}/secrets/kubernetes-the-hard-way`]: {
    metadata: { labels },
    type: "Opaque",
    data: { mykey: "bXlkYXRh" },
    stringData: { a: "b" },
  },
  [`${core}/secrets/someones`]: { data: { password: "cGxhbnRlZA==" } },
  "/api/v1/nodes/node-0": { status: { phase: "yes", images: [{ names: ["registry.example.com/someones"] }] } },
  "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-0": { spec: { holderIdentity: "node-0" } },
  "/apis/networking.k8s.io/v1/servicecidrs/kubernetes": { spec: { cidrs: ["10.32.0.0/24"] } },
};

const serving = (store: TestStore, log = "GET / 200\n") =>
  startTestAPI({
    answer: (request, body) => (request.url.includes("/log?") ? { code: 200, body: log } : store.answer(request, body)),
  });

const ofWorkload = [
  "Deployment/nginx",
  "ReplicaSet/nginx-6c",
  "Pod/nginx-6c-7tcx2",
  "Event/own",
  "Event/of-one-gone",
  "Event/of-deployment",
  "nginx-6c-7tcx2/nginx",
];

type Document = { kind?: string; metadata?: { name: string }; log?: string };
const documentsIn = (text: string | undefined): Document[] => parseAllDocuments(text ?? "").map((document) => document.toJS() as Document);
const namesIn = (text: string | undefined) => documentsIn(text).map(({ kind, metadata, log }) => log ?? `${kind}/${metadata?.name}`);

test.for([
  ["replicas-ready", ofWorkload],
  ["pod-replaced", ofWorkload],
  ["no-restarts", ofWorkload],
  ["exec-tty", ["Pod/nginx-6c-7tcx2", "nginx-6c-7tcx2/nginx"]],
  ["pod-cidr", ["Pod/nginx-6c-7tcx2", "Node/node-0"]],
  ["nodes-ready", ["Node/node-0", "Lease/node-0"]],
  ["secret-decrypts", ["Secret/kubernetes-the-hard-way"]],
  ["service-ports", ["Pod/nginx-6c-7tcx2", "ServiceCIDR/kubernetes"]],
  ["service-endpoints", ["Pod/nginx-6c-7tcx2"]],
] as const)("of the API %s has its own objects, and nothing of others or of an earlier run", async ([check, expected]) => {
  const store = newTestStore(cluster);
  await using api = await serving(store);

  const text = await readObjects(check, { run, client: Promise.resolve(api.client) });

  expect(namesIn(text)).toEqual(expected);
  expect(store.requests.filter((request) => !request.startsWith("GET "))).toEqual([]);
});

test("a kind is asked for once, and in a namespace of the run's own every Event is shown, whatever else can be read", async () => {
  const store = newTestStore({ "/api/v1/namespaces/own/events/1": eventAbout("Pod", "nginx-54-pxp6c", "6") });
  await using api = await startTestAPI({
    answer: (request, body) => {
      const answer = store.answer(request, body);
      return request.url.includes("/replicasets") ? statusBody(403, "", "replicasets is forbidden") : answer;
    },
  });

  const text = await readObjects("no-restarts", {
    run: { ...run, namespace: "own", ownsNamespace: true },
    client: Promise.resolve(api.client),
  });

  expect(namesIn(text)).toEqual(["Event/1"]);
  const kinds = ["/apis/apps/v1/namespaces/own/deployments", "/apis/apps/v1/namespaces/own/replicasets"];
  const ofCore = ["/api/v1/namespaces/own/events", "/api/v1/namespaces/own/pods"];
  expect(store.requests.toSorted()).toEqual([...ofCore, ...kinds].map((path) => `GET ${path}`));
});

test("they are as kubectl shows them, without managedFields", async () => {
  await using api = await serving(newTestStore(cluster));

  const text = await readObjects("port-forward", { run, client: Promise.resolve(api.client) });

  expect(text).toBe(`apiVersion: v1
kind: Pod
metadata:
  name: nginx-6c-7tcx2
  uid: uid of /api/v1/namespaces/default/pods/nginx-6c-7tcx2
  labels:
    app.kubernetes.io/managed-by: hard-way-smoke-test
    hard-way-smoke-test/run: 2b1c0a9f
spec:
  containers:
    - name: nginx
---
log: nginx-6c-7tcx2/nginx
lines: |
  GET / 200
`);
});

test("of the Secret there is only who it is, and of a Node not what others run on it", async () => {
  await using api = await serving(newTestStore(cluster));
  const client = Promise.resolve(api.client);

  const [secret] = documentsIn(await readObjects("secret-encrypted", { run, client }));
  const node = documentsIn(await readObjects("pods-spread", { run, client })).find(({ kind }) => kind === "Node");

  expect(Object.keys(secret ?? {})).toEqual(["apiVersion", "kind", "metadata", "type"]);
  expect(node).toMatchObject({ kind: "Node", status: { phase: "yes" } });
  expect(JSON.stringify(node)).not.toContain("someones");
});

test("what is not there is said", async () => {
  await using api = await serving(newTestStore({ "/api/v1/nodes/node-0": {} }));
  const client = Promise.resolve(api.client);

  expect(await readObjects("nodes-ready", { run, client })).toMatch(
    /^# Node node-1: it is not there\n# Lease: there is none\napiVersion: v1\nkind: Node\n/,
  );
  const ofService = "# Service: there is none of this run\n# EndpointSlice: there is none of this run\n# Pod: there is none of this run\n";
  expect(await readObjects("service-endpoints", { run, client })).toBe(ofService);
  expect(await readObjects("service-ports", { run, client })).toBe(`${ofService}# ServiceCIDR: there is none\n`);
  expect(await readObjects("pod-replaced", { run, client })).toContain("\n# Event: there is none of this run\n");
});

test("what does not answer in time is said, and the rest is there", async () => {
  const store = newTestStore(cluster);
  await using api = await startTestAPI({
    answer: (request, body) => (/\/log\?|deployments/.test(request.url) ? undefined : store.answer(request, body)),
  });
  const began = performance.now();

  const text = await readObjects("replicas-ready", { run, client: Promise.resolve(api.client) }, 1_000);

  expect(performance.now() - began).toBeLessThan(2_500);
  // Without the Deployment it is not known which Events are about it.
  expect(text).toMatch(
    /^# Deployment: not answered within 1 s\n# Event: not answered within 1 s\n# Log of nginx-6c-7tcx2\/nginx: not answered within 1 s\n/,
  );
  expect(namesIn(text)).toEqual(["ReplicaSet/nginx-6c", "Pod/nginx-6c-7tcx2"]);
});

test.for([
  ["is refused", () => Promise.reject(new Error("no such kubeconfig; token: planted-planted")), /no such kubeconfig; token: \[redacted\]/],
  ["never comes", () => new Promise<never>(() => undefined), /not answered within 1 s/],
] as const)("where a client %s, that is said of all", async ([_what, openClient, said]) => {
  const text = await readObjects("logs-recorded", { run, client: openClient() }, 200);

  expect(text?.split("\n")).toEqual([expect.stringMatching(/^# Pod: /), expect.stringMatching(/^# Log: /), ""]);
  expect(text).toMatch(said);
});

test("what the API refuses is said in its words", async () => {
  await using api = await startTestAPI({ answer: () => ({ code: 403, body: { message: "secrets is forbidden" } }) });

  expect(await readObjects("secret-deleted", { run, client: Promise.resolve(api.client) })).toMatch(
    /^# Secret: .*secrets is forbidden.*\n$/,
  );
});

test("what is not one for each Node is missed of none", async () => {
  await using api = await serving(newTestStore(cluster));

  const text = await readObjects("service-ports", { run, client: Promise.resolve(api.client) });

  expect(text).toMatch(/^# Service: .*\n# EndpointSlice: .*\napiVersion: /);
});

test.for([
  [404, "the server could not find the requested resource"],
  [403, "servicecidrs.networking.k8s.io is forbidden"],
] as const)("that ServiceCIDRs are not there or not shown, with %i, is said, and the rest is there", async ([code, message]) => {
  const store = newTestStore(cluster);
  await using api = await startTestAPI({
    answer: (request, body) => (request.url.endsWith("/servicecidrs") ? statusBody(code, "", message) : store.answer(request, body)),
  });

  const text = await readObjects("service-ports", { run, client: Promise.resolve(api.client) });

  expect(text).toMatch(new RegExp(`^# ServiceCIDR: .*${message}`, "m"));
  expect(namesIn(text)).toEqual(["Pod/nginx-6c-7tcx2"]);
});

test("nothing that must not leave is in an object or a log", async () => {
  const annotations = Object.fromEntries(
    planted.map(({ text }, index) => [`example.com/${index}`, `above ${index}\n${text}\nbelow ${index}`]),
  );
  const env = [{ name: "DB_PASSWORD", value: plantedPassword }];
  const pod = {
    metadata: { labels, annotations },
    spec: { containers: [{ name: "nginx", env, args: ["--token", plantedPassword, "--v", "2"] }] },
  };
  // In this order none begins what another ends.
  const log = Object.values(annotations).toReversed().join("\n");
  await using api = await serving(newTestStore({ [`${core}/pods/nginx-1`]: pod }), log);

  const text = (await readObjects("logs-recorded", { run, client: Promise.resolve(api.client) })) ?? "";

  expect(tracesIn(text)).toEqual([]);
  const around = planted.flatMap((_, index) => [`above ${index}`, `below ${index}`]);
  // In the annotation, and in the log.
  expect(around.filter((line) => text.split(new RegExp(`${line}\\b`)).length !== 3)).toEqual([]);
  expect(documentsIn(text)[0]).toMatchObject({
    spec: { containers: [{ env: [{ name: "DB_PASSWORD", value: "[redacted]" }], args: ["--token", "[redacted]", "--v", "2"] }] },
  });
});

test("of a log the last lines are asked for, and of a long one its beginning is shown", async () => {
  const asked: string[] = [];
  const store = newTestStore(cluster);
  await using api = await startTestAPI({
    answer: (request, body) => {
      asked.push(request.url);
      return request.url.includes("/log?") ? { code: 200, body: `${"x ".repeat(500)}\nshort\n` } : store.answer(request, body);
    },
  });

  const text = await readObjects("logs-followed", { run, client: Promise.resolve(api.client) });

  expect(asked.find((url) => url.includes("/log?"))).toMatch(/\/pods\/nginx-6c-7tcx2\/log\?container=nginx&tailLines=20$/);
  expect(text).toContain(`\n  ${"x ".repeat(200)}…\n  short\n`);
});

/** A Pod of which one container has restarted, and whose logs are answered so. */
const restarted = (answerLog: (url: string) => ReturnType<typeof statusBody>) => {
  const containerStatuses = [
    { name: "nginx", restartCount: 2 },
    { name: "sidecar", restartCount: 0 },
  ];
  const pod = { metadata: { labels }, spec: { containers: [{ name: "nginx" }, { name: "sidecar" }] }, status: { containerStatuses } };
  const store = newTestStore({ [`${core}/pods/nginx-1`]: pod });
  return startTestAPI({
    answer: (request, body) => (request.url.includes("/log?") ? answerLog(request.url) : store.answer(request, body)),
  });
};

test("of a container that has restarted, and of no other, the end of the log before is shown as well", async () => {
  await using api = await restarted((url) => ({ code: 200, body: `${"x ".repeat(500)}\n${url.split("?")[1]}\ntoken: planted-planted` }));

  const text = await readObjects("no-restarts", { run, client: Promise.resolve(api.client) });

  const lines = (query: string) => `${"x ".repeat(200)}…\n${query}&tailLines=20\ntoken: [redacted]`;
  expect(documentsIn(text).filter(({ log }) => log !== undefined)).toEqual([
    { log: "nginx-1/nginx", previous: true, lines: lines("container=nginx&previous=true") },
    { log: "nginx-1/nginx", lines: lines("container=nginx") },
    { log: "nginx-1/sidecar", lines: lines("container=sidecar") },
  ]);
});

test("that the log before is kept no more is said, and the present one is there", async () => {
  await using api = await restarted((url) =>
    url.includes("previous") ? statusBody(400, "", 'previous terminated container "nginx" not found') : { code: 200, body: "now" },
  );

  const text = await readObjects("logs-recorded", { run, client: Promise.resolve(api.client) });

  expect(text).toMatch(/^# Log of nginx-1\/nginx, of the container before: .*previous terminated container \S+ not found/);
  expect(namesIn(text)).toEqual(["Pod/nginx-1", "nginx-1/nginx", "nginx-1/sidecar"]);
});

test("a check that is not in the table has none", async () => {
  expect(await readObjects("a-new-one", { run, client: new Promise(() => undefined) })).toBeUndefined();
});
