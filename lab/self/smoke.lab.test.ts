/**
 * The suite on a real cluster, as an operator uses it, on a lab of its own; whoever has another lab up keeps it. The tests are told in
 * order: each begins where the one before has ended.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { managedByLabel, managedBy } from "../../helpers/run.ts";
import { healthy, kubectl } from "../healthy.ts";
import { chosenInstance } from "../instance.ts";
import { runSuite, startSuite } from "../operator.ts";
import { allChecks, root } from "../proof/checks.ts";
import { run } from "../run.ts";
import { onHost, runLab } from "../commands.ts";
import { memoryOf, tracesOn } from "./machine.ts";
import { ownLab } from "./own-lab.ts";

const name = "selftest";
const instance = chosenInstance({ LAB_NAME: name });
const checks = allChecks();
const passed = Object.fromEntries(checks.map((id) => [id, { verdict: "pass", message: "" }]));

/** What of any run is in the cluster: its namespaces by name, and whatever carries the label of a run. */
async function leftInCluster(): Promise<string[]> {
  const kinds = "namespaces,deployments,replicasets,pods,services,endpointslices,secrets,configmaps,leases";
  const labelled = await run(
    kubectl(instance, "get", kinds, "--all-namespaces", `--selector=${managedByLabel}=${managedBy}`, "--output=name"),
  );
  const namespaces = await run(kubectl(instance, "get", "namespaces", "--output=name"));
  const keys = await onHost(instance, "server", "etcdctl get /registry/ --prefix --keys-only | grep -e /smoke- || true");
  return [
    ...`${labelled}\n${namespaces}`.split("\n").filter((line) => /smoke|nginx|hard-way/.test(line)),
    ...keys.split("\n").filter(Boolean),
  ];
}

/** A namespace that is empty and Terminating needs 5 s of its controller's own waiting to go. */
async function leftAfterTenSeconds(): Promise<string[]> {
  await sleep(10_000);
  return leftInCluster();
}

const { begin, end, tracesBefore } = ownLab(instance);
beforeAll(begin);
afterAll(end);

// From an empty cache its binaries are built first, which is the best part of an hour on a slow machine.
test("the lab boots, and ends in being healthy", { timeout: 60 * 60_000 }, async () => {
  const { exitCode, output } = await runLab(name, "up");

  expect({ exitCode, output }).toEqual({ exitCode: 0, output: expect.stringContaining(`"${name}" is up and healthy`) });
});

test("every check passes on the lab, and none is skipped", async () => {
  const { exitCode, verdicts, output } = await runSuite(instance);

  expect(verdicts, output).toEqual(passed);
  expect(exitCode, output).toBe(0);
});

test("a second run passes", async () => {
  const { exitCode, verdicts, output } = await runSuite(instance);

  expect(verdicts, output).toEqual(passed);
  expect(exitCode, output).toBe(0);
});

test("the lab takes at most 1.2 GB of memory", () => {
  expect(memoryOf(instance) / 1e9).toBeGreaterThan(0.1);
  expect(memoryOf(instance) / 1e9).toBeLessThan(1.2);
});

test("nothing is left ten seconds after a run", async () => {
  expect(await leftAfterTenSeconds()).toEqual([]);
});

test("a spec alone passes, and creates only what it needs", async () => {
  const started = await startSuite(instance, { parameters: ["suites/data-encryption.spec.ts"] });
  await started.says(/secret-read-back/);
  const deployments = await run(
    kubectl(instance, "get", "deployments,services", "--all-namespaces", `--selector=${managedByLabel}=${managedBy}`),
  );
  const { exitCode, verdicts, output } = await started.finished;

  expect(Object.keys(verdicts).toSorted(), output).toEqual(checks.filter((id) => id.startsWith("secret-")).toSorted());
  expect(exitCode, output).toBe(0);
  expect(deployments).toBe("");
});

test("one check alone passes", async () => {
  const { exitCode, verdicts, output } = await runSuite(instance, { parameters: ["-t", "exec-streams"] });

  expect(verdicts, output).toEqual({ "exec-streams": { verdict: "pass", message: "" } });
  expect(exitCode, output).toBe(0);
});

test("a filter that matches no check is an error", async () => {
  const { exitCode, output } = await runSuite(instance, { parameters: ["-t", "no-such-check"] });

  expect(output).toContain("The filter matches no check");
  expect(exitCode, output).toBe(2);
});

