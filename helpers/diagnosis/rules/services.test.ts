import { expect, test } from "vitest";
import { cutShort } from "../reading.ts";
import { all, api, causeOf, line, lookalikes, said, type Case } from "../recorded.ts";

const withoutRule = said("node-1", "node-port-rules", () => "");
const flushed = said("node-1", "filters", (text) => text.replace(/^nat -A PREROUTING .*\n?/gm, ""));
const healthIs = (text: string) => said("node-1", "kube-proxy-health", () => text);
/** kube-proxy brings its own iptables, in an image as with kubeadm, and the host has none, or looks at the other kind of tables. */
const unseen = all(
  withoutRule,
  said("node-1", "filters", () => ""),
);
const otherTables = all(
  withoutRule,
  said("node-1", "filters", () => "nat :PREROUTING ACCEPT [0:0]\nnat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER"),
);
const apiCut = (rule: string) => line("node-1", "filters", `filter -A OUTPUT ${rule}`);
const outside =
  "ClusterIP 10.32.0.9: what is wrong with it: expected '10.32.0.9 is not in 10.33.0.0/24, the service range by SMOKE_SERVICE_CIDR' to be undefined";

const inTheSlices = {
  check: "service-endpoints",
  message: "EndpointSlices of Service nginx: expected [] to deeply equal [ '10.200.0.5:80' ]",
};

const keepsToOnePod = api(({ service }) => ({ service: service && { ...service, sessionAffinity: "ClientIP" } }));

const cases: readonly Case[] = [
  {
    rule: "service-keeps-to-one-pod",
    check: "node-port-every-pod",
    change: keepsToOnePod,
    cause: /^Service nginx has sessionAffinity ClientIP, so that all that this machine asks is answered by one Pod$/,
    // Whoever keeps to one Pod is answered by it.
    butNot: [{ check: "node-port-answers", change: keepsToOnePod }],
  },
  {
    rule: "selector-matches-nothing",
    check: "service-endpoints",
    change: api(({ service }) => ({ service: service && { ...service, selector: { app: "nobody" } }, endpoints: [] })),
    cause: /^the selector of Service nginx, app=nobody, matches none of the Pods$/,
    butNot: [
      // There is no Pod to be selected.
      { change: api(({ service }) => ({ service: service && { ...service, selector: { app: "nobody" } }, pods: [] })) },
      // It selects by less than the run's labels.
      { change: api(({ service }) => ({ service: service && { ...service, selector: { app: "nginx" } } })) },
    ],
  },
  {
    rule: "endpointslices-missing",
    check: "node-port-answers",
    message: "not looked at, because `service-endpoints` failed: the EndpointSlices of Service nginx hold no address",
    change: api(() => ({ endpoints: [] })),
    cause: /^the EndpointSlices of Service nginx lack ready Pods/,
    butNot: [
      // What is not Ready has no place there.
      { ...inTheSlices, change: api(({ pods }) => ({ endpoints: [], pods: pods.map((pod) => ({ ...pod, ready: false })) })) },
      { ...inTheSlices, change: api(({ pods }) => ({ endpoints: [], pods: pods.map((pod) => ({ ...pod, isTerminating: true })) })) },
      // The check has seen them in the slices, and the evidence was read while one of them was replaced.
      { message: "Nodes through which not every request to the 2 Pods was answered with 200", change: api(() => ({ endpoints: [] })) },
      { ...inTheSlices, check: "pod-ip-from-server", change: api(() => ({ endpoints: [] })) },
    ],
  },
  {
    rule: "service-range-differs",
    check: "service-ports",
    message: outside,
    cause:
      /^kube-apiserver on server takes ClusterIPs from 10\.32\.0\.0\/24, where 10\.33\.0\.0\/24 is the service range by SMOKE_SERVICE_CIDR$/,
    butNot: [
      { message: "port: expected 8080 to be 80" },
      { check: "pod-cidr", message: "10.200.0.5 is not in 10.201.0.0/24, the Pod CIDR" },
    ],
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
    butNot: [
      // Another mode of kube-proxy has no such chain.
      { change: all(flushed, healthIs("{}\nnftables")) },
      { change: otherTables },
      // The jump may be among the rules that are more than is read.
      { change: all(flushed, line("node-1", "filters", cutShort)) },
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
    butNot: [
      // It has been cut off, and has come back.
      { change: line("node-1", "journal", 'kube-proxy: E1126 01:02:03 "Failed to watch" err="dial tcp 10.91.7.10:6443: i/o timeout"') },
      // Whether it has made a rule cannot be seen.
      {
        change: all(unseen, line("node-1", "journal", 'kube-proxy: E1126 01:02:03 "Failed to watch" err="dial tcp: i/o timeout"')),
      },
    ],
  },
  {
    rule: "kube-proxy-cut-off",
    check: "node-port-answers",
    change: all(withoutRule, line("node-1", "filters", "filter -A OUTPUT -p tcp -m tcp --dport 6443 -m owner --gid-owner 13 -j DROP")),
    cause: /^kube-proxy on node-1 runs, but is cut off/,
    butNot: [
      // The API server of another cluster.
      { change: all(withoutRule, apiCut("-d 192.0.2.7/32 -p tcp -m tcp --dport 6443 -j DROP")) },
      { change: all(withoutRule, apiCut("-p udp -m udp --dport 6443 -j DROP")) },
      { change: all(withoutRule, apiCut("-o docker0 -p tcp -m tcp --dport 6443 -j REJECT")) },
    ],
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
    butNot: [
      // In a mode that keeps its rules elsewhere there is none to be seen.
      { change: all(withoutRule, healthIs("{}\nipvs")) },
      { change: unseen },
      { change: otherTables },
      // Without the program nft nothing is seen of its table.
      { change: all(withoutRule, healthIs("{}\nnftables")) },
      { check: "pod-ip-from-server", change: withoutRule },
    ],
  },
  {
    rule: "node-port-without-rule",
    check: "node-port-answers",
    change: all(
      withoutRule,
      healthIs("{}\nnftables"),
      said("node-1", "kube-proxy-table", () => "table ip kube-proxy"),
    ),
    cause: /^kube-proxy on node-1 runs, but has made no rule for NodePort \d+$/,
  },
  {
    rule: "node-port-firewalled",
    check: "node-port-answers",
    message:
      "expected [ 'node-1: GET http://x/ from this machine: 32 of 32 not answered with 200 by nginx: 32 × timed out; of 32 from node-1 itself 32 are answered, so the path from here is broken' ]",
    cause: /^something between this machine and node-1 stops NodePort \d+: node-1 itself gets every answer$/,
    butNot: [
      {
        message:
          "node-1: GET http://x/ from this machine: 32 of 32 not answered; of 32 from node-1 itself 0 are answered, so it is broken there",
      },
    ],
  },
];

test.for(cases)("$rule is named when $check does not pass", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
