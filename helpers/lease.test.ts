import { spawn } from "node:child_process";
import { once } from "node:events";
import type { V1Lease } from "@kubernetes/client-node";
import { afterEach, expect, test, vi } from "vitest";
import { readSettings } from "./config.ts";
import { startTestAPI } from "./kubernetes-test-server.ts";
import { newTestStore } from "./kubernetes-test-store.ts";
import { holderIsDead, holdLease, leaseDurationSeconds, microTime, secondsSinceRenewal } from "./lease.ts";
import { labelsOf, newRun } from "./run.ts";

const run = newRun(readSettings({}));
const path = `/apis/coordination.k8s.io/v1/namespaces/${run.namespace}/leases/smoke-${run.id}`;
const { signal } = new AbortController();
const held = (holderIdentity: string): V1Lease => ({ spec: { holderIdentity } });

afterEach(() => void vi.useRealTimers());

test("times have microseconds", () => {
  expect(microTime(new Date("2026-01-02T03:04:05.678Z"))).toBe("2026-01-02T03:04:05.678000Z");
});

test("the age of a Lease is told by a clock, and one that was never renewed is as old as can be", () => {
  const lease = { spec: { renewTime: "2026-01-01T00:00:00.000000Z" as never } };
  expect(secondsSinceRenewal(lease, Date.parse("2026-01-01T00:01:30Z"))).toBe(90);
  expect(secondsSinceRenewal(lease, Date.parse("2025-12-31T23:59:59Z"))).toBe(-1);
  expect(secondsSinceRenewal({}, Date.parse("2026-01-01T00:00:00Z"))).toBeGreaterThan(1e9);
});

test("the Lease of a run carries its labels, and says who holds it since when", async () => {
  const store = newTestStore();
  await using api = await startTestAPI(store);

  const stop = await holdLease(api.client, run, signal);
  stop();

  const lease = store.objects.get(path) as object as V1Lease;
  expect(lease).toMatchObject({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { labels: labelsOf(run) } });
  expect(lease.spec).toMatchObject({ leaseDurationSeconds, acquireTime: lease.spec?.renewTime });
  expect(secondsSinceRenewal(lease)).toBeLessThan(10);
  expect(holderIsDead(lease)).toBe(false);
});

test("the Lease is renewed every 5 s until that is stopped, a renewal that fails notwithstanding", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const store = newTestStore();
  let refused = 0;
  await using api = await startTestAPI({
    answer: (request, body) => {
      if (request.method === "PATCH" && (refused += 1) === 1) return { code: 503, body: "away" };
      return store.answer(request, body);
    },
  });
  const renewTime = () => (store.objects.get(path) as object as V1Lease).spec?.renewTime;
  const stop = await holdLease(api.client, run, signal);
  const begun = renewTime();

  vi.advanceTimersByTime(5_000);
  await expect.poll(() => refused).toBe(1);
  expect(renewTime()).toBe(begun);
  vi.advanceTimersByTime(5_000);
  await expect.poll(renewTime).not.toBe(begun);

  stop();
  vi.advanceTimersByTime(60_000);
  await api.client.get(path);
  expect(store.requests.slice(-2)).toEqual([`PATCH ${path}`, `GET ${path}`]);
});

test("a Lease that cannot be created is no Lease, and is not renewed", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const asked: (string | undefined)[] = [];
  await using api = await startTestAPI({
    answer: ({ method }) => {
      asked.push(method);
      return { code: 403, body: "leases is forbidden" };
    },
  });

  await expect(holdLease(api.client, run, signal)).rejects.toMatchObject({ code: 403 });

  vi.advanceTimersByTime(60_000);
  await expect(api.client.get(path)).rejects.toThrow("forbidden");
  expect(asked).toEqual(["POST", "GET"]);
});

/** The identity with which this process would hold a Lease. */
const ownIdentity = async (): Promise<string> => {
  const store = newTestStore();
  await using api = await startTestAPI(store);
  (await holdLease(api.client, run, signal))();
  return (store.objects.get(path) as object as V1Lease).spec?.holderIdentity ?? "";
};

test.runIf(process.platform === "linux")(
  "a holder is dead when its process on this machine is no more, or its number is another's",
  async () => {
    const [boot, namespace, , start] = (await ownIdentity()).split("/");
    const ended = spawn("true");
    await once(ended, "exit");

    expect(holderIsDead(held([boot, namespace, process.pid, start].join("/")))).toBe(false);
    expect(holderIsDead(held([boot, namespace, process.pid, Number(start) + 1].join("/")))).toBe(true);
    expect(holderIsDead(held([boot, namespace, ended.pid, start].join("/")))).toBe(true);
  },
);

test("of a holder on another machine, or of none, nothing is known", async () => {
  const [boot, namespace, , start] = (await ownIdentity()).split("/");
  expect(holderIsDead(held(["another boot", namespace, 1, start].join("/")))).toBe(false);
  expect(holderIsDead(held([boot, "1", 1, start].join("/")))).toBe(false);
  expect(holderIsDead(held("laptop/4711"))).toBe(false);
  expect(holderIsDead({})).toBe(false);
});
