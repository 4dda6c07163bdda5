import { expect, test } from "vitest";
import { all, api, causeOf, line, lookalikes, said, type Case } from "./recorded.ts";

const withoutRule = said("node-1", "node-port-rules", () => "");
const flushed = said("node-1", "filters", (text) => text.replace(/^nat -A PREROUTING .*\n?/gm, ""));
const outside =
  "ClusterIP 10.32.0.9: what is wrong with it: expected '10.32.0.9 is not in 10.33.0.0/24, the service range by SMOKE_SERVICE_CIDR' to be undefined";

const cases: readonly Case[] = [
  {
    rule: "selector-matches-nothing",
    check: "service-endpoints",
    change: api(({ service }) => ({ service: service && { ...service, selector: { app: "nobody" } }, endpoints: [] })),
    cause: /^the selector of Service nginx, app=nobody, matches none of the Pods$/,
  },
  {
    rule: "endpointslices-missing",
    check: "node-port-answers",
    message: "not looked at, because `service-endpoints` failed: the EndpointSlices of Service nginx hold no address",
    change: api(() => ({ endpoints: [] })),
    cause: /^the EndpointSlices of Service nginx lack ready Pods/,
  },
  {
    rule: "service-range-differs",
    check: "service-ports",
    message: outside,
    cause:
      /^kube-apiserver on server takes ClusterIPs from 10\.32\.0\.0\/24, where 10\.33\.0\.0\/24 is the service range by SMOKE_SERVICE_CIDR$/,
  },
  {
    rule: "service-range-differs",
    check: "service-ports",
    message: outside,
    change: said("server", "flags", (text) => text.replace(/^kube-apiserver --service-cluster-ip-range=.*\n/m, "")),
    cause: /^kube-apiserver on server runs without --service-cluster-ip-range/,
  },
  {
    rule: "kube-proxy-chains-bypassed",
    check: "node-port-answers",
    change: flushed,
    cause: /^on node-1 nothing leads into kube-proxy's rules/,
    // Another mode of kube-proxy has no such chain.
    butNot: [
      {
        change: all(
          flushed,
          said("node-1", "kube-proxy-health", () => "{}\nnftables"),
        ),
      },
    ],
  },
  {
    rule: "kube-proxy-cut-off",
    check: "node-port-answers",
    change: all(
      withoutRule,
      line("node-1", "journal", 'kube-proxy: E1126 01:02:03 "Failed to watch" err="dial tcp 10.91.7.10:6443: i/o timeout"'),
    ),
    cause: /^kube-proxy on node-1 runs, but is cut off from the API server/,
  },
  {
    rule: "kube-proxy-cut-off",
    check: "node-port-answers",
    change: all(withoutRule, line("node-1", "filters", "filter -A OUTPUT -p tcp -m tcp --dport 6443 -m owner --gid-owner 13 -j DROP")),
    cause: /^kube-proxy on node-1 runs, but is cut off/,
  },
  {
    rule: "kube-proxy-cut-off",
    check: "node-port-answers",
    // It has been so from its start, and serves nothing yet.
    change: all(
      withoutRule,
      said("node-1", "kube-proxy-health", () => ""),
      line("node-1", "filters", "filter -A OUTPUT -p tcp -m tcp --dport 6443 -j DROP"),
    ),
    cause: /^kube-proxy on node-1 runs, but is cut off/,
  },
  {
    rule: "node-port-without-rule",
    check: "node-port-every-pod",
    change: withoutRule,
    cause: /^kube-proxy on node-1 runs, but has made no rule for NodePort \d+$/,
    // In a mode that keeps its rules elsewhere there is none to be seen.
    butNot: [
      {
        change: all(
          withoutRule,
          said("node-1", "kube-proxy-health", () => "{}\nipvs"),
        ),
      },
      { check: "pod-ip-from-server", change: withoutRule },
    ],
  },
  {
    rule: "node-port-firewalled",
    check: "node-port-answers",
    message:
      "expected [ 'node-1: GET http://x/ from this machine: 32 of 32 not answered with 200 by nginx: 32 × timed out; of 32 from node-1 itself 32 are answered, so the path from here is broken' ]",
    cause: /^something between this machine and node-1 stops NodePort \d+: node-1 itself gets every answer$/,
  },
];

test.for(cases)("$rule is named when $check does not pass", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
