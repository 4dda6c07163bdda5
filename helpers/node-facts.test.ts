import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CNIConfiguration } from "./cni-configuration.ts";
import { readNodeFacts } from "./node-facts.ts";
import {
  bridgeNotApplicable,
  bridgeProblems,
  parseAddresses,
  parseLinks,
  vethProblems,
  type Link,
  type NetworkFacts,
} from "./node-network.ts";
import { bareID, containerProblems, parseContainers, shimNotApplicable, shimProblems } from "./node-processes.ts";
import { openHost } from "./ssh.ts";
import { startTestServer } from "./ssh-test-server.ts";

/** What a worker of a real cluster said, with one nginx Pod on it. Its own eth0 is a veth, too. */
const recorded = (name: string) => readFileSync(join(import.meta.dirname, "recorded", name), "utf8");
const containerID = "containerd://0e724a9a0d85ec88dfb36b87801c7be6841c0ba9831d606c99ffe10d48bd5e65";
const pod = { name: "nginx", containerID };

const cni: CNIConfiguration = {
  file: "/etc/cni/net.d/10-bridge.conf",
  name: "bridge",
  type: "bridge",
  bridge: "cni0",
  isGateway: true,
  ipam: { type: "host-local", subnets: ["10.200.0.0/24"], gateways: ["10.200.0.1"], usesPodCIDRs: false },
};

const network: NetworkFacts = {
  links: parseLinks(recorded("ip-link.txt")),
  addresses: parseAddresses(recorded("ip-addr.txt")),
  interfaces: new Map([["nginx", parseLinks(recorded("ip-link-of-pod.txt"))[0]]]),
};

/** The recorded network with one link changed. */
const withLink = (ifname: string, change: Partial<Link>): NetworkFacts => ({
  ...network,
  links: network.links.map((link) => (link.ifname === ifname ? { ...link, ...change } : link)),
});
const without = (ifname: string): NetworkFacts => ({ ...network, links: network.links.filter((link) => link.ifname !== ifname) });
const veth = network.links.find(({ master }) => master === "cni0")?.ifname as string;

test("links and addresses are read as recorded", () => {
  expect(network.links.map(({ ifname, kind, master }) => [ifname, kind, master])).toEqual([
    ["lo", undefined, undefined],
    ["eth0", "veth", undefined],
    ["cni0", "bridge", undefined],
    [veth, "veth", "cni0"],
  ]);
  expect(network.addresses.get("cni0")).toContain("10.200.0.1");
  expect(parseLinks('[{},{"ifindex":1,"ifname":"lo","flags":[]}]')).toEqual([{ ifindex: 1, ifname: "lo", flags: [] }]);
});

test("the recorded network has no problems", () => {
  expect(bridgeProblems("node-0", network, { cni, podCIDRs: [] })).toEqual([]);
  expect(vethProblems("node-0", "nginx", network, { cni })).toEqual([]);
});

test.for([
  ["missing", without("cni0"), /^node-0: there is no interface cni0, the bridge of \/etc\/cni\/net\.d\/10-bridge\.conf$/],
  ["no bridge", withLink("cni0", { kind: "dummy" }), /^node-0: cni0 is a dummy, expected the bridge of/],
  ["down", withLink("cni0", { flags: ["BROADCAST"] }), /^node-0: bridge cni0 is down$/],
  ["without carrier", withLink("cni0", { flags: ["UP"] }), /^node-0: bridge cni0 is up, but has no carrier$/],
  [
    "without the gateway",
    { ...network, addresses: new Map([["cni0", ["10.200.9.1"]]]) },
    /has the addresses 10\.200\.9\.1, expected 10\.200\.0\.1, the gateway/,
  ],
  ["without addresses", { ...network, addresses: new Map() }, /has the addresses \(none\), expected 10\.200\.0\.1/],
] as const)("a bridge that is %s", ([, facts, expected]) => {
  expect(bridgeProblems("node-0", facts, { cni, podCIDRs: [] })).toEqual([expect.stringMatching(expected)]);
});

