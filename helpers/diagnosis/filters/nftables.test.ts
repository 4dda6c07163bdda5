import { expect, test } from "vitest";
import { appliesTo, type Packet } from "./conditions.ts";
import { nftablesOf } from "./nftables.ts";
import { all, healthy, line } from "../recorded.ts";

const packet: Packet = {
  source: "192.0.2.10",
  destination: "10.200.1.6",
  destinationPort: 80,
  inInterface: "eth0",
  outInterface: "cni0",
  state: "NEW",
  isByNodePort: false,
  length: 655,
};
const read = (...lines: readonly string[]) => nftablesOf(all(...lines.map((each) => line("node-1", "nft", each)))(healthy()), "node-1");
const rule = (statement: string) => read(`inet own guard forward ${statement}`)[0]?.chains["guard"]?.[0];
const applies = (asked: string) => {
  const found = rule(`${asked} drop`);
  return found && appliesTo(found, packet);
};

test.for([
  ["tcp dport 80", true],
  ["tcp dport { 22, 80-90 }", true],
  ["tcp dport != 80", false],
  ["tcp dport > 79", true],
  ["udp dport 80", false],
  ["meta l4proto { tcp, udp } th dport 80", true],
  ["ip protocol icmp", false],
  ["ip saddr 192.0.2.0/24 ip daddr { 10.200.0.0/16, 10.201.0.0/16 }", true],
  ["ip saddr != 192.0.2.10", false],
  ["ip6 daddr fd00::/8", false],
  ['iifname "eth*" oifname "cni0"', true],
  ['oifname { "virbr0", "docker0" }', false],
  ["ct state established,related", false],
  ["ct state { new, invalid }", true],
  ["ct status dnat", false],
  ["meta length > 600", true],
  ["ip length > 1500", false],
  ['counter packets 3 bytes 180 log prefix "a drop: " flags all', true],
  ["icmpv6 type { nd-neighbor-solicit }", false],
  ["meta nfproto ipv6", false],
] as const)("%s applies to the packet: %s", ([asked, expected]) => {
  expect(applies(asked) ?? false).toBe(expected);
});

test.for([
  "ip saddr @blocked",
  "iifname @ours",
  'iifname . oifname { "eth1" . "cni0" }',
  "limit rate over 10/second burst 5 packets",
  "tcp flags & (fin | syn) == fin | syn",
  "meta mark 0x00000001",
  "fib daddr type local",
  // Behind the operator stands a set that has a name, or nothing that is known here.
  "iifname != @ours",
  "meta l4proto != @some",
  "ct state ! invalid",
  "meta l4proto vmap { udp : drop, * : accept }",
  "tcp dport vmap @ports",
  // What carries packets of TCP as well as others.
  "ether saddr 02:00:00:00:00:01",
  "ether type ip",
  "vlan id 7",
  "ct status assured",
  "ct state untracked",
  // Of what is not known, words are no conditions and no verdicts.
  "ct original ip daddr 198.51.100.1",
  "ct status & dnat == dnat",
  'socket cgroupv2 level 1 "a drop b"',
  'socket cgroupv2 level 1 "a\u00A0b"',
  'socket cgroupv2 level 1 \u00A0"a',
])("whether %s applies is not known", (asked) => {
  expect(applies(asked)).toBeUndefined();
  if (!asked.includes("vmap")) for (const verdict of ["drop", "accept"]) expect(rule(`${asked} ${verdict}`)?.verdict).toBe(verdict);
});

test.for([
  ["accept", { verdict: "accept" }],
  ["counter packets 3 bytes 180 reject with icmpx admin-prohibited # handle 7", { verdict: "drop" }],
  ["tcp dport 30267 redirect to :8080", { verdict: "redirect" }],
  ["jump ours", { verdict: "jump", target: "ours" }],
  ['iifname "eth0" goto zone_public # handle 12', { verdict: "goto", target: "zone_public" }],
  ["ct state vmap { established : accept, invalid : drop }", { verdict: "jump", target: "" }],
  ["synproxy mss 1460 wscale 7", { verdict: "jump", target: "" }],
  ["tcp dport 80 meta mark set 0x1", { verdict: "none" }],
] as const)("%s does what it says", ([statement, expected]) => {
  expect(rule(statement)).toMatchObject(expected);
});

test("of a map only the values that it has lead somewhere", () => {
  const found = rule("ct state vmap { established : accept, invalid : drop }");

  expect(found && appliesTo(found, packet)).toBe(false);
  expect(found && appliesTo(found, { ...packet, state: "ESTABLISHED" })).toBe(true);
});

test("chains hang on the hooks that are told of, and those without one are only led to", () => {
  const filters = read(
    "inet own guard - chain guard {",
    "inet own guard forward type filter hook forward priority filter; policy drop;",
    "inet own ours - chain ours {",
    "inet own guard forward jump ours",
  );

  expect(filters).toMatchObject([{ by: "nftables", hook: "forward", chain: "guard", chains: { guard: [{ verdict: "jump" }], ours: [] } }]);
  expect(filters).toHaveLength(1);
});

test("tables that see no packets of IPv4 on their way through a host are passed over", () => {
  const families = ["ip", "ip6", "inet", "arp", "bridge", "netdev"];

  const filters = read(...families.map((family) => `${family} own guard forward drop`));

  expect(filters.map(({ table }) => table)).toEqual(["ip own", "inet own"]);
});

test.for([
  ["type filter hook forward priority filter; policy drop;", true],
  ["type filter hook forward priority filter - 5; policy drop;", true],
  ["type filter hook forward priority filter; policy accept;", false],
  ['tcp dport 80 accept comment "policy drop;"', false],
] as const)("what comes to the end of a chain is dropped, by %s: %s", ([statement, expected]) => {
  const policy = `inet own guard forward ${statement}`;

  const [filter] = read(`inet own guard - chain guard {`, policy, "inet own guard forward ct state established accept");

  expect(filter?.dropPolicy).toBe(expected ? policy : undefined);
});