test.for([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("%s in mid-run exits %i and leaves nothing", async ([signal, code]) => {
  // Vitest itself, because npx answers for it only where nothing has hit npx as well.
  const started = await startSuite(instance, { command: [process.execPath, "node_modules/vitest/vitest.mjs", "run"] });
  await started.says(/replicas-ready/);
  started.signal(signal);
  const { exitCode, output } = await started.finished;

  expect(exitCode, output).toBe(code);
  expect(await leftAfterTenSeconds(), output).toEqual([]);
});

// `script` has a terminal of its own for the run, and takes it along, as a closed window or a lost SSH connection does.
test("a terminal that is closed in mid-run leaves nothing", async () => {
  const evidence = await mkdtemp(join(tmpdir(), "closed-"));
  try {
    const started = await startSuite(instance, {
      command: ["script", "--quiet", "--flush", "--command", "npx vitest run", "/dev/null"],
      // Those of the others are removed when `script` has ended, and the run ends after it.
      environment: { SMOKE_JUNIT: "", SMOKE_EVIDENCE: evidence },
    });
    await started.says(/replicas-ready/);
    started.signal("SIGKILL");
    await started.finished;

    expect(await leftAfterTenSeconds()).toEqual([]);
  } finally {
    await rm(evidence, { recursive: true });
  }
});

test("Ctrl-C as a key, which it is while Vitest watches, exits 130 in mid-run and leaves nothing", async () => {
  const started = await startSuite(instance, {
    command: ["script", "--quiet", "--flush", "--return", "--command", "npx vitest --watch", "/dev/null"],
  });
  await started.says(/replicas-ready/);
  started.type("\x03");
  const { exitCode, output } = await started.finished;

  expect(exitCode, output).toBe(130);
  expect(await leftAfterTenSeconds(), output).toEqual([]);
});

test("an IDE's test explorer lists the checks, and each click is a run of its own that leaves nothing", async () => {
  const { exitCode, output } = await runSuite(instance, { command: [process.execPath, "fixtures/test-explorer.ts"] });
  const last = output.split("\n").find((line) => line.startsWith('{"names"')) ?? "{}";
  const { names, runs } = JSON.parse(last) as { names: string[]; runs: { verdicts: Record<string, string>; errors: string[] }[] };
  const idsIn = (each: readonly string[]) => each.map((said) => said.split(":", 1)[0] ?? "").toSorted();

  expect(idsIn(names), output).toEqual(checks.toSorted());
  expect(exitCode, output).toBe(0);
  expect(runs.map(({ errors }) => errors)).toEqual([[], []]);
  const [file = {}, check = {}] = runs.map(({ verdicts }) => verdicts);
  expect(idsIn(Object.keys(file)), output).toEqual(checks.filter((id) => id.startsWith("secret-")).toSorted());
  expect(new Set(Object.values(file)), output).toEqual(new Set(["passed"]));
  expect(Object.entries(check).filter(([, state]) => state === "passed")).toEqual([[expect.stringMatching(/^exec-streams: /), "passed"]]);
  expect(await leftAfterTenSeconds(), output).toEqual([]);
});

test("after a kill -9, cleanup removes what was left, and not a run that is at work", async () => {
  const killed = await startSuite(instance);
  await killed.says(/replicas-ready/);
  killed.signal("SIGKILL");
  await killed.finished;
  const left = await leftInCluster();
  const { exitCode, output } = await runSuite(instance, { command: ["npm", "run", "cleanup"] });

  expect(left.length, "what a killed run leaves").toBeGreaterThan(0);
  expect({ exitCode, output }).toEqual({ exitCode: 0, output: expect.stringMatching(/Removed run [0-9a-f]{8}/) });
  expect(await leftAfterTenSeconds()).toEqual([]);
});

test("wrong settings exit 2 with one message that lists them all, before the cluster is touched", async () => {
  const environment = { SMOKE_SSH_PORT: "ssh", SMOKE_HOST: "node-0", SMOKE_NAMESPACE: "Not_A_Name" };
  const { exitCode, output } = await runSuite(instance, { environment });

  expect(output).toMatch(/3 problems in the settings/);
  expect(output).toMatch(/SMOKE_SSH_PORT="ssh".*\n(.*\n)*.*SMOKE_NAMESPACE="Not_A_Name"/);
  expect(output).toContain("SMOKE_HOST is not a setting");
  expect(exitCode, output).toBe(2);
  expect(await leftInCluster()).toEqual([]);
});

test("the rights of docs/rbac.yaml suffice", async () => {
  const user = "system:serviceaccount:default:least";
  const binding = ["clusterrolebinding", "least"] as const;
  await run(kubectl(instance, "apply", "--filename", join(root, "docs/rbac.yaml")));
  await run(kubectl(instance, "--namespace=default", "create", "serviceaccount", "least"));
  await run(kubectl(instance, "create", ...binding, "--clusterrole=hard-way-smoke-test", `--user=${user}`));
  const folder = await mkdtemp(join(tmpdir(), "least-"));
  try {
    const kubeconfig = JSON.parse(await run(kubectl(instance, "config", "view", "--raw", "--output=json"))) as {
      users: { user: object }[];
    };
    const token = (await run(kubectl(instance, "--namespace=default", "create", "token", "least"))).trim();
    for (const entry of kubeconfig.users) entry.user = { token };
    await writeFile(join(folder, "kubeconfig"), JSON.stringify(kubeconfig));
    const { exitCode, verdicts, output } = await runSuite(instance, { environment: { KUBECONFIG: join(folder, "kubeconfig") } });

    expect(verdicts, output).toEqual(passed);
    expect(exitCode, output).toBe(0);
    expect(await leftAfterTenSeconds()).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
    await run(kubectl(instance, "delete", ...binding));
    await run(kubectl(instance, "delete", "clusterrole", "hard-way-smoke-test"));
    await run(kubectl(instance, "--namespace=default", "delete", "serviceaccount", "least"));
  }
});

test("the chapter to the letter, in a namespace that is there, leaves it as it was", async () => {
  const { exitCode, verdicts, output } = await runSuite(instance, { environment: { SMOKE_NAMESPACE: "default" } });

  expect(verdicts, output).toEqual(passed);
  expect(exitCode, output).toBe(0);
  expect(await leftInCluster()).toEqual([]);
});

test("a namespace that holds one of the chapter's names is refused, and nothing in it is touched", async () => {
  await run(kubectl(instance, "--namespace=default", "create", "secret", "generic", "kubernetes-the-hard-way", "--from-literal=mine=yes"));
  const held = await run(kubectl(instance, "--namespace=default", "get", "secret", "kubernetes-the-hard-way", "--output=json"));
  const { exitCode, output } = await runSuite(instance, { environment: { SMOKE_NAMESPACE: "default" } });

  expect(output).toContain("it already holds Secret kubernetes-the-hard-way");
  expect(exitCode, output).toBe(2);
  expect(await run(kubectl(instance, "--namespace=default", "get", "secret", "kubernetes-the-hard-way", "--output=json"))).toBe(held);
  await run(kubectl(instance, "--namespace=default", "delete", "secret", "kubernetes-the-hard-way"));
});

test("a stopped API server makes every check inconclusive, and the exit code 3", async () => {
  await onHost(instance, "server", "systemctl stop kube-apiserver");
  const { exitCode, verdicts, output } = await runSuite(instance);
  await onHost(instance, "server", "systemctl start kube-apiserver");
  await healthy(instance);

  expect(new Set(Object.values(verdicts).map(({ verdict }) => verdict)), output).toEqual(new Set(["inconclusive"]));
  expect(Object.keys(verdicts).toSorted(), output).toEqual(checks.toSorted());
  expect(verdicts["nodes-ready"]?.message).toContain("connection refused. Is kube-apiserver running there");
  expect(exitCode, output).toBe(3);
});

test("a stopped scheduler fails the check of the replicas alone, names the scheduler, and the exit code is 1", async () => {
  await onHost(instance, "server", "systemctl stop kube-scheduler");
  const { exitCode, verdicts, output } = await runSuite(instance);
  await onHost(instance, "server", "systemctl start kube-scheduler");
  await healthy(instance);

  const failed = Object.entries(verdicts).flatMap(([id, { verdict }]) => (verdict === "fail" ? [id] : []));
  expect(failed, output).toEqual(["replicas-ready"]);
  expect(verdicts["replicas-ready"]?.message).toContain("kube-scheduler: StaleLease");
  expect(verdicts["exec-version"]).toEqual({
    verdict: "inconclusive",
    message: expect.stringContaining("because `replicas-ready` failed"),
  });
  expect(verdicts["secret-encrypted"]?.verdict).toBe("pass");
  expect(exitCode, output).toBe(1);
  expect(await leftAfterTenSeconds()).toEqual([]);
});

test("a fault is brought about by hand, one at a time; the suite sees it, and passes once it is healed", async () => {
  const suite = () => runSuite(instance, { parameters: ["suites/data-encryption.spec.ts"] });
  const brought = await runLab(name, "fault", "etcdctl-missing");
  const second = await runLab(name, "fault", "secretbox-first");
  const broken = await suite();
  const wrongly = await runLab(name, "heal", "secretbox-first");
  const healed = await runLab(name, "heal", "etcdctl-missing");
  const again = await runLab(name, "heal", "etcdctl-missing");
  const mended = await suite();

  expect(brought, brought.output).toEqual({ exitCode: 0, output: expect.stringContaining("npm run lab -- heal etcdctl-missing") });
  for (const refused of [second, wrongly])
    expect(refused, refused.output).toEqual({ exitCode: 2, output: expect.stringContaining("etcdctl-missing is in force") });
  expect(broken.exitCode, broken.output).toBe(3);
  expect(healed.exitCode, healed.output).toBe(0);
  expect(again.exitCode, again.output).toBe(2);
  expect(mended.exitCode, mended.output).toBe(0);
});

test("the lab goes down without a trace", async () => {
  const { exitCode, output } = await runLab(name, "down");

  expect(exitCode, output).toBe(0);
  expect(await tracesOn(instance)).toEqual(tracesBefore());
});
