import { expect, test } from "vitest";
import { all, api, causeOf, line, lookalikes, pods, unit, type Case } from "../recorded.ts";

const stopped = "ActiveState=inactive SubState=dead";
/** A static Pod runs the same program. */
const asStaticPod = line("server", "processes", "etcd 4711 S (sleeping)");
/** A unit of the same name on a host that has no part in it, left there or forbidden. */
const leftOver = (host: string, name: string, state: string) =>
  line(host, "units", `MainPID=0 NRestarts=0 Id=${name}.service ${state} NeedDaemonReload=no`);
const standIn = (host: string, name: string) => line(host, "stand-ins", name);
const leaseOf = (component: string, secondsSinceRenewal: number) =>
  api(({ leases }) => ({ leases: leases.map((lease) => (lease.name === component ? { ...lease, secondsSinceRenewal } : lease)) }));
const allLeases = (seconds: number) =>
  api(({ leases }) => ({ leases: leases.map((lease) => ({ ...lease, secondsSinceRenewal: lease.secondsSinceRenewal + seconds })) }));
const withoutRight = (account: string) =>
  line(
    "server",
    "journal",
    `kube-controller-manager: E1126 01:02:03 User "system:serviceaccount:kube-system:${account}" cannot create resource "pods"`,
  );
const waitingForANode = pods({ nodeName: "", podIP: "", phase: "Pending" });
const withoutPods = api(() => ({ pods: [] }));

