import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { readSettings } from "../../config.ts";
import { startTestAPI } from "../../kubernetes-test-server.ts";
import { newRun } from "../../run.ts";
import { openHost } from "../../ssh.ts";
import { startTestServer } from "../../ssh-test-server.ts";
import { causeLines } from "../diagnose.ts";
import { gather } from "./gather.ts";
import { planted, tracesIn } from "../../redaction/planted.ts";
import { writeEvidence } from "./report.ts";

const run = newRun(readSettings({ SMOKE_SERVER: "node-0", SMOKE_HOSTS: "node-0=127.0.0.1", SMOKE_WORKERS: "node-0" }));

const telltale = planted.map(({ text }) => text).join("\n");
/** A cause that does not depend on what runs on this machine. */
const withoutRight = 'User "system:serviceaccount:kube-system:replicaset-controller" cannot create resource "pods"';
const prints = (text: string) => `#!/bin/sh\ncat <<'END'\n${text}\nEND\n`;

/** This machine is not what is asked, and may have much to say. */
const silent = Object.fromEntries(
  ["ip", "ss", "tc", "nft", "iptables-save", "curl", "systemctl", "journalctl"].map((name) => [name, prints("")]),
);

const conditions = [
  { type: "Ready", status: "True" },
  { type: "DiskPressure", status: "True", message: "kubelet has disk pressure" },
  { type: "MemoryPressure", status: "False", message: "kubelet has sufficient memory available" },
];

/** An API in whose Events everything is said that should not be. */
const talkative = () =>
  startTestAPI({
    answer: ({ url }) => {
      const events = [{ involvedObject: { kind: "Pod", name: "nginx-1" }, reason: "Failed", message: telltale }];
      if (url.startsWith("/readyz")) return { code: 200, body: "[+]ping ok\nreadyz check passed\n" };
      if (url.startsWith("/api/v1/nodes"))
        return { code: 200, body: { items: [{ metadata: { name: "node-0" }, status: { conditions } }] } };
      return { code: 200, body: { items: url.includes("/events") ? events : [] } };
    },
  });

