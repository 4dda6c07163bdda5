import { expect, test } from "vitest";
import type { Packet } from "./conditions.ts";
import { iptablesOf } from "./iptables.ts";
import { passageOf } from "./packet-rules.ts";
import { healthy, said } from "../recorded.ts";

const packet: Packet = {
  destination: "10.200.1.6",
  inInterface: "eth0",
  outInterface: "cni0",
  state: "NEW",
  isByNodePort: false,
  length: 60,
};

/** How the packet fares in FORWARD, if these are the rules of a table. */
function faresIn(table: string, rules: readonly string[]) {
  const text = [":FORWARD ACCEPT [0:0]", ...rules].map((rule) => `${table} ${rule}`).join("\n");
  const evidence = said("node-1", "filters", () => text)(healthy());
  const filter = iptablesOf(evidence, "node-1").find((one) => one.table === table && one.hook === "forward");
  const { met, end } = passageOf(filter?.chains ?? {}, "FORWARD", packet);
  return { met: met.map(({ line }) => line.replace(`${table} `, "")), end };
}
const fares = (...rules: readonly string[]) => faresIn("filter", rules);

const [accept, drop, dropOnes] = ["-A FORWARD -o cni0 -j ACCEPT", "-A FORWARD -j DROP", "-A FORWARD -d 10.200.1.6/32 -j DROP"];
const perhaps = "-m set --match-set some src";

test.for([
  ["nothing", [], [], "through"],
  ["a rule that drops it", [dropOnes], [dropOnes], "decided"],
  ["one that drops others", ["-A FORWARD -o docker0 -j DROP"], [], "through"],
  ["one that accepts it, before", [accept, drop], [], "decided"],
  ["one that accepts it, behind", [drop, accept], [drop], "decided"],
  ["one that may accept it", [`-A FORWARD ${perhaps} -j ACCEPT`, drop], [], "unknown"],
  ["one that may drop it", [`-A FORWARD ${perhaps} -j DROP`, accept], [], "decided"],
  ["a chain of which nothing is known", ["-A FORWARD -j cali-FORWARD", drop], [], "unknown"],
  ["chains that accept nothing", ["-A FORWARD -j DOCKER-USER", "-A FORWARD -j KUBE-SERVICES", drop], [drop], "decided"],
  ["a chain that lets it pass", [":ours - [0:0]", "-A ours -o docker0 -j ACCEPT", "-A FORWARD -j ours", drop], [drop], "decided"],
  ["a chain that accepts it", ["-A ours -o cni0 -j ACCEPT", "-A FORWARD -j ours", drop], [], "decided"],
  ["a chain that drops it", ["-A ours -j DROP", "-A FORWARD -j ours", accept], ["-A ours -j DROP"], "decided"],
  ["a chain that it may come to, and that accepts", ["-A ours -j ACCEPT", `-A FORWARD ${perhaps} -j ours`, drop], [], "unknown"],
  ["a chain that returns it", ["-A ours -o cni0 -j RETURN", "-A ours -j DROP", "-A FORWARD -j ours", accept], [], "decided"],
  ["a chain from which nothing comes back", [":ours - [0:0]", "-A FORWARD -g ours", drop], [], "through"],
  ["a chain that leads to itself", ["-A ours -j ours", "-A FORWARD -j ours", drop], [], "unknown"],
  [
    "one that drops at random",
    ["-A FORWARD -m statistic --mode random --probability 0.3 -j DROP", accept],
    ["-A FORWARD -m statistic --mode random --probability 0.3 -j DROP"],
    "decided",
  ],
  ["one that accepts at random", ["-A FORWARD -m statistic --mode random --probability 0.3 -j ACCEPT", drop], [], "unknown"],
  ["kube-proxy's marks", ["-A FORWARD -j KUBE-FORWARD", drop], [drop], "decided"],
] as const)("a packet and %s", ([, rules, met, end]) => {
  expect(fares(...rules)).toEqual({ met, end });
});

test.for(["KUBE-SERVICES", "KUBE-NODEPORTS"])("in the table nat %s decides, and nobody looks into it", (chain) => {
  expect(faresIn("nat", [`-A FORWARD -j ${chain}`, drop])).toEqual({ met: [], end: "unknown" });
  expect(faresIn("nat", ["-A FORWARD -j DOCKER", drop])).toEqual({ met: [drop], end: "decided" });
});