const cases: readonly Case[] = [
  {
    rule: "etcd-not-running",
    check: "nodes-ready",
    change: unit("server", "etcd", stopped),
    cause: /^etcd is not running on server \(inactive\)$/,
    butNot: [
      { change: all(unit("server", "etcd", stopped), asStaticPod) },
      { change: all(unit("server", "etcd", "ActiveState=failed SubState=failed"), asStaticPod) },
      { change: all(unit("server", "etcd", stopped), standIn("server", "k3s-server")) },
      { change: leftOver("node-0", "etcd", "LoadState=masked ActiveState=inactive SubState=dead") },
      // The cluster has another one, in which it may or may not be missed.
      { change: leftOver("node-0", "etcd", "LoadState=loaded ActiveState=inactive SubState=dead") },
      { change: leftOver("node-0", "etcd", "LoadState=loaded ActiveState=failed SubState=failed") },
    ],
  },
  {
    rule: "etcd-not-running",
    check: "nodes-ready",
    // It is started again and again: what was seen of its process has ended since.
    change: all(unit("server", "etcd", "ActiveState=activating SubState=auto-restart"), line("server", "processes", "etcd 4711 ")),
    cause: /^etcd is not running on server \(activating\)$/,
  },
  {
    rule: "etcd-not-running",
    check: "nodes-ready",
    // It waits for its peers: the process is the unit's own, its MainPID.
    change: all(unit("server", "etcd", "ActiveState=activating SubState=start"), line("server", "processes", "etcd 60 S (sleeping)")),
    cause: /^etcd is not running on server \(activating\)$/,
  },
  {
    rule: "etcd-not-running",
    check: "nodes-ready",
    // Of the other one nothing is left either.
    change: all(unit("server", "etcd", stopped), leftOver("node-0", "etcd", "LoadState=loaded ActiveState=inactive SubState=dead")),
    cause: /^etcd is not running on server \(inactive\)$/,
  },
  {
    rule: "etcd-suspended",
    check: "replicas-ready",
    change: line("server", "processes", "etcd 77 T (stopped)"),
    cause: /^etcd on server is suspended/,
  },
  {
    rule: "etcd-no-space",
    check: "nodes-ready",
    change: line("server", "etcd", "memberID:7431438274785619257 alarm:NOSPACE"),
    cause: /^etcd on server is out of space/,
    butNot: [{ change: line("server", "journal", "etcd: applied snapshot, space 8192") }],
  },
  {
    rule: "etcd-no-space",
    check: "replicas-ready",
    message: "answered 500: etcdserver: mvcc: database space exceeded",
    cause: /out of space/,
  },
  {
    rule: "kube-apiserver-not-running",
    check: "secret-read-back",
    change: unit("server", "kube-apiserver", stopped),
    cause: /^kube-apiserver is not/,
  },
  {
    rule: "kube-apiserver-suspended",
    check: "nodes-ready",
    change: line("server", "processes", "kube-apiserver 101 T (stopped)"),
    cause: /^kube-apiserver on server is suspended: its process 101 is in state T/,
    butNot: [{ change: line("server", "processes", "kube-apiserver 101 S (sleeping)") }],
  },
  {
    rule: "containerd-not-running",
    check: "containers-on-host",
    change: unit("node-1", "containerd", stopped),
    cause: /^containerd is not running on node-1/,
    butNot: [{ change: all(unit("node-1", "containerd", stopped), standIn("node-1", "crio")) }],
  },
  {
    rule: "kubelet-not-running",
    check: "nodes-ready",
    change: unit("node-1", "kubelet", stopped),
    cause: /^kubelet is not running on node-1/,
    butNot: [
      { check: "node-port-answers", change: unit("node-1", "kubelet", stopped) },
      { change: leftOver("server", "kubelet", "LoadState=masked ActiveState=inactive SubState=dead") },
    ],
  },
  {
    rule: "kube-controller-manager-not-running",
    check: "replicas-ready",
    change: unit("server", "kube-controller-manager", "ActiveState=activating SubState=auto-restart"),
    cause: /^kube-controller-manager is not running on server \(activating\)$/,
  },
  {
    rule: "kube-scheduler-not-running",
    check: "pod-replaced",
    change: unit("server", "kube-scheduler", stopped),
    cause: /^kube-scheduler is not running on server/,
    butNot: [
      { check: "secret-encrypted", change: unit("server", "kube-scheduler", stopped) },
      { change: leftOver("node-0", "kube-scheduler", "LoadState=loaded ActiveState=inactive SubState=dead") },
    ],
  },
  {
    rule: "kube-proxy-not-running",
    check: "node-port-answers",
    change: unit("node-1", "kube-proxy", stopped),
    cause: /^kube-proxy is not running on node-1/,
    butNot: [
      { check: "secret-read-back", change: unit("node-1", "kube-proxy", stopped) },
      { change: all(unit("node-1", "kube-proxy", stopped), standIn("node-1", "cilium-agent")) },
    ],
  },
  {
    rule: "replicaset-controller-off",
    check: "replicas-ready",
    change: line("server", "flags", "kube-controller-manager --controllers=*,-replicaset-controller"),
    cause: /^kube-controller-manager on server runs without its replicaset-controller, so that ReplicaSets get no Pods$/,
    butNot: [
      { change: line("server", "flags", "kube-controller-manager --controllers=*") },
      { change: line("server", "flags", "kube-controller-manager --controllers=*,-ttl-controller,bootstrapsigner") },
    ],
  },
  {
    rule: "endpointslice-controller-off",
    check: "service-endpoints",
    change: line("server", "flags", "kube-controller-manager --controllers=*,-endpointslice"),
    cause: /without its endpointslice-controller/,
    butNot: [{ check: "replicas-ready", change: line("server", "flags", "kube-controller-manager --controllers=*,-endpointslice") }],
  },
  {
    rule: "replicaset-controller-forbidden",
    check: "pod-replaced",
    change: withoutRight("replicaset-controller"),
    cause: /^the replicaset-controller of kube-controller-manager on server has not the rights/,
    butNot: [{ change: withoutRight("ttl-controller") }, { check: "service-endpoints", change: withoutRight("replicaset-controller") }],
  },
  {
    rule: "containerd-suspended",
    check: "containers-on-host",
    change: line("node-1", "processes", "containerd 77 T (stopped)"),
    cause: /^containerd on node-1 is suspended/,
  },
  {
    rule: "kubelet-suspended",
    check: "nodes-ready",
    change: line("node-1", "processes", "kubelet 77 T (stopped)"),
    cause: /^kubelet on node-1 is suspended/,
  },
  {
    rule: "kube-controller-manager-suspended",
    check: "replicas-ready",
    change: line("server", "processes", "kube-controller-manager 77 T (stopped)"),
    cause: /^kube-controller-manager on server is suspended/,
  },
  {
    rule: "kube-scheduler-suspended",
    check: "replicas-ready",
    change: line("server", "processes", "kube-scheduler 77 T (stopped)"),
    cause: /^kube-scheduler on server is suspended/,
  },
  {
    rule: "kube-proxy-suspended",
    check: "node-port-answers",
    change: line("node-1", "processes", "kube-proxy 77 T (stopped)"),
    cause: /^kube-proxy on node-1 is suspended/,
  },
  {
    rule: "deployment-controller-off",
    check: "replicas-ready",
    change: line("server", "flags", "kube-controller-manager --controllers=*,-deployment-controller"),
    cause: /^kube-controller-manager on server runs without its deployment-controller/,
  },
  {
    rule: "serviceaccount-controller-off",
    check: "replicas-ready",
    change: line("server", "flags", "kube-controller-manager --controllers=*,-serviceaccount-controller"),
    cause: /^kube-controller-manager on server runs without its serviceaccount-controller/,
  },
  {
    rule: "deployment-controller-forbidden",
    check: "replicas-ready",
    change: withoutRight("deployment-controller"),
    cause: /^the deployment-controller of kube-controller-manager on server has not the rights/,
  },
  {
    rule: "serviceaccount-controller-forbidden",
    check: "replicas-ready",
    change: withoutRight("service-account-controller"),
    cause: /^the serviceaccount-controller of kube-controller-manager on server has not the rights/,
  },
  {
    rule: "endpointslice-controller-forbidden",
    check: "service-endpoints",
    change: withoutRight("endpointslice-controller"),
    cause: /^the endpointslice-controller of kube-controller-manager on server has not the rights/,
  },
  {
    rule: "kube-scheduler-silent",
    check: "replicas-ready",
    change: all(leaseOf("kube-scheduler", 65), waitingForANode),
    cause: /^kube-scheduler on server has not renewed its Lease for 65 s/,
    butNot: [
      // A clock that is wrong makes all of them old.
      { change: all(allLeases(65), waitingForANode) },
      // A Lease stands still as well where there is no leader election: every Pod has its Node, or there is none to find one for.
      { change: all(leaseOf("kube-scheduler", 65), pods({ waiting: "ErrImagePull: failed to pull and unpack image: i/o timeout" })) },
      { change: all(leaseOf("kube-scheduler", 65), withoutPods) },
      { change: all(leaseOf("kube-scheduler", 65), pods({ nodeName: "", isTerminating: true })) },
      // Whoever says why there is no place is at work.
      { change: all(leaseOf("kube-scheduler", 65), waitingForANode, pods({ unscheduled: "0/2 nodes are available: 2 Too many pods." })) },
    ],
  },
  {
    rule: "kube-controller-manager-silent",
    check: "replicas-ready",
    change: all(leaseOf("kube-controller-manager", 65), withoutPods),
    cause: /^kube-controller-manager on server has not renewed its Lease for 65 s/,
    butNot: [
      { change: leaseOf("kube-controller-manager", 65) },
      { change: all(leaseOf("kube-controller-manager", 65), waitingForANode) },
      // Whoever reports why there are no Pods is at work.
      {
        change: all(
          leaseOf("kube-controller-manager", 65),
          withoutPods,
          api(() => ({ deployment: ['ReplicaFailure=True: pods "nginx-1" is forbidden: it is what it is'] })),
        ),
      },
    ],
  },
];

test.for(cases)("$rule is named when $check fails", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
