/**
 * What keeps us from the API: credentials, certificates, a server that does not answer. The evidence tells a server that is not there from
 * one that is not asked.
 */
import { guide } from "../checks.ts";
import type { Evidence, Finding, Rule } from "../model.ts";
import { firstLine, firstOf, hostsOf, linesOf, section } from "../reading.ts";
import { toldByMessage } from "../saying.ts";

const nameIn = (server = ""): string => (URL.canParse(server) ? new URL(server).hostname : server);

const credentials: readonly Rule[] = [
  toldByMessage(
    {
      id: "client-certificate-expired",
      saying: /.*the client certificate of user "([^"]*)" (has expired on [^.\n]*|is not valid before [^.\n]*).*/,
      guide: guide.certificates,
    },
    ([user, when]) => ({
      what: `the client certificate of user "${user}" in the kubeconfig ${when}`,
      mend: "issue a new certificate for the user, and write it into the kubeconfig",
    }),
  ),
  toldByMessage(
    {
      id: "user-without-right",
      // As the run itself has been answered. That controllers and kubelets lack a right is told in Events and conditions.
      saying: /.*(?:answered 403|may not): .*User "([^"]*)" cannot (\w+) resource "([^"]+)".*/,
      guide: guide.kubectl,
    },
    ([user, verb, resource]) => ({
      what: `user "${user}" of the kubeconfig has no right to ${verb} ${resource}`,
      mend: `kubectl apply -f docs/rbac.yaml  # and bind it: --clusterrole=hard-way-smoke-test --user=${user}`,
    }),
  ),
  {
    id: "api-credentials-refused",
    saying: /.*(?:answered 401|does not accept the credentials).*/,
    guide: guide.kubectl,
    // A kubelet that refuses kube-apiserver sounds the same, but only where a kubelet is asked.
    find: (evidence, { message }) =>
      evidence.api.nodes.length > 0
        ? undefined
        : {
            what: `the API server does not accept the credentials of context "${evidence.given.contextName}"`,
            seen: firstLine(message),
            mend: "take the admin's kubeconfig of this cluster, as it is built now",
          },
  },
  toldByMessage(
    {
      id: "api-other-authority",
      saying:
        /API server (\S+?): .*(?:not from the kubeconfig's certificate-authority|not the kubeconfig's certificate-authority|another authority of the same name).*/,
      guide: guide.kubectl,
    },
    ([server]) => ({
      what: `the kubeconfig is not of the cluster at ${server}: that has its certificate from another authority`,
      mend: "SMOKE_CONTEXT with the context of this cluster, or the kubeconfig of the cluster as it is built now",
    }),
  ),
  toldByMessage(
    { id: "api-name-unresolvable", saying: /API server (\S+?): .*its name does not resolve.*/, guide: guide.machines },
    ([server]) => ({
      what: `the name of the API server in the kubeconfig, ${nameIn(server)}, does not resolve on this machine`,
      mend: `add ${nameIn(server)} with the address of the server to /etc/hosts of this machine`,
    }),
  ),
  toldByMessage(
    { id: "api-certificate-name", saying: /API server (\S+?): .*its certificate is for another name.*/, guide: guide.certificates },
    ([server]) => ({
      what: `the certificate of kube-apiserver does not have the name by which the kubeconfig calls it, ${server}`,
      mend: "use one of its names in the kubeconfig, or issue the certificate with this name too",
    }),
  ),
  toldByMessage(
    {
      id: "api-certificate-expired",
      saying: /API server (\S+?): .*its certificate (has expired|is not valid yet).*/,
      guide: guide.certificates,
    },
    ([server, when]) => ({
      what: `the certificate of kube-apiserver at ${server} ${when}`,
      mend: "renew it, and compare the clocks of the machines",
    }),
  ),
];

const saysReady = /^(ok|readyz check passed)$/m;

/** The first host whose own kube-apiserver says that it is ready. */
const readyHost = (evidence: Evidence): string | undefined =>
  hostsOf(evidence).find((host) => saysReady.test(section(evidence, host, "api-here")));

function readyElsewhere(evidence: Evidence, message: string): Finding | undefined {
  const host = readyHost(evidence);
  // What has passed on all of the evidence's own requests is not what is broken.
  const isPassedOn = saysReady.test(evidence.api.readyz) && evidence.api.unanswered.length === 0;
  if (host === undefined || isPassedOn) return undefined;
  const [, server = evidence.api.server] = /API server (https?:\/\/\S+?): /.exec(message) ?? [];
  return {
    what: `what is at ${server} does not pass requests to kube-apiserver, which on ${host} is ready`,
    seen: firstLine(message),
    mend: `is ${server} of context "${evidence.given.contextName}" right, and what stands between: a proxy, a load balancer, a firewall?`,
  };
}

const ofServer: readonly Rule[] = [
  {
    id: "api-not-ready",
    saying: /API server|answered 5\d\d/,
    guide: guide.controlPlane,
    find: (evidence) =>
      firstOf(hostsOf(evidence), (host) => {
        const failed = linesOf(evidence, host, "api-here").filter((line) => line.startsWith("[-]"));
        const names = failed.map((line) => line.slice(3).split(" ", 1)[0]);
        const [seen] = failed;
        return seen === undefined
          ? undefined
          : {
              what: `kube-apiserver on ${host} is not ready: ${names.join(", ")}`,
              seen,
              mend: `ssh ${host} journalctl -u kube-apiserver -n 50`,
            };
      }),
  },
  {
    id: "api-not-passed-on",
    saying: /^API server \S+: .*(answered 5\d\d|was not answered)/m,
    guide: guide.kubectl,
    find: (evidence, { message }) => readyElsewhere(evidence, message),
  },
];

export const apiRules = { ofCredentials: credentials, ofServer };