test("where the CNI file names no gateway, the first address of the Pod CIDR is one; a bridge that is no gateway needs none", () => {
  const silent = { ...cni, ipam: { ...cni.ipam, gateways: [] } };
  expect(bridgeProblems("node-0", network, { cni: silent, podCIDRs: ["10.200.0.0/24"] })).toEqual([]);
  expect(bridgeProblems("node-0", network, { cni: silent, podCIDRs: ["10.200.7.0/24"] })).toEqual([
    expect.stringContaining("expected 10.200.7.1"),
  ]);
  expect(bridgeProblems("node-0", { ...network, addresses: new Map() }, { cni: { ...cni, isGateway: false }, podCIDRs: [] })).toEqual([]);
});

test.for([
  ["missing inside", { ...network, interfaces: new Map() }, /^node-0: Pod nginx has no eth0$/],
  ["missing outside", without(veth), /^node-0: the other end of eth0 of Pod nginx \(interface number 5\) is not on the Node$/],
  ["another's", withLink(veth, { peerIndex: 77 }), /is not on the Node$/],
  ["down", withLink(veth, { flags: [] }), /the veth of Pod nginx, is down$/],
  ["without carrier", withLink(veth, { flags: ["UP"] }), /the veth of Pod nginx, is up, but has no carrier$/],
  ["on another bridge", withLink(veth, { master: "docker0" }), /is on docker0, expected cni0, the bridge of/],
] as const)("a veth that is %s", ([, facts, expected]) => {
  expect(vethProblems("node-0", "nginx", facts, { cni })).toEqual([expect.stringMatching(expected)]);
});

test("a CNI without a bridge, and a runtime without a shim, are not applicable, and say so", () => {
  expect(bridgeNotApplicable("node-0", cni)).toBeUndefined();
  expect(bridgeNotApplicable("node-0", { ...cni, type: "ptp" })).toContain("node-0: its CNI plugin is ptp");
  expect(bridgeNotApplicable("node-0", undefined)).toContain("no valid file");
  expect(shimNotApplicable("node-0", pod)).toBeUndefined();
  expect(shimNotApplicable("node-0", { ...pod, containerID: "cri-o://0e72" })).toContain("node-0: its container runtime is cri-o");
});

test("containers are listed by ctr, as recorded, and by crictl", () => {
  expect(parseContainers(recorded("ctr-tasks-ls.txt")).get(bareID(pod))).toBe("running");
  expect(parseContainers("TASK    PID    STATUS    \n")).toEqual(new Map());
  const listed = {
    containers: [{ id: "0e72", podSandboxId: "1f69", metadata: { name: "nginx", attempt: 0 }, state: "CONTAINER_EXITED", labels: {} }],
  };
  expect(parseContainers(JSON.stringify(listed, null, 2))).toEqual(new Map([["0e72", "exited"]]));
  expect(() => parseContainers("\n")).toThrow(SyntaxError);
});

const own = { pid: 695, name: "nginx" };
const shim = { pid: 646, name: "containerd-shim" };
const systemd = { pid: 1, name: "systemd" };

test.for([
  ["running", { state: "running", processes: [own, shim, systemd] }, []],
  ["unknown", { processes: [] }, ["node-0: the container runtime knows no container 0e724a9a0d85 of Pod nginx, expected it to run"]],
  ["stopped", { state: "stopped", processes: [] }, ["node-0: container 0e724a9a0d85 of Pod nginx is stopped, expected it to be running"]],
  [
    "without a process",
    { state: "running", processes: [] },
    ["node-0: container 0e724a9a0d85 of Pod nginx is running, but has no process"],
  ],
])("a container that is %s", ([, facts, expected]) => {
  expect(containerProblems("node-0", pod, facts as never)).toEqual(expected);
});

const ofDocker = { name: "nginx", containerID: "docker://0e724a9a0d85" };

