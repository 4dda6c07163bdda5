import { expect, test } from "vitest";
import { all, causeOf, healthy, line, lookalikes, node, said, type Case } from "./recorded.ts";

const addressOf = (name: string): string => healthy().api.nodes.find((one) => one.name === name)?.internalIP ?? "";
const timedOut =
  "from server: expected [ { page: 'server: curl http://10.200.1.6:80 exited 28, expected 0: curl: (28) Connection timed out after 5000 ms' } ]";
const subnet = (host: string, cidr: string) => said(host, "cni-files", (text) => text.replace(/10\.200\.\d\.0\/24/, cidr));
const gateway = (host: string, address: string) =>
  said(host, "addresses", (text) => text.replace(/^cni0 10\.200\.\d\.1\/24/m, `cni0 ${address}/24`));
/** Of one network that all Nodes share a Node gives these addresses, the first of which is its own. */
const part = (host: string, from: string, to: string) =>
  all(
    said(host, "cni-files", (text) =>
      text.replace(/"10\.200\.\d\.0\/24"/, `"10.200.0.0/24", "gateway": "${from}", "rangeStart": "${from}", "rangeEnd": "${to}"`),
    ),
    gateway(host, from),
  );
const without = (host: string, cidr: string) => said(host, "routes", (text) => text.replace(new RegExp(`^${cidr} via .*\n?`, "m"), ""));
const via = (host: string, cidr: string, address: string) =>
  said(host, "routes", (text) => text.replace(new RegExp(`^${cidr} via \\S+`, "m"), `${cidr} via ${address}`));
/** Neither server nor Nodes have routes to Pods: the network between them routes, as that of a cloud does. */
const routedByNetwork = all(
  ...["server", "node-0", "node-1"].map((host) => said(host, "routes", (text) => text.replace(/^10\.200\..* via .*\n?/gm, ""))),
);
/** The veth of a container that is no Pod's. */
const ofNerdctl =
  "9: veth0a1b2c3d@if2: <UP> mtu 1500 qdisc noqueue master nerdctl0 state UP mode DEFAULT group default link/ether 06:00:00:00:00:01";
const links = (change: (text: string) => string) => said("node-1", "links", (text) => text.replace(/^.*veth[0-9a-f]{8}@.*$/m, change));
const sysctl = (host: string, name: string) =>
  said(host, "forwarding", (text) => text.replace(`/proc/sys/net/ipv4/${name}:1`, `/proc/sys/net/ipv4/${name}:0`));

