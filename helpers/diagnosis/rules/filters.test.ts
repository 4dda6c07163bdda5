import { expect, test } from "vitest";
import { diagnose } from "../diagnose.ts";
import { cutShort } from "../reading.ts";
import { all, api, causeOf, healthy, line, lookalikes, said, type Case } from "../recorded.ts";

const rule = (text: string, host = "node-1") => line(host, "filters", text);
const policy = (host: string) => said(host, "filters", (text) => text.replace(/^filter :FORWARD ACCEPT/m, "filter :FORWARD DROP"));
const nft = (text: string) => line("node-1", "nft", text);

/** In front of all others, as iptables puts it with -I. */
const first = (text: string, host = "node-1") => said(host, "filters", (others) => `${text}\n${others}`);
const lines = (...texts: readonly string[]) => all(...texts.map(nft));
/** What firewalld has for whatever is forwarded; it knows what a NodePort has led here. */
const firewalld = [
  "inet firewalld filter_FORWARD forward type filter hook forward priority filter + 10; policy accept;",
  "inet firewalld filter_FORWARD forward ct state { established, related } accept",
  "inet firewalld filter_FORWARD forward ct status dnat accept",
  'inet firewalld filter_FORWARD forward iifname "lo" accept',
  "inet firewalld filter_FORWARD forward ct state invalid drop",
  "inet firewalld filter_FORWARD forward jump filter_FORWARD_POLICIES",
];
const firewalldRejects = "inet firewalld filter_FORWARD forward reject with icmpx admin-prohibited # handle 157";

/** A chain that drops what it does not accept, with some rules. */
const guarded = (hook: string, ...rules: readonly string[]) =>
  lines(
    "inet own guard - chain guard { # handle 1",
    `inet own guard ${hook} type filter hook ${hook} priority filter; policy drop;`,
    ...rules.map((text) => `inet own guard ${hook} ${text} # handle 2`),
  );
/** As most such chains begin. */
const workstation = ["ct state vmap { invalid : drop, established : accept, related : accept }", 'iifname "lo" accept'];

/** A cluster of IPv6 alone, of which the rules of IPv4 see nothing. */
const ofIPv6 = api(({ nodes, pods, endpoints }) => ({
  nodes: nodes.map((one, index) => ({ ...one, internalIP: `2001:db8::2${index}` })),
  pods: pods.map((pod, index) => ({ ...pod, podIP: `fd00:10:${index}::6` })),
  endpoints: endpoints.map((_, index) => `fd00:10:${index}::6:80`),
}));