test("API and hosts are asked, and nothing that must not leave is kept, written or said", async () => {
  await using api = await talkative();
  await using server = await startTestServer({
    executables: {
      ...silent,
      journalctl: prints(`${telltale}\n${withoutRight}`),
      systemctl: `#!/bin/sh
case $1 in
  list-unit-files) echo "kubelet.service enabled" ;;
  *) printf '%s\\n' Id=kubelet.service ActiveState=active SubState=running ;;
esac`,
      iptables: prints(""),
    },
  });
  const folder = mkdtempSync(join(tmpdir(), "evidence-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));

  const evidence = await gather({
    run,
    openClient: async () => api.client,
    openHost: () => openHost({ ...server.target, connectTimeoutMs: 10_000 }),
  });
  await writeEvidence(folder, run, evidence);
  const lines = causeLines(evidence, { check: "replicas-ready", message: "x" }, { folder, ready: (line) => line });

  expect(evidence.api).toMatchObject({
    unanswered: [],
    readyz: expect.stringContaining("readyz check passed"),
    events: [{ reason: "Failed" }],
    nodes: [{ name: "node-0", ready: "True", pressures: ["DiskPressure: kubelet has disk pressure"] }],
  });
  expect(evidence.hosts).toMatchObject({ "node-0": { sections: { units: "Id=kubelet.service ActiveState=active SubState=running" } } });
  expect(lines[0]).toMatch(/^Cause: the replicaset-controller of kube-controller-manager on node-0 has not the rights that it needs/);
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  expect(files).toHaveLength(2);
  expect([JSON.stringify(evidence), lines.join("\n"), ...files].flatMap(tracesIn)).toEqual([]);
  expect(files.join("")).toContain("[redacted]");
});

const notPulled = 'Failed to pull image "x": failed to do request: dial tcp 192.0.2.1:443: i/o timeout';
const eventOf = (object: string, uid: string) => {
  const [kind, name] = object.split("/");
  return { involvedObject: { kind, name, uid }, reason: "Failed", message: notPulled };
};
const ofOthers = [
  eventOf("Pod/someones-db-0", "someone's"),
  eventOf("Pod/nginx-6cbd49dfb4-db-0", "someone's"),
  eventOf("Deployment/nginx", "of an earlier run"),
  eventOf("Pod/nginx-54c98b4f84-pxp6c", "of an earlier run"),
];
const ofRun = [
  eventOf("Deployment/nginx", "1"),
  eventOf("Service/nginx", "2"),
  eventOf("ReplicaSet/nginx-6cbd49dfb4", "3"),
  eventOf("Pod/nginx-6cbd49dfb4-7tcx2", "4"),
  // Of one that is gone its name alone is left.
  eventOf("Pod/nginx-6cbd49dfb4-v6vh4", "5"),
];

/** The API of a namespace in which others have objects, beside those of the run. */
const sharedNamespace = (events: readonly object[]) => {
  const object = (name: string, uid: string, owner?: string) => ({
    metadata: { name, uid, ownerReferences: owner === undefined ? [] : [{ kind: "ReplicaSet", name: owner, uid: "3" }] },
  });
  const answers: [path: RegExp, body: object][] = [
    [/deployments\/nginx$/, object("nginx", "1")],
    [/services\/nginx$/, object("nginx", "2")],
    [/pods\?labelSelector=hard-way/, { items: [object("nginx-6cbd49dfb4-7tcx2", "4", "nginx-6cbd49dfb4")] }],
    [/replicasets\?labelSelector=hard-way/, { items: [object("nginx-6cbd49dfb4", "3")] }],
    [/events/, { items: events }],
  ];
  return startTestAPI({
    answer: ({ url }) => ({ code: 200, body: answers.find(([path]) => path.test(url))?.[1] ?? { items: [] } }),
  });
};

test.for([
  ["a namespace that was there before, the run's own alone", "default", ofRun],
  ["the run's own namespace, all", undefined, [...ofOthers, ...ofRun]],
] as const)("of the Events in %s are kept", async ([_what, namespace, expected]) => {
  await using api = await sharedNamespace([...ofOthers, ...ofRun]);
  const settings = readSettings({
    SMOKE_SERVER: "node-0",
    SMOKE_HOSTS: "node-0=192.0.2.10",
    ...(namespace && { SMOKE_NAMESPACE: namespace }),
  });

  const evidence = await gather({
    run: newRun(settings),
    openClient: async () => api.client,
    openHost: () => Promise.reject(new Error("it is off")),
  });

  expect(evidence.api.unanswered).toEqual([]);
  expect(evidence.api.events.map(({ object }) => object)).toEqual(expected.map(({ involvedObject: { kind, name } }) => `${kind}/${name}`));
});

test("what an Event says of another's Pod is no cause, and is not written", async () => {
  await using api = await sharedNamespace(ofOthers);
  const folder = mkdtempSync(join(tmpdir(), "evidence-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const settings = readSettings({ SMOKE_SERVER: "node-0", SMOKE_HOSTS: "node-0=192.0.2.10", SMOKE_NAMESPACE: "default" });

  const evidence = await gather({
    run: newRun(settings),
    openClient: async () => api.client,
    openHost: () => Promise.reject(new Error("it is off")),
  });
  await writeEvidence(folder, run, evidence);

  const lines = causeLines(evidence, { check: "replicas-ready", message: "0 of 2 Pods Ready" }, { folder, ready: (line) => line });
  expect(lines.join("\n")).not.toContain("pull");
  expect(readFileSync(join(folder, "api.txt"), "utf8")).not.toContain("someones-db-0");
});

test("a Pod that is on its way out is kept as evidence, and not asked", async () => {
  const pod = (name: string, podIP: string, deletionTimestamp?: string) => ({
    metadata: { name, deletionTimestamp },
    spec: { nodeName: "node-0" },
    status: { podIP, phase: "Running" },
  });
  const items = [pod("nginx-1", "10.200.0.5"), pod("nginx-2", "10.200.0.6", "2026-11-27T00:00:00Z")];
  await using api = await startTestAPI({ answer: ({ url }) => ({ code: 200, body: { items: url.includes("/pods") ? items : [] } }) });
  await using server = await startTestServer({ executables: silent });

  const evidence = await gather({
    run,
    openClient: async () => api.client,
    openHost: () => openHost({ ...server.target, connectTimeoutMs: 10_000 }),
  });

  expect(evidence.api.pods).toMatchObject([
    { name: "nginx-1", isTerminating: false },
    { name: "nginx-2", isTerminating: true },
  ]);
  const asked = server.commands.join("\n");
  expect(asked).toContain("http://10.200.0.5:80/");
  expect(asked).not.toContain("http://10.200.0.6:80/");
});

test("what does not answer in time is noted, and the rest is there", async () => {
  await using api = await startTestAPI({ answer: () => undefined });
  await using server = await startTestServer({
    answer: (command, channel) => {
      if (command.includes("uname")) return false;
      if (!command.includes("alarm list")) return true;
      for (const name of ["etcd", "api-here", "api-from-here"]) channel.write(`${name} 0 \n`);
      channel.exit(0);
      channel.end();
      return true;
    },
  });
  const began = performance.now();

  const evidence = await gather(
    { run, openClient: async () => api.client, openHost: () => openHost({ ...server.target, connectTimeoutMs: 10_000 }) },
    { gatheringMs: 3_000, apiMs: 1_000 },
  );

  expect(performance.now() - began).toBeLessThan(5_000);
  expect(evidence.api.unanswered).toEqual(expect.arrayContaining([expect.stringContaining("no answer within 0.5 s")]));
  expect(evidence.hosts).toMatchObject({ "node-0": { sections: { units: "not answered within 3 s", etcd: "" } } });
});

const hangs = "#!/bin/sh\nexec sleep 30\n";
/** Of an API that is well and has nothing. */
const empty = () => startTestAPI({ answer: () => ({ code: 200, body: { items: [] } }) });

test("a command that hangs costs its own answer alone, and none waits for more sessions than a connection has", async () => {
  await using api = await empty();
  await using server = await startTestServer({
    executables: { ...silent, tc: hangs, systemctl: prints("Id=etcd.service"), nft: prints("x") },
  });

  const evidence = await gather({
    run,
    openClient: async () => api.client,
    openHost: () => openHost({ ...server.target, connectTimeoutMs: 10_000 }),
  });

  expect(evidence.hosts).toMatchObject({
    "node-0": {
      sections: {
        units: "Id=etcd.service",
        queueing: "not answered within 3 s",
        nft: "",
        "cni-plugins": expect.not.stringMatching(/^not/),
      },
    },
  });
  expect(server.mostSessions()).toBeLessThanOrEqual(6);
  expect(server.commands.filter((command) => !command.includes("uname -n"))).toHaveLength(5);
});

test("what has been answered when the time is over is kept, also where others hang", async () => {
  await using api = await empty();
  await using server = await startTestServer({
    executables: { ...silent, "iptables-save": hangs, systemctl: prints("Id=etcd.service") },
  });

  const evidence = await gather(
    { run, openClient: async () => api.client, openHost: () => openHost({ ...server.target, connectTimeoutMs: 10_000 }) },
    { gatheringMs: 2_800, apiMs: 1_000 },
  );

  const late = "not answered within 3 s";
  expect(evidence.hosts).toMatchObject({
    "node-0": { sections: { units: "Id=etcd.service", filters: late, "cni-files": late, queueing: "", journal: expect.anything() } },
  });
});

test("a client that never comes does not keep the evidence", async () => {
  const began = performance.now();

  const evidence = await gather(
    { run, openClient: () => new Promise(() => undefined), openHost: () => Promise.reject(new Error("it is off")) },
    { gatheringMs: 2_000, apiMs: 1_000 },
  );

  expect(performance.now() - began).toBeLessThan(5_000);
  expect(evidence.given.userName).toBe("");
  expect(evidence.api.unanswered).toEqual(["not answered within 1 s"]);
});

test("a client that comes late has what is left of the time, and what the API answers is kept", async () => {
  await using api = await startTestAPI({
    answer: ({ url }) =>
      url.includes("/leases")
        ? undefined
        : { code: 200, body: { items: url.includes("/nodes") ? [{ metadata: { name: "node-0" } }] : [] } },
  });

  const evidence = await gather(
    {
      run,
      openClient: () => sleep(1_500).then(() => api.client),
      openHost: () => Promise.reject(new Error("it is off")),
    },
    { gatheringMs: 4_000, apiMs: 3_000 },
  );

  expect(evidence.api.nodes).toMatchObject([{ name: "node-0" }]);
  expect(evidence.api.unanswered).toHaveLength(2);
});

test("a host and an API that cannot be reached are noted with the reason", async () => {
  const evidence = await gather({
    run,
    openClient: () => Promise.reject(new Error("no such kubeconfig")),
    openHost: () => Promise.reject(new Error("node-0: the connection was refused")),
  });

  expect(evidence.api.unanswered).toEqual(["no such kubeconfig"]);
  expect(evidence.hosts).toEqual({ "node-0": { unreachable: "node-0: the connection was refused" } });
});

test("no command of all that a host is asked writes anything, or asks for a Secret", async () => {
  await using api = await talkative();
  await using server = await startTestServer({ executables: silent });

  await gather({ run, openClient: async () => api.client, openHost: () => openHost({ ...server.target, connectTimeoutMs: 10_000 }) });

  const asked = server.commands.join("\n");
  expect(asked).toContain("systemctl show");
  expect(asked).not.toMatch(
    /[^2&]>[^&(]\s*(?!\/dev\/null)[\w/]|\b(rm|mv|tee|touch|kill|restart|stop|start)\b (?!time)|nodes\/.*\/proxy|etcdctl .*get/,
  );
});
