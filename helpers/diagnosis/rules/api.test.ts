import { expect, test } from "vitest";
import { api, causeOf, lookalikes, said, unit, type Case } from "../recorded.ts";

const asked = "API server https://10.91.7.10:6443: GET /api/v1/nodes";
const nobodyIsReady = said("server", "api-here", () => "");

const cases: readonly Case[] = [
  {
    rule: "client-certificate-expired",
    check: "nodes-ready",
    message: `${asked} answered 401: the client certificate of user "admin" has expired on Nov 25 01:00:00 2026 GMT`,
    cause: /^the client certificate of user "admin" in the kubeconfig has expired on Nov 25 01:00:00 2026 GMT$/,
    butNot: [
      { message: `${asked} was not answered: its certificate has expired. Renew it.` },
      { message: `${asked} answered 401: Unauthorized.` },
    ],
  },
  {
    rule: "user-without-right",
    check: "exec-version",
    message:
      'exec: user "limited" may not: pods "nginx" is forbidden: User "limited" cannot create resource "pods/exec" in API group "" in the namespace "x".',
    cause: /^user "limited" of the kubeconfig has no right to create pods\/exec$/,
    // It is not the kubeconfig's user whom a message tells of besides: a controller, that of a kubelet.
    butNot: [
      { message: 'User "system:serviceaccount:kube-system:replicaset-controller" cannot create resource "pods" in API group ""' },
      {
        check: "replicas-ready",
        message:
          'Deployment smoke-1/nginx was not ready after 20 s: 0 of 2 Pods Ready; Deployment nginx: FailedCreate, pods "nginx-1" is forbidden: User "system:kube-controller-manager" cannot create resource "pods" in API group "" in the namespace "smoke-1"',
      },
      {
        check: "replicas-ready",
        message: `0 of 2 Pods Ready; Pod nginx-1: FailedMount, configmaps "x" is forbidden: User "system:node:node-1" cannot get resource "configmaps"`,
      },
    ],
  },
  {
    rule: "user-without-right",
    check: "secret-read-back",
    message: `not looked at, because the run could not begin: ${asked} answered 403: namespaces is forbidden: User "system:serviceaccount:ci:smoke" cannot create resource "namespaces" in API group "" at the cluster scope. The rights that the suite needs are in docs/rbac.yaml.`,
    cause: /^user "system:serviceaccount:ci:smoke" of the kubeconfig has no right to create namespaces$/,
  },
  {
    rule: "api-credentials-refused",
    check: "nodes-ready",
    message: `${asked} answered 401: Unauthorized. Are the kubeconfig's credentials of this cluster?`,
    change: api(() => ({ nodes: [] })),
    cause: /^the API server does not accept the credentials of context "kubernetes-the-hard-way"$/,
    // It is the kubelet that says so of the API server.
    butNot: [{ check: "exec-version", message: "exec: refused with 401: the API server does not accept the credentials of user x" }],
  },
  {
    rule: "api-other-authority",
    check: "nodes-ready",
    message: `${asked} was not answered: its certificate is not from the kubeconfig's certificate-authority. Was the cluster built anew?`,
    cause: /^the kubeconfig is not of the cluster at https:\/\/10\.91\.7\.10:6443/,
    butNot: [{ message: `${asked} was not answered: its certificate is for another name. Use one.` }],
  },
  {
    rule: "api-name-unresolvable",
    check: "nodes-ready",
    message:
      "not looked at, because the run could not begin: API server https://server.kubernetes.local:6443: GET /version was not answered: its name does not resolve. Add it to /etc/hosts, or use an address in the kubeconfig.",
    cause: /^the name of the API server in the kubeconfig, server\.kubernetes\.local, does not resolve on this machine$/,
    butNot: [
      { message: `${asked} was not answered: connection refused.` },
      // It is kube-apiserver that cannot resolve a name.
      { check: "exec-version", message: 'exec: refused with 500: Get "https://node-1:10250/x": dial tcp: lookup node-1: no such host' },
    ],
  },
  {
    rule: "api-certificate-name",
    check: "nodes-ready",
    message: `${asked} was not answered: its certificate is for another name. Use one.`,
    cause: /does not have the name/,
    butNot: [{ message: `${asked} was not answered: its certificate is not from the kubeconfig's certificate-authority.` }],
  },
  {
    rule: "api-certificate-expired",
    check: "nodes-ready",
    message: `${asked} was not answered: its certificate has expired. Renew it.`,
    cause: /has expired$/,
    butNot: [
      { message: `${asked} answered 401: the client certificate of user "admin" has expired on Nov 25 01:00:00 2026 GMT` },
      {
        check: "exec-version",
        message: 'refused with 500: Get "https://node-1:10250/x": tls: x509: certificate has expired or is not yet valid',
      },
    ],
  },
  {
    rule: "api-not-ready",
    check: "nodes-ready",
    message: `${asked} answered 500: nothing works`,
    change: said("server", "api-here", () => "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed"),
    cause: /^kube-apiserver on server is not ready: etcd$/,
    butNot: [
      { message: `${asked} answered 500: nothing works` },
      // etcd may have been away for a moment, and what the check has seen is something else.
      {
        check: "pods-on-bridge",
        change: said("server", "api-here", () => "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed"),
      },
    ],
  },
  {
    rule: "api-not-passed-on",
    check: "nodes-ready",
    message: `not looked at, because the run could not begin: ${asked} answered 500: the proxy is tired`,
    change: api(() => ({ readyz: "" })),
    cause: /^what is at https:\/\/10\.91\.7\.10:6443 does not pass requests to kube-apiserver, which on server is ready$/,
    butNot: [
      // The evidence has come the same way.
      { message: `${asked} answered 500: the proxy is tired`, change: api(() => ({ readyz: "[+]ping ok\nreadyz check passed" })) },
      { message: `${asked} answered 500: x`, change: nobodyIsReady },
      {
        message: `${asked} was not answered: connection refused.`,
        change: unit("server", "kube-apiserver", "ActiveState=failed SubState=failed"),
      },
      {
        check: "logs-recorded",
        message: "log of container nginx: no answer within 10 s, though https://10.91.7.10:6443 answers other requests.",
      },
    ],
  },
];

test.for(cases)("$rule is named when $check does not pass", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