const cases: readonly Case[] = [
  {
    rule: "connections-lost-at-random",
    check: "node-port-answers",
    change: first(
      "nat -A PREROUTING -p tcp -m tcp --dport 30000:32767 -m statistic --mode random --probability 0.30000000000 -j DNAT --to-destination 10.91.7.250",
    ),
    cause: /^a rule on node-1 loses connections at random, 30 % of them$/,
    // kube-proxy itself chooses between Pods at random.
    butNot: [
      { change: rule("nat -A KUBE-SVC-1 -m statistic --mode random --probability 0.5 -j KUBE-SEP-1") },
      {
        change: rule(
          "nat -A PREROUTING -d 192.0.2.80/32 -p tcp -m tcp --dport 80 -m statistic --mode random --probability 0.5 -j DNAT --to-destination 192.0.2.9",
        ),
      },
      { change: rule("filter -A FORWARD -o docker0 -m statistic --mode random --probability 0.1 -j DROP") },
      { change: rule("raw -A PREROUTING -p udp -m udp --dport 30000:32767 -m statistic --mode random --probability 0.3 -j DROP") },
      { change: rule("filter -A FORWARD -m statistic --mode random --probability 0.01 -j LOG --log-prefix sample") },
    ],
  },
  {
    rule: "node-port-redirected",
    check: "node-port-every-pod",
    change: first("nat -A PREROUTING -p tcp -m tcp --dport 30000:32767 -j REDIRECT --to-ports 8080"),
    cause: /^a rule on node-1 hands what comes in for the NodePort to another process$/,
    butNot: [
      { change: first("nat -A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080") },
      // Behind kube-proxy's chain, which has decided.
      { change: rule("nat -A PREROUTING -p tcp -m tcp --dport 30000:32767 -j REDIRECT --to-ports 8080") },
      // For another address, another protocol, another interface, others than us.
      { change: first("nat -A PREROUTING -d 192.0.2.80/32 -p tcp -m tcp --dport 30000:32767 -j DNAT --to-destination 192.0.2.81") },
      { change: first("nat -A PREROUTING -p udp -m udp --dport 30000:32767 -j REDIRECT --to-ports 8080") },
      { change: first("nat -A PREROUTING -i virbr0 -p tcp -m tcp --dport 30000:32767 -j REDIRECT --to-ports 8080") },
      { change: first("nat -A PREROUTING ! -i eth0 -p tcp -m tcp --dport 30000:32767 -j REDIRECT --to-ports 8080") },
      { change: first("nat -A PREROUTING -s 192.0.2.0/24 -p tcp -m tcp --dport 30000:32767 -j REDIRECT --to-ports 8080") },
      { change: first("nat -A PREROUTING -p tcp -m multiport --dports 80,443 -j REDIRECT --to-ports 8080") },
    ],
  },
  {
    rule: "large-packets-dropped",
    check: "pod-ip-from-server",
    change: first("filter -A FORWARD -m length --length 600:65535 -j DROP"),
    cause: /^a rule on node-1 drops large packets \(--length 600:65535\)$/,
    butNot: [
      { change: first("filter -A INPUT -m length --length 600:65535 -j DROP") },
      { change: first("filter -A FORWARD -p icmp -m length --length 600:65535 -j DROP") },
      { change: first("filter -A FORWARD -o virbr0 -m length --length 600:65535 -j DROP") },
      // Longer than what brings the page.
      { change: first("filter -A FORWARD -m length --length 1501:65535 -j DROP") },
      // kube-proxy accepts all of a connection that is there already.
      { change: rule("filter -A FORWARD -s 10.200.1.0/24 -m length --length 600:65535 -j DROP") },
    ],
  },
  {
    rule: "large-packets-dropped-by-nftables",
    check: "pod-ip-from-server",
    change: nft("ip lost forward forward meta length > 600 counter packets 3 bytes 3000 drop"),
    cause: /^a rule on node-1 drops large packets \(meta length > 600\)$/,
    butNot: [
      { change: nft("ip lost forward forward meta length > 1500 counter packets 3 bytes 3000 drop") },
      { change: nft('inet own guard forward oifname "virbr0" meta length > 600 drop') },
      { change: nft("inet own guard forward udp dport 53 meta length > 600 drop") },
      { change: nft("inet own guard input meta length > 600 drop") },
    ],
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
      { change: rule("raw -A PREROUTING -p udp -m udp --dport 30000:32767 -j DROP") },
      { change: rule("raw -A PREROUTING -d 192.0.2.80/32 -p tcp -m tcp --dport 30000:32767 -j DROP") },
      { change: rule("mangle -A PREROUTING -i docker0 -p tcp -m tcp --dport 30000:32767 -j DROP") },
      // Blocked are others.
      { change: rule("raw -A PREROUTING -p tcp -m set --match-set blocked src -m tcp --dport 30000:32767 -j DROP") },
      { change: rule("raw -A PREROUTING -p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE -j DROP") },
    ],
  },
  {
    rule: "forwarding-dropped",
    check: "pod-ip-from-server",
    change: rule("filter -A FORWARD -d 10.200.1.0/24 -j REJECT --reject-with icmp-port-unreachable"),
    cause: /^a rule on node-1 drops packets that it should forward$/,
    butNot: [
      { change: rule("filter -A FORWARD -m conntrack --ctstate INVALID -j DROP") },
      // libvirt's networks and Docker's.
      { change: rule("filter -A FORWARD -o virbr0 -j REJECT --reject-with icmp-port-unreachable") },
      { change: rule("filter -A FORWARD -i virbr0 -j REJECT --reject-with icmp-port-unreachable") },
      { change: rule("filter -A FORWARD ! -i docker0 -o docker0 -j DROP") },
      { change: rule("filter -A FORWARD -d 172.17.0.2/32 -j DROP") },
      { change: rule("filter -A FORWARD -p udp -j DROP") },
      // server sends from another address.
      {
        change: all(
          said("server", "routes", (text) => text.replace(/^10\.200\.1\.0\/24 .*/m, "$& src 192.0.2.10")),
          rule("filter -A FORWARD -s 10.117.78.10/32 -j DROP"),
        ),
      },
      { check: "node-port-answers", change: all(ofIPv6, rule("filter -A FORWARD -j DROP")) },
      // Behind what accepts it, or may accept it.
      {
        change: all(
          rule("filter -A FORWARD -d 10.200.0.0/16 -j ACCEPT"),
          rule("filter -A FORWARD -j REJECT --reject-with icmp-host-prohibited"),
        ),
      },
      { change: all(rule("filter -A FORWARD -j FLANNEL-FWD"), rule("filter -A FORWARD -j DROP")) },
      { change: all(rule("filter -A FORWARD -m set --match-set pods dst -j ACCEPT"), rule("filter -A FORWARD -j DROP")) },
      // The NodePort itself is no longer in it when it is forwarded.
      { check: "node-port-answers", change: rule("filter -A FORWARD -p tcp -m tcp --dport 30000:32767 -j DROP") },
      { check: "pods-on-bridge", change: rule("filter -A FORWARD -d 10.200.1.0/24 -j DROP") },
    ],
  },
  {
    // As it is in the images of some clouds, behind all others.
    rule: "forwarding-dropped",
    check: "node-port-every-pod",
    change: rule("filter -A FORWARD -j REJECT --reject-with icmp-host-prohibited"),
    cause: /^a rule on node-0 drops packets that it should forward$|^a rule on node-1 drops packets that it should forward$/,
  },
  {
    // Where Docker leaves room for such rules.
    rule: "forwarding-dropped",
    check: "pod-ip-from-server",
    change: all(
      first("filter -A FORWARD -j DOCKER-USER"),
      rule("filter :DOCKER-USER - [0:0]"),
      rule("filter -A DOCKER-USER -i eth0 ! -o docker0 -j DROP"),
    ),
    cause: /^a rule on node-1 drops packets that it should forward$/,
  },
  {
    rule: "forwarding-dropped",
    check: "pod-ip-from-server",
    change: rule("filter -A FORWARD -s 10.117.78.10/32 -j DROP"),
    cause: /^a rule on node-1 drops packets that it should forward$/,
  },
  {
    // What comes back from the Pods is dropped.
    rule: "forwarding-dropped",
    check: "pod-ip-from-server",
    change: rule("raw -A PREROUTING -s 10.200.1.0/24 -j DROP"),
    cause: /^a rule on node-1 drops packets that it should forward$/,
  },
  {
    rule: "forward-policy-drop",
    check: "node-port-answers",
    change: policy("node-1"),
    cause: /^node-1 forwards no packets to its Pods: the policy of its FORWARD chain is DROP$/,
    butNot: [
      { check: "secret-encrypted", change: policy("node-1") },
      { change: all(ofIPv6, policy("node-1")) },
      { change: policy("server") },
      // As Docker and ufw leave it, and somebody has made up for.
      { change: all(policy("node-1"), rule("filter -A FORWARD -i cni0 -j ACCEPT"), rule("filter -A FORWARD -o cni0 -j ACCEPT")) },
      { change: all(policy("node-1"), rule("filter -A FORWARD -j ACCEPT")) },
      // By the range of the Pods, or in a chain of Flannel's or Calico's.
      { change: all(policy("node-1"), rule("filter -A FORWARD -d 10.200.0.0/16 -j ACCEPT")) },
      { change: all(policy("node-1"), rule('filter -A FORWARD -d 10.200.1.0/24 -m comment --comment "to Pods" -j ACCEPT')) },
      { change: all(policy("node-1"), rule('filter -A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD')) },
      { change: all(policy("node-1"), first("filter -A FORWARD -m comment --comment cali:wUHhoiAYhphO9Mso -j cali-FORWARD")) },
      {
        change: all(
          policy("node-1"),
          rule("filter -A FORWARD -j ufw-user-forward"),
          rule("filter -A ufw-user-forward -i eth0 -o cni0 -j ACCEPT"),
        ),
      },
      // What that chain has was more than is read.
      {
        change: all(
          policy("node-1"),
          // iptables-save tells of the chains of a table before it tells of the rules.
          said("node-1", "filters", (text) => text.replace(/^nat [^]*/m, "")),
          rule("filter :ufw-user-forward - [0:0]"),
          rule("filter -A FORWARD -j ufw-user-forward"),
          rule(cutShort),
        ),
      },
    ],
  },
  {
    // That the Pods may send is not enough.
    rule: "forward-policy-drop",
    check: "pod-ip-from-server",
    change: all(policy("node-1"), first("filter -A FORWARD -j DOCKER-FORWARD"), rule("filter -A FORWARD -i cni0 -j ACCEPT")),
    cause: /^node-1 forwards no packets to its Pods: the policy of its FORWARD chain is DROP$/,
  },
  {
    rule: "forwarding-dropped-by-nftables",
    check: "pod-ip-from-server",
    change: nft("inet own guard forward ip daddr 10.200.0.0/16 drop"),
    cause: /^a rule of nftables on node-1 drops packets that it should forward$/,
    butNot: [
      { change: nft("inet own guard input tcp dport 23 drop") },
      { change: nft("inet own guard forward ct state invalid drop") },
      { change: nft("inet own guard prerouting tcp dport 23 drop") },
      { change: nft("inet own guard prerouting udp dport 30000-32767 drop") },
      { change: nft('inet own guard forward oifname "virbr0" counter packets 0 bytes 0 reject') },
      { change: nft("inet own guard forward ip saddr @blocked drop") },
      { change: nft('inet own guard forward iifname . oifname { "eth1" . "cni0" } drop') },
      { change: nft("inet own guard forward limit rate over 1000/second burst 5 packets drop") },
      // What a policy lets through is said by others.
      { change: nft("inet own guard forward type filter hook forward priority filter; policy drop;") },
      {
        change: lines(
          "inet own guard forward ct state established,related accept",
          "inet own guard forward ip daddr 10.200.0.0/16 accept",
          "inet own guard forward drop",
        ),
      },
      {
        change: lines(
          "inet own guard forward ct state vmap { established : accept, related : accept, invalid : drop, new : jump ours }",
          "inet own guard forward drop",
        ),
      },
      { change: lines(...firewalld, firewalldRejects) },
      // What may be accepted is not certain to be dropped.
      ...["iifname != @theirs", "ether saddr 02:00:00:00:00:01", "ct status assured", "ct status & dnat == dnat"].map((perhaps) => ({
        change: lines(`inet own guard forward ${perhaps} accept`, "inet own guard forward drop"),
      })),
      { change: nft("ip6 own guard forward drop") },
      // What was more than is read may have accepted it.
      {
        change: lines(
          "inet own guard - chain guard {",
          "inet own ours - chain ours {",
          "inet own guard forward jump ours",
          "inet own guard forward drop",
          cutShort,
        ),
      },
      { check: "node-port-answers", change: lines(...firewalld.slice(0, -1), 'inet firewalld filter_FORWARD forward oifname "eth9" drop') },
    ],
  },
  {
    rule: "forwarding-dropped-by-nftables",
    check: "node-port-answers",
    change: nft("inet own guard prerouting tcp dport 30000-32767 counter packets 7 bytes 420 drop"),
    cause: /^a rule of nftables on node-1 drops packets that it should forward$/,
  },
  {
    rule: "forwarding-dropped-by-nftables",
    check: "pod-ip-from-server",
    change: lines(
      ...firewalld,
      "inet firewalld filter_FORWARD_POLICIES - chain filter_FORWARD_POLICIES {",
      'inet firewalld filter_FORWARD_POLICIES - iifname "eth9" goto filter_FWD_internal',
      firewalldRejects,
    ),
    cause: /^a rule of nftables on node-1 drops packets that it should forward$/,
  },
  {
    rule: "forward-policy-drop-by-nftables",
    check: "pod-ip-from-server",
    change: guarded("forward", ...workstation, 'iifname "br-lan" accept', "udp dport 53 accept"),
    cause:
      /^node-1 forwards no packets to its Pods: the policy of the chain guard of the nftables table inet own is drop, and no rule of it accepts them$/,
    butNot: [
      { check: "secret-encrypted", change: guarded("forward") },
      // What goes to a host itself is not forwarded.
      { change: guarded("input", ...workstation) },
      { change: guarded("output") },
      // It is accepted, in the ways in which that is done, or may be.
      ...[
        "accept",
        'oifname "cni0" accept',
        'iifname "eth0" accept',
        'iifname "eth0" oifname "cni0" ct state new accept',
        "ip daddr 10.200.0.0/16 accept",
        "tcp dport 80 accept",
        "ip saddr 10.117.78.0/24 accept",
        // Another may have changed from where it comes.
        "ip saddr 192.0.2.0/24 accept",
        "ip saddr @nodes accept",
        "meta mark 0x00000001 accept",
        "ct mark 0x1 accept",
        'iifname . oifname { "eth1" . "cni0" } accept',
        "iifname vmap @zones",
        "jump unseen",
        "queue num 0",
        "synproxy mss 1460 wscale 7",
        "tcp flags syn accept",
      ].map((accepting) => ({ change: guarded("forward", ...workstation, accepting) })),
      { change: all(guarded("forward", "goto ours"), nft("inet own ours - oifname cni0 accept")) },
      { change: all(guarded("forward", ...workstation), nft(cutShort)) },
      // Another host drops, or a table that sees no packets of IPv4.
      { change: line("server", "nft", "inet own guard forward type filter hook forward priority filter; policy drop;") },
      { change: nft("ip6 own guard forward type filter hook forward priority filter; policy drop;") },
      { change: nft("bridge own guard forward type filter hook forward priority filter; policy drop;") },
      { check: "node-port-answers", change: all(ofIPv6, guarded("forward", ...workstation)) },
      // By a tunnel or a router it may come in elsewhere than that chain looks.
      ...["dev tunl0", "via 10.117.78.21 dev tunl0 onlink src 10.117.78.10", "via 10.117.78.1 dev eth0"].map((way) => ({
        change: all(
          said("server", "routes", (text) => text.replace(/^10\.200\.1\.0\/24 .*/m, `10.200.1.0/24 ${way}`)),
          guarded("forward", ...workstation),
        ),
      })),
      // Programs that lead packets past the hooks, and networks that are no bridge.
      ...["cilium-agent", "kube-router", "k3s-server"].map((program) => ({
        change: all(line("node-1", "stand-ins", program), guarded("forward", ...workstation)),
      })),
      {
        change: all(
          said("node-1", "cni-files", (text) => text.replaceAll('"type": "bridge"', '"type": "calico"')),
          guarded("forward", ...workstation),
        ),
      },
      // Docker and libvirt have chains with the policy accept, and accept in one of them does not help in another.
      {
        change: lines(
          "ip docker-bridges filter-FORWARD forward type filter hook forward priority filter; policy accept;",
          'ip docker-bridges filter-FORWARD forward oifname "docker0" jump filter-forward-in__docker0',
          "ip libvirt_network forward forward type filter hook forward priority filter; policy accept;",
          'ip libvirt_network forward forward oifname "virbr0" reject',
        ),
      },
    ],
  },
  {
    rule: "forward-policy-drop-by-nftables",
    check: "node-port-answers",
    change: guarded("forward", ...workstation),
    cause: /^node-1 forwards no packets to its Pods/,
  },
  {
    // It comes through there as well, and an accept elsewhere is no help.
    rule: "forward-policy-drop-by-nftables",
    check: "pod-ip-from-server",
    change: all(guarded("prerouting", "udp dport 53 accept"), nft("inet other forward forward accept")),
    cause: /^node-1 forwards no packets to its Pods/,
  },
];

