import { expect, test } from "vitest";
import { all, causeOf, healthy, lookalikes, said, type Case } from "../recorded.ts";

const addressOf = (name: string): string => healthy().api.nodes.find((one) => one.name === name)?.internalIP ?? "";
/** What server sees of the kubelet of node-1. */
const seen = (words: string) =>
  said("server", "kubelets", (text) => text.replace(/^node-1 .*$/m, `node-1 ${words} code=000 ip=${addressOf("node-1")} server=`));
const unauthorized = "exec: refused with 401: Unauthorized";
const otherAuthority = said("node-1", "certificates", (text) => text.replace(/(kubelet-client-ca .*Fingerprint=)[0-9A-F:]+/, "$1AA:BB"));
/** As where kube-apiserver is on no host that we know. */
const trustUnknown = said("server", "certificates", (text) => text.replace(/^apiserver-client-ca .*\n?/m, ""));
const named = "exit=60 curl: (60) SSL: no alternative certificate subject name matches target host name 'node-1'";
const expired = "exit=60 curl: (60) SSL certificate problem: certificate has expired";
const unknown = "exit=60 curl: (60) SSL certificate problem: unable to get local issuer certificate";

const cases: readonly Case[] = [
  {
    rule: "kubelet-certificate-for-another-name",
    check: "port-forward",
    change: seen(named),
    cause: /^the serving certificate of the kubelet of node-1 is not for the name node-1$/,
    butNot: [{ change: seen(expired) }, { change: seen(unknown) }, { check: "nodes-ready", change: seen(named) }],
  },
  {
    rule: "kubelet-certificate-expired",
    check: "port-forward",
    change: seen(expired),
    cause: /^the serving certificate of the kubelet of node-1 has expired, or is not valid yet$/,
    butNot: [{ change: seen(named) }, { change: seen(unknown) }],
  },
  {
    rule: "kubelet-certificate-from-another-authority",
    check: "port-forward",
    change: seen(unknown),
    cause: /^the serving certificate of the kubelet of node-1 is from another authority than kube-apiserver on server trusts$/,
    butNot: [{ change: seen(expired) }, { change: seen(named) }],
  },
  {
    rule: "kubelet-client-authority-differs",
    check: "exec-version",
    message: unauthorized,
    change: otherAuthority,
    cause: /^the kubelet of node-1 does not accept the client certificate of kube-apiserver: its clientCAFile is of another authority$/,
    butNot: [
      { message: unauthorized },
      { message: unauthorized, change: trustUnknown },
      { message: unauthorized, change: all(otherAuthority, trustUnknown) },
      { message: "exec: refused with 500: something else", change: otherAuthority },
    ],
  },
  {
    rule: "kubelet-refuses-kube-apiserver",
    check: "exec-version",
    message: `${unauthorized} (Pod ${healthy().api.pods.find(({ nodeName }) => nodeName === "node-1")?.name})`,
    change: trustUnknown,
    cause: /^the kubelet of node-1 does not accept the client certificate of kube-apiserver$/,
    butNot: [{ message: "exec: refused with 403: Forbidden" }, { message: unauthorized, check: "secret-read-back" }],
  },
];

test.for(cases)("$rule is named when $check does not pass", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
