import { expect, test } from "vitest";
import { all, causeOf, line, lookalikes, said, type Case } from "./recorded.ts";

const rule = (text: string, host = "node-1") => line(host, "filters", text);
const policy = (host: string) => said(host, "filters", (text) => text.replace(/^filter :FORWARD ACCEPT/m, "filter :FORWARD DROP"));
const nft = (text: string) => line("node-1", "nft", text);

const cases: readonly Case[] = [
  {
    rule: "connections-lost-at-random",
    check: "node-port-answers",
    change: rule(
      "nat -A PREROUTING -p tcp -m tcp --dport 30000:32767 -m statistic --mode random --probability 0.30000000000 -j DNAT --to-destination 10.91.7.250",
    ),
    cause: /^a rule on node-1 loses connections at random, 30 % of them$/,
    // kube-proxy itself chooses between Pods at random.
    butNot: [{ change: rule("nat -A KUBE-SVC-1 -m statistic --mode random --probability 0.5 -j KUBE-SEP-1") }],
  },
  {
    rule: "node-port-redirected",
    check: "node-port-every-pod",
    change: rule("nat -A PREROUTING -p tcp -m tcp --dport 30000:32767 -j REDIRECT --to-ports 8080"),
    cause: /^a rule on node-1 hands what comes in for the NodePort to another process$/,
    butNot: [{ change: rule("nat -A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080") }],
  },
  {
    rule: "large-packets-dropped",
    check: "pod-ip-from-server",
    change: rule("filter -A FORWARD -m length --length 600:65535 -j DROP"),
    cause: /^a rule on node-1 drops large packets \(--length 600:65535\)$/,
  },
  {
    rule: "large-packets-dropped-by-nftables",
    check: "pod-ip-from-server",
    change: nft("ip lost forward forward meta length > 600 counter packets 3 bytes 3000 drop"),
    cause: /^a rule on node-1 drops large packets \(meta length > 600\)$/,
  },
  {
    rule: "node-ports-dropped",
    check: "node-port-answers",
    change: rule("raw -A PREROUTING -p tcp -m tcp --dport 30000:32767 -j DROP"),
    cause: /^a rule on node-1 drops what comes in for NodePorts$/,
    butNot: [
      // In INPUT it has no effect, as the address has been changed before.
      { change: rule("filter -A INPUT -p tcp -m tcp --dport 30000:32767 -j DROP") },
      { change: rule("raw -A PREROUTING -p tcp -m tcp --dport 30000:32767 -j DROP", "server") },
      { check: "pod-ip-from-server", change: rule("raw -A PREROUTING -p tcp -m tcp --dport 30000:32767 -j DROP") },
      { change: rule("raw -A PREROUTING -p tcp -m tcp --dport 23 -j DROP") },
    ],
  },
  {
    rule: "forwarding-dropped",
    check: "pod-ip-from-server",
    change: rule("filter -A FORWARD -d 10.200.1.0/24 -j REJECT --reject-with icmp-port-unreachable"),
    cause: /^a rule on node-1 drops packets that it should forward$/,
    butNot: [{ change: rule("filter -A FORWARD -m conntrack --ctstate INVALID -j DROP") }],
  },
  {
    rule: "forward-policy-drop",
    check: "node-port-answers",
    change: policy("node-1"),
    cause: /^node-1 forwards no packets to its Pods: the policy of its FORWARD chain is DROP$/,
    butNot: [
      { check: "secret-encrypted", change: policy("node-1") },
      { change: policy("server") },
      // As Docker and ufw leave it, and somebody has made up for.
      { change: all(policy("node-1"), rule("filter -A FORWARD -i cni0 -j ACCEPT")) },
      { change: all(policy("node-1"), rule("filter -A FORWARD -j ACCEPT")) },
    ],
  },
  {
    rule: "forwarding-dropped-by-nftables",
    check: "pod-ip-from-server",
    change: nft("inet own guard forward ip daddr 10.200.0.0/16 drop"),
    cause: /^a rule of nftables on node-1 drops packets that it should forward$/,
    butNot: [{ change: nft("inet own guard input tcp dport 23 drop") }, { change: nft("inet own guard forward ct state invalid drop") }],
  },
];

test.for(cases)("$rule is named when $check fails", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