test.for(cases)("$rule is named when $check fails", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});

test.for([
  [
    "pod-ip-from-server",
    rule("filter -A FORWARD -d 10.200.1.0/24 -j DROP"),
    "ssh node-1 iptables -t filter -D FORWARD -d 10.200.1.0/24 -j DROP",
  ],
  ["pod-ip-from-server", nft("inet own guard forward drop # handle 4"), "ssh node-1 nft delete rule inet own guard handle 4"],
  ["pod-ip-from-server", guarded("forward", ...workstation), /^ssh node-1 'nft chain inet own guard \{ policy accept \\; \}'  # /],
  ["pod-ip-from-server", nft("inet own guard forward drop"), /^ssh node-1 nft --handle list chain inet own guard /],
  ["pod-ip-from-server", lines("inet firewalld filter_FORWARD forward drop # handle 9"), /^ssh node-1 firewall-cmd --list-all-zones /],
] as const)("what mends it takes away the rule that is shown, and nothing else: %s, %s", ([check, change, mend]) => {
  const finding = diagnose(change(healthy()), { check, message: "x" })?.finding;

  expect(finding?.mend).toEqual(typeof mend === "string" ? mend : expect.stringMatching(mend));
  expect(finding?.mend).not.toMatch(/flush| -F/);
});
