import { expect, test } from "vitest";
import { all, causeOf, line, lookalikes, node, said, type Case } from "../recorded.ts";

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
