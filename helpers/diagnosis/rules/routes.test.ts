import { expect, test } from "vitest";
import { all, causeOf, healthy, line, lookalikes, said, type Case } from "../recorded.ts";

const addressOf = (name: string): string => healthy().api.nodes.find((one) => one.name === name)?.internalIP ?? "";
const timedOut =
  "from server: expected [ { page: 'server: curl http://10.200.1.6:80 exited 28, expected 0: curl: (28) Connection timed out after 5000 ms' } ]";
const subnet = (host: string, cidr: string) => said(host, "cni-files", (text) => text.replace(/10\.200\.\d\.0\/24/, cidr));
const without = (host: string, cidr: string) => said(host, "routes", (text) => text.replace(new RegExp(`^${cidr} via .*\n?`, "m"), ""));
const via = (host: string, cidr: string, address: string) =>
  said(host, "routes", (text) => text.replace(new RegExp(`^${cidr} via \\S+`, "m"), `${cidr} via ${address}`));
/** Neither server nor Nodes have routes to Pods: the network between them routes, as that of a cloud does. */
const routedByNetwork = all(
  ...["server", "node-0", "node-1"].map((host) => said(host, "routes", (text) => text.replace(/^10\.200\..* via .*\n?/gm, ""))),
);

const cases: readonly Case[] = [
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
];

test.for(cases)("$rule is named when $check fails", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
