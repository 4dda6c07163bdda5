import { expect, test } from "vitest";
import { appliesTo, type Packet } from "./conditions.ts";
import { iptablesOf, iptablesRule } from "./iptables.ts";
import { healthy } from "../recorded.ts";

const packet: Packet = {
  source: "192.0.2.10",
  destination: "192.0.2.21",
  destinationPort: 30267,
  inInterface: "eth0",
  outInterface: undefined,
  state: "NEW",
  isByNodePort: false,
  length: 60,
};
const applies = (asked: string, to: Packet = packet) => {
  const rule = iptablesRule(`filter -A FORWARD ${asked}${asked === "" ? "" : " "}-j DROP`);
  return rule && appliesTo(rule, to);
};

test.for([
  ["", true],
  ["-p tcp -m tcp --dport 30000:32767", true],
  ["-p tcp -m tcp --dport 30267", true],
  ["-p tcp -m tcp ! --dport 30267", false],
  ["-p tcp -m multiport --dports 80,443,30000:32767", true],
  ["-p tcp -m multiport --dports 80,443", false],
  ["-p udp -m udp --dport 30000:32767", false],
  ["! -p udp", true],
  ["-s 192.0.2.10/32", true],
  ["! -s 192.0.2.10/32 -p tcp", false],
  ["-s 198.51.100.0/24", false],
  ["-d 192.0.2.0/24 -i eth0", true],
  ["-i eth+", true],
  ["! -i eth0", false],
  ["-i docker0", false],
  ["-m conntrack --ctstate RELATED,ESTABLISHED", false],
  ["-m conntrack --ctstate NEW,INVALID", true],
  ["-m conntrack ! --ctstate NEW", false],
  ["-m conntrack --ctstate DNAT", false],
  ["-m mark --mark 0x4000/0x4000", false],
  ["-m length --length 600:65535", false],
  ['-m comment --comment "from -s 198.51.100.0/24 \\"alone\\"" -p tcp', true],
  ["-m comment --comment short -m statistic --mode random --probability 0.30000000000", true],
] as const)("%s applies to the packet: %s", ([asked, expected]) => {
  expect(applies(asked)).toBe(expected);
});

test.for([
  // Nobody knows by what interface it goes out, or what is in a set.
  "-o virbr0",
  "-p tcp -m set --match-set blocked src",
  "-m set ! --match-set allowed src",
  "-m mark --mark 0x8000/0x8000",
  "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
  "-m owner --gid-owner 13",
  "-m conntrack --ctstate SNAT",
  "-m conntrack ! --ctstate UNTRACKED",
  "-m socket",
  "-f",
  "-p tcp -m tcp --sport 1024:65535",
])("whether %s applies is not known, unless something else in it does not", (asked) => {
  expect(applies(asked)).toBeUndefined();
  expect(applies(`-i docker0 ${asked}`)).toBe(false);
});

test.for([
  ["-j ACCEPT", { verdict: "accept" }],
  ["-j REJECT --reject-with icmp-port-unreachable", { verdict: "drop" }],
  ["-j REDIRECT --to-ports 8080", { verdict: "redirect" }],
  ["-j LOG --log-prefix drop", { verdict: "none" }],
  ["-m comment --comment nothing", { verdict: "none" }],
  ["-j cali-FORWARD", { verdict: "jump", target: "cali-FORWARD" }],
  ["-g ufw-skip", { verdict: "goto", target: "ufw-skip" }],
  ["-m statistic --mode nth --every 4 --packet 0 -j DROP", { verdict: "drop", probability: 0.25 }],
] as const)("%s does what it says", ([rule, expected]) => {
  expect(iptablesRule(`nat -A PREROUTING ${rule}`)).toMatchObject({ table: "nat", chain: "PREROUTING", ...expected });
});

test("what is no rule is none, and the chains of a host are those that it has", () => {
  expect(iptablesRule("filter :FORWARD DROP [0:0]")).toBeUndefined();
  expect(iptablesOf(healthy(), "node-1").map(({ hook, chains }) => [hook, chains["FORWARD"] === undefined])).toEqual(
    expect.arrayContaining([
      ["forward", false],
      ["prerouting", true],
    ]),
  );
});
