import { expect, test } from "vitest";
import { startTestAPI, statusBody } from "./kubernetes-test-server.ts";
import { newTestStore, type TestStore } from "./kubernetes-test-store.ts";
import { removeRun, type RemovableRun } from "./remove-run.ts";
import { labelsOf } from "./run.ts";

const own: RemovableRun = { id: "aaaaaaaa", namespace: "smoke-aaaaaaaa", ownsNamespace: true };
const guest: RemovableRun = { id: "aaaaaaaa", namespace: "default", ownsNamespace: false };
const labelled = ({ id }: Pick<RemovableRun, "id">, metadata: object = {}) => ({
  metadata: { labels: { app: "nginx", ...labelsOf({ id }) }, ...metadata },
});

const namespacePath = ({ namespace }: RemovableRun) => `/api/v1/namespaces/${namespace}`;
const leasePath = ({ id, namespace }: RemovableRun) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/smoke-${id}`;
const podPath = ({ namespace }: RemovableRun, name: string) => `/api/v1/namespaces/${namespace}/pods/${name}`;
/** One object of every kind that a run creates, or that comes of what it creates. */
const objectPaths = ({ namespace }: RemovableRun): string[] => [
  `/apis/apps/v1/namespaces/${namespace}/deployments/nginx`,
  `/apis/apps/v1/namespaces/${namespace}/replicasets/nginx-1`,
  `/api/v1/namespaces/${namespace}/services/nginx`,
  `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices/nginx-1`,
  `/api/v1/namespaces/${namespace}/secrets/kubernetes-the-hard-way`,
  `/api/v1/namespaces/${namespace}/configmaps/smoke-calibration`,
  podPath({ namespace, id: "", ownsNamespace: false }, "nginx-1-a"),
];
/** All that a run has left: its objects, its Lease, and its namespace where it has one of its own. */
const leftBy = (run: RemovableRun): Record<string, object> =>
  Object.fromEntries(
    [...objectPaths(run), leasePath(run), ...(run.ownsNamespace ? [namespacePath(run)] : [])].map((path) => [path, labelled(run)]),
  );

const within = (ms = 5_000): AbortSignal => AbortSignal.timeout(ms);
/** There is no garbage collector here, and none is waited for unless told. */
const remove = async (store: Pick<TestStore, "answer">, run: RemovableRun, signal = within(), garbageCollectorMs = -1) => {
  await using api = await startTestAPI(store);
  return await removeRun(api.client, run, signal, garbageCollectorMs);
};
const deletions = ({ requests }: TestStore): string[] => requests.filter((request) => request.startsWith("DELETE "));

test("a run in a namespace of its own leaves nothing, and nothing new can come into its namespace meanwhile", async () => {
  const store = newTestStore(leftBy(own));
  expect(await remove(store, own)).toEqual([]);
  expect([...store.objects.keys()], "the Lease goes with the namespace").toEqual([leasePath(own)]);
  expect(deletions(store)[0]).toBe(`DELETE ${namespacePath(own)}`);
});

test("a run in a namespace of others leaves that namespace, and its Lease goes last", async () => {
  const store = newTestStore({ ...leftBy(guest), [namespacePath(guest)]: {} });
  expect(await remove(store, guest)).toEqual([]);
  expect([...store.objects.keys()]).toEqual([namespacePath(guest)]);
  expect(deletions(store).at(-1)).toBe(`DELETE ${leasePath(guest)}`);
});

test("in a namespace of others, what controllers have created is left to the garbage collector for a while", async () => {
  const store = newTestStore(leftBy(guest));
  const deletedAt = new Map<string, number>();
  const began = Date.now();
  const answer: TestStore["answer"] = (request, body) => {
    if (request.method === "DELETE") deletedAt.set(request.url.split("?", 1)[0] as string, Date.now() - began);
    return store.answer(request, body);
  };
  expect(await remove({ answer }, guest, within(), 300)).toEqual([]);

  const [deployment, replicaSet] = objectPaths(guest).map((path) => deletedAt.get(path) ?? 0);
  expect(deployment).toBeLessThan(300);
  expect(replicaSet).toBeGreaterThanOrEqual(300);
});

test("every object is deleted by its UID", async () => {
  const store = newTestStore(leftBy(own));
  const uids: string[] = [];
  const answer: TestStore["answer"] = (request, body) => {
    if (request.method === "DELETE") uids.push((JSON.parse(body) as { preconditions: { uid: string } }).preconditions.uid);
    return store.answer(request, body);
  };
  await remove({ answer }, own);
  expect(uids.toSorted()).toEqual([...objectPaths(own), namespacePath(own)].map((path) => `uid of ${path}`).toSorted());
});

test("what lacks the label, and what another run or another namespace holds, is left alone", async () => {
  const other = { id: "bbbbbbbb" };
  const foreign = Object.fromEntries([
    ...objectPaths(guest).map((path) => [`${path}-unlabelled`, { metadata: { labels: { app: "nginx" } } }]),
    ...objectPaths(guest).map((path) => [`${path}-of-another-run`, labelled(other)]),
    ...objectPaths({ ...guest, namespace: "elsewhere" }).map((path) => [path, labelled(guest)]),
    [leasePath({ ...guest, ...other }), labelled(other)],
  ]) as Record<string, object>;
  const store = newTestStore({ ...leftBy(guest), ...foreign });
  expect(await remove(store, guest)).toEqual([]);
  expect([...store.objects.keys()].toSorted()).toEqual(Object.keys(foreign).toSorted());
});

const saidToBeLeft = expect.stringMatching(
  /^namespace smoke-aaaaaaaa: it was left, because .*labels .* by which a run knows its own.*"kubectl --context test delete namespace smoke-aaaaaaaa"$/,
) as string;

test.for([
  ["has no labels", {}, [saidToBeLeft]],
  ["bears the run's label alone", { metadata: { labels: { "hard-way-smoke-test/run": own.id } } }, [saidToBeLeft]],
  ["is another run's", labelled({ id: "bbbbbbbb" }), []],
  ["has no labels and is on its way out", { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }, []],
] as const)("a namespace that %s is never deleted, whatever the run says", async ([_what, namespace, expected]) => {
  const store = newTestStore({ ...leftBy(own), [namespacePath(own)]: namespace });
  expect(await remove(store, own)).toEqual(expected);
  // Without its Lease nobody takes for a run what is no run's. What is on its way out takes the Lease along.
  const isGoing = "metadata" in namespace && "deletionTimestamp" in namespace.metadata;
  expect([...store.objects.keys()].toSorted()).toEqual([namespacePath(own), ...(isGoing ? [leasePath(own)] : [])].toSorted());
});

test("a namespace that somebody creates under the name of the run's own, which has just gone, is left without a word", async () => {
  const store = newTestStore({ [namespacePath(own)]: labelled(own) });
  const answer: TestStore["answer"] = (request, body) => {
    if (request.method === "DELETE") store.put(namespacePath(own), { metadata: { uid: "somebody else's" } });
    return store.answer(request, body);
  };
  expect(await remove({ answer }, own)).toEqual([]);
  expect(store.objects.get(namespacePath(own))?.metadata.uid).toBe("somebody else's");
});

test("a Lease of the run's name that is not the run's is left alone", async () => {
  const store = newTestStore({ [leasePath(guest)]: {} });
  expect(await remove(store, guest)).toEqual([]);
  expect(store.objects.has(leasePath(guest))).toBe(true);
});

test("Pods on their way out are waited for, and are not told to go again", async () => {
  const store = newTestStore({
    [namespacePath(own)]: labelled(own),
    [podPath(own, "a")]: labelled(own, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
  });
  let rounds = 0;
  const answer: TestStore["answer"] = (request, body) => {
    if (request.url.includes("/pods?") && (rounds += 1) === 3) store.objects.delete(podPath(own, "a"));
    return store.answer(request, body);
  };
  expect(await remove({ answer }, own)).toEqual([]);
  expect(rounds).toBe(3);
  expect(deletions(store)).toEqual([`DELETE ${namespacePath(own)}`]);
});

test("a namesake that somebody creates meanwhile is left alone", async () => {
  const path = podPath(guest, "a");
  const store = newTestStore({ [path]: labelled(guest) });
  const answer: TestStore["answer"] = (request, body) => {
    if (request.method === "DELETE" && request.url === path) store.put(path, { metadata: { uid: "somebody else's" } });
    return store.answer(request, body);
  };
  expect(await remove({ answer }, guest)).toEqual([]);
  expect(store.objects.get(path)?.metadata.uid).toBe("somebody else's");
});

test("what has gone by itself meanwhile is no problem", async () => {
  const path = podPath(guest, "a");
  const store = newTestStore({ [path]: labelled(guest) });
  const answer: TestStore["answer"] = (request, body) => {
    if (request.method === "DELETE") store.objects.delete(path);
    return store.answer(request, body);
  };
  expect(await remove({ answer }, guest)).toEqual([]);
});

test("where nothing is, not even the namespace, and where it is Terminating, there is nothing to do", async () => {
  const store = newTestStore();
  expect(await remove(store, own)).toEqual([]);
  store.put(namespacePath(own), labelled(own, { deletionTimestamp: "2026-01-01T00:00:00Z" }));
  expect(await remove(store, own)).toEqual([]);
  expect(deletions(store)).toEqual([]);
});

test("an API that fails for a moment is asked again", async () => {
  const store = newTestStore(leftBy(own));
  let failures = 0;
  const answer: TestStore["answer"] = (request, body) => {
    if (request.method === "DELETE" && (failures += 1) <= 3) return statusBody(503, "ServiceUnavailable", "etcdserver: no leader");
    return store.answer(request, body);
  };
  expect(await remove({ answer }, own)).toEqual([]);
  expect([...store.objects.keys()]).toEqual([leasePath(own)]);
});

test("what may not be deleted is told, and does not save the rest", async () => {
  const store = newTestStore(leftBy(guest));
  const answer: TestStore["answer"] = (request, body) => {
    if (request.url.includes("/secrets")) return statusBody(403, "Forbidden", "secrets is forbidden");
    return store.answer(request, body);
  };
  expect(await remove({ answer }, guest, within(1_500))).toEqual([
    expect.stringMatching(/^objects labelled hard-way-smoke-test\/run=aaaaaaaa in namespace default: .*secrets is forbidden/),
  ]);
  expect([...store.objects.keys()].toSorted()).toEqual(
    [`${namespacePath(guest)}/secrets/kubernetes-the-hard-way`, leasePath(guest)].toSorted(),
  );
});

test("a kind that may not be listed goes with the run's own namespace, and is told of in another's", async () => {
  const refusing = (run: RemovableRun): Pick<TestStore, "answer"> => {
    const store = newTestStore(leftBy(run));
    return {
      answer: (request, body) =>
        request.url.includes("/endpointslices") ? statusBody(403, "Forbidden", "may not list") : store.answer(request, body),
    };
  };

  expect(await remove(refusing(own), own)).toEqual([]);
  expect(await remove(refusing(guest), guest, within(1_500))).toEqual([expect.stringContaining("may not list")]);
});

test("what does not go ends with the signal, and is named", async () => {
  const stuck = labelled(own, { deletionTimestamp: "2026-01-01T00:00:00Z" });
  const store = newTestStore({ [namespacePath(own)]: labelled(own), [podPath(own, "a")]: stuck, [podPath(own, "b")]: stuck });
  const began = performance.now();
  expect(await remove(store, own, within(300))).toEqual(["namespace smoke-aaaaaaaa: Pod a; Pod b"]);
  expect(performance.now() - began).toBeLessThan(3_000);
  expect(deletions(store), "the namespace is told, what is on its way out is not told again").toEqual([`DELETE ${namespacePath(own)}`]);
});

test("a namespace that may not be deleted is told of, and does not save what is in it", async () => {
  const store = newTestStore(leftBy(own));
  const answer: TestStore["answer"] = (request, body) =>
    request.method === "DELETE" && request.url.endsWith(namespacePath(own))
      ? statusBody(403, "Forbidden", "may not delete namespaces")
      : store.answer(request, body);

  expect(await remove({ answer }, own, within(1_500))).toEqual([expect.stringContaining("may not delete namespaces")]);
  expect([...store.objects.keys()]).toEqual([leasePath(own), namespacePath(own)]);
});

test("an API that hangs, or is away, ends with the signal and is no exception", async () => {
  await using api = await startTestAPI({});
  expect(await removeRun(api.client, own, within(300))).toEqual(["namespace smoke-aaaaaaaa: not deleted"]);
  await api[Symbol.asyncDispose]();
  expect(await removeRun(api.client, own, within(600))).toEqual([expect.stringMatching(/^namespace smoke-aaaaaaaa: .+/)]);
});

test("without time nothing is asked", async () => {
  const store = newTestStore(leftBy(own));
  expect(await remove(store, own, AbortSignal.abort())).toEqual(["namespace smoke-aaaaaaaa: not deleted"]);
  expect(store.requests).toEqual([]);
});