test.for([
  [
    "that runs, without its PID",
    pod,
    { state: "running", noPID: "context deadline exceeded" },
    /^node-0: container 0e724a9a0d85 of Pod nginx is running, but "crictl inspect 0e724a9a0d85" told no PID: context deadline exceeded\. /,
  ],
  ["of another runtime, which was not found", ofDocker, {}, /is one of docker, and no runtime knows it that listens on one of \/run\//],
] as const)("nothing can be said of a container %s", ([, of, facts, expected]) => {
  expect(() => containerProblems("node-0", of, { processes: [], ...facts })).toThrow(
    expect.objectContaining({ name: "InconclusiveError", message: expect.stringMatching(expected) as string }),
  );
});

test("a container that does not run needs no PID, nor does one of a runtime that tells none", () => {
  const untold = { processes: [], noPID: "<no value>" };
  expect(containerProblems("node-0", pod, { state: "exited", ...untold })).toEqual([expect.stringContaining("is exited")]);
  expect(containerProblems("node-0", ofDocker, { state: "running", ...untold })).toEqual([]);
});

test("an eth0 that could not be looked at is not one that is missing", () => {
  const unseen = { ...network, interfaces: new Map([["nginx", { unseen: "nsenter exited 127, expected 0" }]]) };
  expect(() => vethProblems("node-0", "nginx", unseen, { cni })).toThrow(
    expect.objectContaining({
      name: "InconclusiveError",
      message: "node-0: eth0 of Pod nginx could not be looked at: nsenter exited 127, expected 0.",
    }),
  );
});

test("a container's process has to hang under a shim", () => {
  expect(shimProblems("node-0", pod, { state: "running", processes: [own, shim, systemd] })).toEqual([]);
  expect(shimProblems("node-0", pod, { state: "running", processes: [own, systemd] })).toEqual([
    "node-0: process 695 (nginx) of Pod nginx hangs under systemd (1), expected a containerd-shim above it",
  ]);
});

test("a containerID becomes part of a script only when it is one", () => {
  expect(() => bareID({ name: "nginx", containerID: "containerd://$(reboot)" })).toThrow(
    'Pod nginx has the containerID "containerd://$(reboot)"',
  );
});

/** The tools of a worker, which say what was recorded; the container's process is this one. */
const tools = {
  ctr: `#!/bin/sh\necho "TASK PID STATUS"; echo "${bareID(pod)} ${process.pid} RUNNING"\n`,
  ip: `#!/bin/sh\ncase "$*" in *"link show eth0") exit 9 ;; *link) cat ${join(import.meta.dirname, "recorded/ip-link.txt")} ;; *addr) cat ${join(import.meta.dirname, "recorded/ip-addr.txt")} ;; esac\n`,
  nsenter: `#!/bin/sh\n[ "$2" = ${process.pid} ] && cat ${join(import.meta.dirname, "recorded/ip-link-of-pod.txt")}\n`,
  crictl: "#!/bin/sh\nexit 127\n",
};

test("everything is read in one round trip, with ctr where crictl does not answer", async () => {
  await using server = await startTestServer({ executables: tools });
  const host = await openHost(server.target);
  const before = server.commands.length;
  const facts = await readNodeFacts(host, [pod]);
  expect(server.commands.length - before).toBe(1);
  expect(facts.network).toEqual(network);
  const { state, processes } = facts.containers().get("nginx") ?? { processes: [] };
  expect(state).toBe("running");
  expect(processes[0]?.pid).toBe(process.pid);
  expect(processes.length).toBeGreaterThan(1);
  expect(facts.nodeName).toBe("node-0");
  await host.close();
});

/** A crictl that lists our container as running, and does this when it is asked for its PID. */
const crictlThat = (inspects: string): string =>
  `#!/bin/sh\ncase "$*" in *inspect*) ${inspects} ;; *) printf '{"containers":[{"id":"${bareID(pod)}","state":"CONTAINER_RUNNING"}]}' ;; esac\n`;

test("crictl is asked first, whatever it warns of, and a Pod without eth0 is a fact", async () => {
  const executables = {
    ...tools,
    crictl: crictlThat(`echo 'WARN[0000] old' >&2; echo ${process.pid}`),
    ctr: "#!/bin/sh\nexit 1\n",
    nsenter: `#!/bin/sh\necho 'Device "eth0" does not exist.' >&2; exit 1\n`,
  };
  await using server = await startTestServer({ executables });
  const host = await openHost(server.target);
  const facts = await readNodeFacts(host, [pod]);
  expect(facts.containers().get("nginx")).toMatchObject({
    state: "running",
    processes: expect.arrayContaining([expect.objectContaining({ pid: process.pid })]) as unknown[],
  });
  expect(facts.network.interfaces.get("nginx")).toBeUndefined();
  await host.close();
});

test.for([
  [
    "a PID that crictl does not tell",
    { crictl: crictlThat("echo 'WARN[0000] old' >&2; echo 'context deadline exceeded' >&2; exit 1") },
    { state: "running", processes: [], noPID: "context deadline exceeded" },
    { unseen: "the runtime told no PID of its container: context deadline exceeded" },
  ],
  ["a PID that is of no process", { crictl: crictlThat("echo 4194304") }, { state: "running", processes: [] }, undefined],
  ["a PID that crictl says is none", { crictl: crictlThat("echo 0") }, { state: "running", processes: [] }, undefined],
  [
    "a Node without nsenter",
    { nsenter: "#!/bin/sh\necho 'sh: 1: nsenter: not found' >&2; exit 127\n" },
    undefined,
    { unseen: "nsenter exited 127, expected 0: sh: 1: nsenter: not found" },
  ],
] as const)("of %s it is known whether we could look", async ([, executables, container, eth0]) => {
  await using server = await startTestServer({ executables: { ...tools, ...executables } });
  const host = await openHost(server.target);
  const { containers, network: seen } = await readNodeFacts(host, [pod]);
  if (container !== undefined) expect(containers().get("nginx")).toEqual(container);
  if (eth0 !== undefined) expect(seen.interfaces.get("nginx")).toEqual(eth0);
  await host.close();
});

test("of two runtimes the one that has our container is asked, not Docker's containerd, which has none of the kubelet's", async () => {
  const executables = {
    ...tools,
    ls: "#!/bin/sh\necho /run/containerd/containerd.sock /run/crio/crio.sock\n",
    ctr: `#!/bin/sh\necho "TASK PID STATUS"\n`,
    crictl: `#!/bin/sh\ncase "$*" in *crio.sock*inspect*) echo ${process.pid} ;; *crio.sock*) echo '{"containers":[{"id":"${bareID(pod)}","state":"CONTAINER_RUNNING"}]}' ;; *) exit 1 ;; esac\n`,
  };
  await using server = await startTestServer({ executables });
  const host = await openHost(server.target);
  const facts = await readNodeFacts(host, [pod]);
  expect(facts.containers().get("nginx")?.state).toBe("running");
  expect(facts.network.interfaces.get("nginx")).toBeDefined();
  await host.close();
});

test.for([
  [
    "neither crictl nor ctr",
    { ctr: "#!/bin/sh\nexit 1\n" },
    /^node-0: neither crictl nor ctr could list the containers: it exited 1, expected 0\. Is containerd running/,
  ],
  [
    "two runtimes, of which one knows no container of ours and the other does not answer",
    {
      ls: "#!/bin/sh\necho /run/containerd/containerd.sock /run/crio/crio.sock\n",
      ctr: "#!/bin/sh\nexit 1\n",
      crictl: `#!/bin/sh\ncase "$*" in *crio.sock*) echo '{"containers":[]}' ;; *) exit 1 ;; esac\n`,
    },
    /^node-0: neither crictl nor ctr could list the containers/,
  ],
] as const)("of a Node with %s all is known but its containers", async ([, executables, expected]) => {
  await using server = await startTestServer({ executables: { ...tools, ...executables } });
  const host = await openHost(server.target);
  const facts = await readNodeFacts(host, [pod]);

  expect(facts.network.links).not.toEqual([]);
  expect(facts.containers).toThrow(
    expect.objectContaining({ name: "InconclusiveError", message: expect.stringMatching(expected) as string }),
  );
  await host.close();
});

test("a Node with an ip without -j cannot be looked at", async () => {
  await using server = await startTestServer({ executables: { ...tools, ip: "#!/bin/sh\necho usage\n" } });
  const host = await openHost(server.target);
  await expect(readNodeFacts(host, [pod])).rejects.toMatchObject({
    name: "InconclusiveError",
    message: expect.stringMatching(/^node-0: "ip -j -d link" could not be read: .* Is iproute2 installed/) as string,
  });
  await host.close();
});