const cases: readonly Case[] = [
  {
    rule: "pod-subnets-overlap",
    check: "pod-ip-from-server",
    change: all(subnet("node-1", "10.200.0.0/24"), gateway("node-1", "10.200.0.1")),
    cause: /^node-0 and node-1 have the same Pod subnet, 10\.200\.0\.0\/24$/,
    butNot: [
      // Two halves of one range.
      { change: all(subnet("node-0", "10.200.0.0/25"), subnet("node-1", "10.200.0.128/25"), gateway("node-1", "10.200.0.129")) },
      { change: all(part("node-0", "10.200.0.10", "10.200.0.99"), part("node-1", "10.200.0.100", "10.200.0.199")) },
    ],
  },
  {
    rule: "declared-pod-cidr-differs",
    check: "pod-cidr",
    change: (evidence) => ({ ...evidence, given: { ...evidence.given, podCIDRs: { "node-1": ["10.222.1.0/24"] } } }),
    cause: /^the Pod CIDR of node-1 is 10\.222\.1\.0\/24 by SMOKE_POD_CIDRS, but 10\.200\.1\.0\/24 by \/etc\/cni\/net\.d\/10-bridge\.conf$/,
    butNot: [{ change: (evidence) => ({ ...evidence, given: { ...evidence.given, podCIDRs: { "node-1": ["10.200.1.0/24"] } } }) }],
  },
  {
    rule: "declared-pod-cidr-differs",
    check: "pod-cidr",
    change: node("node-0", { podCIDRs: ["10.99.0.0/24"] }),
    cause: /by spec\.podCIDRs, but/,
  },
  {
    rule: "veth-down",
    check: "pods-on-bridge",
    change: links((veth) => veth.replace(/<[^>]*>/, "<BROADCAST,MULTICAST>")),
    cause: /^veth[0-9a-f]{8}, the veth of a Pod on node-1, is down$/,
    butNot: [
      { change: line("node-1", "links", "9: veth-lab@if2: <BROADCAST,MULTICAST> mtu 1500 state DOWN") },
      { change: line("node-1", "links", ofNerdctl.replace("<UP>", "<BROADCAST,MULTICAST>")) },
    ],
  },
  {
    rule: "veth-off-its-bridge",
    check: "node-port-answers",
    change: links((veth) => veth.replace(/ master cni0/, "")),
    cause: /^veth[0-9a-f]{8}, the veth of a Pod on node-1, is on no bridge, and not on cni0$/,
    butNot: [
      { change: line("node-1", "links", ofNerdctl) },
      { check: "node-port-answers", change: said("node-1", "links", (text) => `${ofNerdctl}\n${text}`) },
      { check: "pods-spread", change: links((veth) => veth.replace(/ master cni0/, "")) },
    ],
  },
  {
    rule: "veth-off-its-bridge",
    check: "pods-on-bridge",
    change: links((veth) => veth.replace(/ master cni0/, " master br0")),
    cause: /^veth[0-9a-f]{8}, the veth of a Pod on node-1, is on br0, and not on cni0$/,
  },
  {
    rule: "forwarding-off",
    check: "node-port-answers",
    change: sysctl("node-1", "conf/eth0/forwarding"),
    cause: /^node-1 does not forward packets: net\.ipv4\.conf\.eth0\.forwarding is 0$/,
    // server need not forward anything, and no Node by an interface that leads nowhere.
    butNot: [
      { change: sysctl("server", "conf/eth0/forwarding") },
      { change: line("node-1", "forwarding", "/proc/sys/net/ipv4/conf/eth9/forwarding:0") },
      { check: "pods-spread", change: sysctl("node-1", "conf/eth0/forwarding") },
    ],
  },
  {
    rule: "route-missing",
    check: "pod-ip-from-server",
    change: without("server", "10.200.1.0/24"),
    cause: /^server has no route to 10\.200\.1\.0\/24, the Pods of node-1$/,
    butNot: [
      { check: "node-port-answers", change: without("server", "10.200.1.0/24") },
      { change: without("node-0", "10.200.1.0/24") },
      // One route for all Pods, to whoever knows better.
      { change: all(without("server", "10.200.1.0/24"), line("server", "routes", `10.200.0.0/16 via ${addressOf("node-1")} dev eth0`)) },
      { change: routedByNetwork },
      { change: routedByNetwork, message: timedOut },
      // Of IPv6 the routes are not compared.
      { change: all(subnet("node-0", "fd00:10:0::/64"), subnet("node-1", "fd00:10:1::/64")) },
    ],
  },
  {
    rule: "route-missing",
    check: "node-port-every-pod",
    change: without("node-0", "10.200.1.0/24"),
    cause: /^node-0 has no route to 10\.200\.1\.0\/24, the Pods of node-1$/,
  },
  {
    rule: "route-to-another-host",
    check: "pod-ip-from-server",
    change: via("server", "10.200.1.0/24", addressOf("node-0")),
    cause: /^the route of server to 10\.200\.1\.0\/24, the Pods of node-1, leads to \S+, which is node-0$/,
    butNot: [
      // A router, or the far end of a tunnel: whether it leads to the Pod, its page shows.
      { change: via("server", "10.200.1.0/24", "10.117.78.1") },
      { change: via("server", "10.200.1.0/24", "10.200.1.0") },
      // Another address of the right Node.
      { change: all(via("server", "10.200.1.0/24", "192.0.2.21"), line("node-1", "addresses", "eth1 192.0.2.21/24")) },
      { check: "node-port-answers", change: via("server", "10.200.1.0/24", addressOf("node-0")) },
    ],
  },
  {
    rule: "way-to-pods-silent",
    check: "pod-ip-from-server",
    message: timedOut,
    change: routedByNetwork,
    cause: /^server sends what is for 10\.200\.1\.0\/24, the Pods of node-1, to 10\.117\.78\.1, which is no Node, and nothing comes back$/,
    butNot: [
      // The page comes, and is wrong.
      { change: routedByNetwork },
      // The routes lead to the Nodes.
      { message: timedOut },
      // Not even their own Node hears the Pods.
      {
        message: timedOut,
        change: all(
          routedByNetwork,
          ...["node-0", "node-1"].map((host) => said(host, "pods", (text) => text.replace("exit=0 code=200", "exit=28 code=000"))),
        ),
      },
    ],
  },
  {
    rule: "way-to-pods-silent",
    check: "pod-ip-from-server",
    message: timedOut,
    change: via("server", "10.200.1.0/24", "10.117.78.9"),
    cause: /to 10\.117\.78\.9, which is no Node, and nothing comes back$/,
  },
  {
    rule: "packets-lost-in-queue",
    check: "pod-ip-from-server",
    change: line("node-1", "queueing", "qdisc netem 8001: dev eth0 root refcnt 2 limit 1000 loss 30%"),
    cause: /^node-1 delays or loses packets/,
    butNot: [
      // What a shaped container of somebody else's has, and what shapes the whole line.
      { change: line("node-1", "queueing", "qdisc netem 8002: dev docker0 root refcnt 2 limit 1000 delay 10ms") },
      { change: line("node-1", "queueing", "qdisc tbf 1: dev veth0a0b0c0d root refcnt 2 rate 1Mbit burst 256Mb lat 25ms") },
      { change: line("node-1", "queueing", "qdisc tbf 1: dev eth0 root refcnt 2 rate 1Gbit burst 256Mb lat 25ms") },
      { check: "pods-on-bridge", change: line("node-1", "queueing", "qdisc netem 8001: dev eth0 root refcnt 2 limit 1000 loss 30%") },
    ],
  },
  {
    rule: "pod-silent",
    check: "node-port-every-pod",
    change: said("node-1", "pods", (text) => text.replace(/exit=0 code=200/, "exit=7 code=000")),
    cause: /^Pod nginx-[\w-]+ on node-1 does not answer, not even to its own Node$/,
    butNot: [{ check: "replicas-ready", change: said("node-1", "pods", (text) => text.replace(/exit=0 code=200/, "exit=7 code=000")) }],
  },
];

test.for(cases)("$rule is named when $check fails", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
