/**
 * The certificates by which kube-apiserver and the kubelets know each other.
 */
import { guide, throughKubelet } from "../checks.ts";
import { lineWith, seenByAsking } from "../kubelet-seen.ts";
import type { Evidence, Rule } from "../model.ts";
import { hostsOf, linesOf, workersOf } from "../reading.ts";

const otherName = seenByAsking("kubelet-certificate-for-another-name", guide.certificates, ({ node, byName, at, exit, line }) =>
  exit !== "60" || !/subject name|altname|host name/i.test(line)
    ? undefined
    : {
        what: `the serving certificate of the kubelet of ${node} is not for the ${byName ? "name" : "address"} ${at}`,
        mend: `issue a certificate with ${byName ? "DNS" : "IP"}:${at} for ${node}, put it to /var/lib/kubelet/kubelet.crt and kubelet.key there, and restart the kubelet`,
      },
);

const otherAuthority = seenByAsking("kubelet-certificate-from-another-authority", guide.certificates, ({ node, host, exit, line }) =>
  exit !== "60" || /expired|not yet valid/i.test(line)
    ? undefined
    : {
        what: `the serving certificate of the kubelet of ${node} is from another authority than kube-apiserver on ${host} trusts`,
        mend: `issue the certificate of ${node} with the cluster's CA, put it to /var/lib/kubelet/kubelet.crt and kubelet.key there, and restart the kubelet`,
      },
);

const expired = seenByAsking("kubelet-certificate-expired", guide.certificates, ({ node, exit, line }) =>
  exit !== "60" || !/expired|not yet valid/i.test(line)
    ? undefined
    : {
        what: `the serving certificate of the kubelet of ${node} has expired, or is not valid yet`,
        mend: `renew it, and compare the clocks: ssh ${node} date`,
      },
);

const fingerprint = (evidence: Evidence, host: string, certificate: string): string | undefined =>
  /Fingerprint=([0-9A-F:]+)/i.exec(linesOf(evidence, host, "certificates").find((line) => line.startsWith(`${certificate} `)) ?? "")?.[1];

/** A kubelet has not taken kube-apiserver's word. Where the API itself refuses us, no Nodes are known. */
const refused = /Unauthorized|provide credentials|does not accept the credentials/;
const ofKubelet = { explains: throughKubelet, saying: refused, guide: guide.certificates } as const;

/** Whom the kubelet trusts is compared with whom kube-apiserver trusts, since the guide has one authority for both. */
const clientAuthority: Rule = {
  ...ofKubelet,
  id: "kubelet-client-authority-differs",
  find: (evidence, { message }) => {
    const trusted = hostsOf(evidence)
      .map((host) => fingerprint(evidence, host, "apiserver-client-ca"))
      .find((found) => found !== undefined);
    const host = workersOf(evidence).find((worker) => ![undefined, trusted].includes(fingerprint(evidence, worker, "kubelet-client-ca")));
    // Without both of them nothing is compared.
    if (evidence.api.nodes.length === 0 || trusted === undefined || host === undefined) return undefined;
    return {
      what: `the kubelet of ${host} does not accept the client certificate of kube-apiserver: its clientCAFile is of another authority`,
      seen: lineWith(message, refused),
      mend: `copy ca.crt of the cluster to /var/lib/kubelet/ca.crt on ${host}, and restart the kubelet`,
    };
  },
};

const clientRefused: Rule = {
  ...ofKubelet,
  id: "kubelet-refuses-kube-apiserver",
  find: (evidence, { message }) => {
    const { nodes, pods } = evidence.api;
    if (nodes.length === 0) return undefined;
    const node = pods.find(({ name }) => message.includes(name))?.nodeName;
    return {
      what: `the kubelet of ${node ?? "a Node"} does not accept the client certificate of kube-apiserver`,
      seen: lineWith(message, refused),
      mend: `is kube-apiserver's --kubelet-client-certificate valid, and from the authority in clientCAFile of the kubelet of ${node ?? "each Node"}?`,
    };
  },
};

/** A certificate that has run out is no longer of any authority. */
export const certificateRules: readonly Rule[] = [otherName, expired, otherAuthority, clientAuthority, clientRefused];
