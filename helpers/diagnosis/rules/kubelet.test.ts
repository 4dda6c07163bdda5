import { expect, test } from "vitest";
import { all, causeOf, healthy, line, lookalikes, node, said, type Case } from "../recorded.ts";

const addressOf = (name: string): string => healthy().api.nodes.find((one) => one.name === name)?.internalIP ?? "";
/** What server sees of the kubelet of node-1. */
const seen = (words: string) => said("server", "kubelets", (text) => text.replace(/^node-1 .*$/m, `node-1 ${words}`));
/** kube-apiserver asks the kubelets by their addresses, as kubeadm has it. */
const byAddress = line("server", "flags", "kube-apiserver --kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname");
const server = "10.117.78.10";
const silent = seen("exit=28 curl: (28) Connection timed out after 2000 milliseconds code=000 ip= server=");
/** A chain of node-1 that drops what it does not accept. */
const guarded = (...rules: readonly string[]) =>
  all(
    line("node-1", "nft", "inet own guard input type filter hook input priority filter; policy drop;"),
    ...["ct state established,related accept", 'iifname "lo" accept', "tcp dport 22 accept", ...rules].map((rule) =>
      line("node-1", "nft", `inet own guard input ${rule}`),
    ),
  );
/** In front of all others, as iptables puts it with -I. */
const first = (host: string, rule: string) => said(host, "filters", (text) => `${rule}\n${text}`);
const otherClientCA = said("node-1", "certificates", (text) => text.replace(/(kubelet-client-ca .*Fingerprint=)[0-9A-F:]+/, "$1AA:BB"));
const forbidden = "exec: refused with 403: Forbidden (user=kubernetes, verb=get, resource=nodes, subresource(s)=[proxy])";

const cases: readonly Case[] = [
  {
    rule: "kubelet-api-forbidden",
    check: "logs-recorded",
    message: forbidden,
    cause:
      /^user kubernetes, as whom kube-apiserver asks the kubelets, has no right to get nodes\/\[proxy\]: the ClusterRoleBinding system:kube-apiserver is missing$/,
    butNot: [{ check: "service-ports", message: forbidden }],
  },
  {
    rule: "kubelet-api-forbidden",
    check: "node-port-every-pod",
    message: `cannot tell which Pod has answered, because the log of nginx-1 on node-0 cannot be read: ${forbidden}`,
    cause: /^user kubernetes/,
  },
  {
    rule: "kubelet-debugging-handlers-off",
    check: "exec-version",
    change: line("node-1", "kubelet", "enableDebuggingHandlers: false"),
    cause: /^the kubelet of node-1 has its debugging handlers off/,
    butNot: [
      { change: line("node-1", "kubelet", "enableDebuggingHandlers: true") },
      { check: "nodes-ready", change: line("node-1", "kubelet", "enableDebuggingHandlers: false") },
    ],
  },
  {
    rule: "node-name-of-another-host",
    check: "exec-version",
    message: "exec: refused with 500: pod does not exist",
    change: seen(`exit=0 code=401 ip=${addressOf("node-0")} server=`),
    cause: new RegExp(`^server takes node-1 for ${addressOf("node-0")}, which is node-0, so that it asks the wrong kubelet$`),
    butNot: [
      // A Node with several addresses may be reached by one that it does not report first.
      { change: seen("exit=0 code=401 ip=192.0.2.7 server=") },
      // What its name stands for is of no interest.
      { change: all(byAddress, seen(`exit=0 code=401 ip=${addressOf("node-0")} server=`)) },
    ],
  },
  {
    rule: "node-name-of-another-host",
    check: "port-forward",
    change: seen(
      `exit=60 curl: (60) SSL: no alternative certificate subject name matches target host name 'node-1' code=000 ip=${addressOf("node-0")} server=`,
    ),
    cause: /^server takes node-1 for /,
  },
  {
    rule: "node-name-unresolvable",
    check: "logs-followed",
    change: seen("exit=6 curl: (6) Could not resolve host: node-1 code=000 ip= server="),
    cause: /^the name node-1 does not resolve on server/,
    butNot: [
      { change: all(byAddress, seen("exit=6 curl: (6) Could not resolve host: node-1 code=000 ip= server=")) },
      { change: all(byAddress, seen("exit=28 curl: (28) Resolving timed out after 2000 milliseconds code=000 ip= server=")) },
      // It resolves, and nobody answers there.
      { change: seen("exit=28 curl: (28) Connection timed out after 2000 milliseconds code=000 ip= server=") },
    ],
  },
  {
    rule: "node-name-unresolvable",
    check: "port-forward",
    change: seen("exit=28 curl: (28) Resolving timed out after 2000 milliseconds code=000 ip= server="),
    cause: /^the name node-1 does not resolve on server/,
  },
  {
    rule: "kubelet-certificate-for-another-name",
    check: "port-forward",
    change: seen(
      `exit=60 curl: (60) SSL: no alternative certificate subject name matches target host name 'node-1' code=000 ip=${addressOf("node-1")} server=`,
    ),
    cause: /^the serving certificate of the kubelet of node-1 is not for the name node-1$/,
    butNot: [{ change: seen("exit=60 curl: (60) SSL certificate problem: certificate has expired code=000 ip= server=") }],
  },
  {
    rule: "kubelet-certificate-for-another-name",
    check: "port-forward",
    change: all(
      byAddress,
      seen(
        `exit=60 curl: (60) SSL: no alternative certificate subject name matches target host name '${addressOf("node-1")}' code=000 ip= server=`,
      ),
    ),
    cause: new RegExp(`^the serving certificate of the kubelet of node-1 is not for the address ${addressOf("node-1")}$`),
  },
  {
    rule: "kubelet-certificate-expired",
    check: "port-forward",
    change: seen(`exit=60 curl: (60) SSL certificate problem: certificate has expired code=000 ip=${addressOf("node-1")} server=`),
    cause: /has expired, or is not valid yet$/,
    butNot: [
      { change: seen("exit=60 curl: (60) SSL certificate problem: self-signed certificate code=000 ip= server=") },
      // It is about to.
      { change: said("node-1", "certificates", (text) => text.replace(/notAfter=\w+ \d+/, "notAfter=Nov 27")) },
    ],
  },
  {
    rule: "kubelet-certificate-from-another-authority",
    check: "port-forward",
    change: seen(
      `exit=60 curl: (60) SSL certificate problem: unable to get local issuer certificate code=000 ip=${addressOf("node-1")} server=`,
    ),
    cause: /^the serving certificate of the kubelet of node-1 is from another authority/,
    butNot: [{ change: seen(`exit=0 code=401 ip=${addressOf("node-1")} server=`) }],
  },
  {
    rule: "kubelet-client-authority-differs",
    check: "exec-version",
    message: "exec: refused with 401: Unauthorized",
    change: otherClientCA,
    cause: /^the kubelet of node-1 does not accept the client certificate of kube-apiserver/,
    butNot: [
      // It is trusted, and has no right.
      { message: "exec: refused with 403: no right", change: otherClientCA },
      // Of kubectl nobody says so.
      { check: "nodes-ready", message: "answered 401: Unauthorized", change: otherClientCA },
    ],
  },
  {
    rule: "kubelet-port-dropped",
    check: "logs-recorded",
    change: all(silent, first("node-1", "raw -A PREROUTING -p tcp -m tcp --dport 10250 -j DROP")),
    cause: /^a rule on node-1 drops what goes to port 10250/,
    butNot: [
      { change: all(silent, line("node-1", "filters", "filter -A INPUT -p tcp -m tcp --dport 10250 -j ACCEPT")) },
      { change: all(silent, line("node-1", "filters", "filter -A INPUT -p tcp -m tcp --dport 23 -j DROP")) },
      // It is closed to all but server, in the ways in which that is done.
      ...[
        [`filter -A INPUT ! -s ${server}/32 -p tcp -m tcp --dport 10250 -j DROP`],
        [`filter -A INPUT -s ${server}/32 -p tcp -m tcp --dport 10250 -j ACCEPT`, "filter -A INPUT -p tcp -m tcp --dport 10250 -j DROP"],
        ["filter -A INPUT -p tcp -m set ! --match-set servers src -m tcp --dport 10250 -j REJECT"],
        ["filter -A INPUT -i eth1 -p tcp -m tcp --dport 10250 -j DROP"],
        ["filter -A INPUT -p udp -m udp --dport 10250 -j DROP"],
        ["filter -A OUTPUT -p tcp -m tcp --dport 10250 -j DROP"],
      ].map((rules) => ({ change: all(silent, ...rules.map((rule) => line("node-1", "filters", rule))) })),
      // It is asked over IPv6, by a kube-apiserver that was seen, or was not.
      ...[all(), said("server", "flags", () => "")].map((seenOrNot) => ({
        change: all(
          silent,
          seenOrNot,
          node("node-1", { internalIP: "2001:db8::21" }),
          first("node-1", "raw -A PREROUTING -p tcp -m tcp --dport 10250 -j DROP"),
        ),
      })),
      // The kubelet answers all the same.
      { change: first("node-1", "raw -A PREROUTING -p tcp -m tcp --dport 10250 -j DROP") },
      // It is the other one that does not answer.
      { change: all(silent, first("node-0", "raw -A PREROUTING -p tcp -m tcp --dport 10250 -j DROP")) },
      { check: "node-port-answers", change: all(silent, first("node-1", "raw -A PREROUTING -p tcp -m tcp --dport 10250 -j DROP")) },
    ],
  },
  {
    rule: "kubelet-port-dropped",
    check: "exec-version",
    change: all(silent, first("server", "filter -A OUTPUT -p tcp -m tcp --dport 10250 -j REJECT --reject-with icmp-port-unreachable")),
    cause: /^a rule on server drops what goes to port 10250/,
    butNot: [{ change: all(silent, first("server", "filter -A OUTPUT -d 192.0.2.7/32 -p tcp -m tcp --dport 10250 -j REJECT")) }],
  },
  {
    rule: "kubelet-port-dropped",
    check: "exec-version",
    change: all(silent, line("node-1", "nft", "inet own guard input tcp dport 10250 drop # handle 3")),
    cause: /^a rule on node-1 drops what goes to port 10250/,
    butNot: [
      {
        change: all(
          silent,
          line("node-1", "nft", `inet own guard input ip saddr ${server} accept`),
          line("node-1", "nft", "inet own guard input tcp dport 10250 drop # handle 3"),
        ),
      },
      // Such a rule is for all, and nobody should take it away for one port.
      { change: all(silent, line("node-1", "nft", "inet own guard input drop # handle 3")) },
    ],
  },
  {
    rule: "kubelet-port-dropped-by-policy",
    check: "exec-version",
    change: all(silent, guarded()),
    cause:
      /^node-1 drops what goes to port 10250, where kubelets listen: the policy of the chain guard of the nftables table inet own is drop, and no rule of it accepts that$/,
    butNot: [
      { change: guarded() },
      { check: "node-port-answers", change: all(silent, guarded()) },
      // Nobody listens there.
      { change: all(seen("exit=7 curl: (7) Connection refused code=000 ip= server="), guarded()) },
      { change: all(seen("exit=28 curl: (28) Resolving timed out after 2000 milliseconds code=000 ip= server="), guarded()) },
      ...[
        "tcp dport { 22, 10250 } accept",
        "tcp dport 10000-11000 accept",
        `ip saddr ${server} accept`,
        "ip saddr 192.0.2.0/24 accept",
        'iifname "eth0" accept',
        "iifname @inside accept",
        "ct mark 0x1 accept",
        "jump unseen",
      ].map((rule) => ({ change: all(silent, guarded(rule)) })),
      { change: all(silent, line("node-1", "nft", "inet own guard input type filter hook input priority filter; policy accept;")) },
      { change: all(silent, line("node-0", "nft", "inet own guard input type filter hook input priority filter; policy drop;")) },
      { change: all(silent, node("node-1", { internalIP: "2001:db8::21" }), guarded()) },
    ],
  },
  {
    rule: "kubelet-unreachable",
    check: "logs-recorded",
    change: seen("exit=28 curl: (28) Connection timed out code=000 ip= server="),
    cause: /^server does not reach the kubelet of node-1 on port 10250: no answer$/,
    butNot: [
      { change: all(byAddress, seen("exit=28 curl: (28) Resolving timed out after 2000 milliseconds code=000 ip= server=")) },
      // Without the kubelets' rights, too, it has been reached.
      { change: seen(`exit=0 code=403 ip=${addressOf("node-1")} server=`) },
      { check: "node-port-answers", change: seen("exit=28 curl: (28) Connection timed out code=000 ip= server=") },
    ],
  },
  {
    rule: "node-name-unresolvable-told",
    check: "logs-recorded",
    message: 'refused with 500: Get "https://node-1:10250/x": dial tcp: lookup node-1: no such host',
    cause: /^the name of node-1 does not resolve where kube-apiserver runs$/,
    butNot: [
      { message: 'refused with 500: Get "https://node-1:10250/x": dial tcp 10.117.78.21:10250: i/o timeout' },
      // The Pod itself says so, of something that its nginx looks up.
      { check: "replicas-ready", message: "lookup registry.example: no such host" },
    ],
  },
  {
    rule: "kubelet-without-serving-certificate",
    check: "logs-recorded",
    message: 'refused with 500: Get "https://node-1:10250/x": remote error: tls: internal error',
    cause: /^the kubelet of node-1 has no serving certificate yet/,
    butNot: [
      { message: 'refused with 500: Get "https://node-1:10250/x": remote error: tls: bad certificate' },
      { check: "nodes-ready", message: "remote error: tls: internal error" },
    ],
  },
  {
    rule: "kubelet-certificate-told",
    check: "logs-recorded",
    message: 'refused with 500: Get "https://node-1:10250/x": tls: failed to verify certificate: x509: odd',
    cause: /^kube-apiserver does not accept/,
    butNot: [
      { message: 'refused with 500: Get "https://node-1:10250/x": dial tcp 10.117.78.21:10250: connect: connection refused' },
      { check: "nodes-ready", message: "x509: certificate signed by unknown authority" },
    ],
  },
  {
    rule: "wrong-kubelet-told",
    check: "exec-version",
    message: "refused with 500: unable to upgrade connection: pod does not exist",
    change: node("node-1", { internalIP: "" }),
    cause: /asks the wrong kubelet/,
    butNot: [{ message: "refused with 500: container not found" }, { check: "pod-replaced", message: 'pods "nginx-1" not found' }],
  },
];

test.for(cases)("$rule is named when $check does not pass", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
