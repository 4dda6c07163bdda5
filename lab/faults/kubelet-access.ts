/**
 * The API server and the kubelets do not get along.
 */
import { throughKubelet } from "../../helpers/diagnosis/checks.ts";
import { kubeletConfigurationFile, kubeletFolder } from "../components/kubelet.ts";
import { healthy } from "../healthy.ts";
import { type Fault, type Lab } from "./fault.ts";

const binding = "system:kube-apiserver";
/** Where the API server keeps its own certificate, and the authority that it trusts. */
const own = "/var/lib/kubernetes";
/** A kubelet's certificate and its key. */
export const certificate: readonly string[] = [`${kubeletFolder}/kubelet.crt`, `${kubeletFolder}/kubelet.key`];
const kubeProxy = "/var/lib/kube-proxy/kubeconfig";

/** What goes through the kubelet of one worker; and only the logs tell which Pod has answered. */
export const unreached = { fails: throughKubelet, inconclusive: ["node-port-every-pod"] };

/** A kubelet runs with files that are otherwise than the guide's, which are kept beside them. */
export function kubeletOtherwise(node: string, files: readonly string[], change: (lab: Lab) => string | Promise<string>) {
  const restart = "systemctl restart kubelet";
  return {
    inject: async (lab: Lab): Promise<void> => {
      const keep = files.map((file) => `cp ${file} ${file}.intended`);
      await lab.on(node, [...keep, await change(lab), restart].join(" && "));
      await healthy(lab.instance);
    },
    heal: (lab: Lab): Promise<string> => lab.on(node, [...files.map((file) => `mv ${file}.intended ${file}`), restart].join(" && ")),
  };
}

/** What OpenSSL on server says of a kubelet's certificate, such as "Verify return code: 0 (ok)". */
export async function verdictOnCertificate(lab: Lab, node: string): Promise<string> {
  const ask = `openssl s_client -connect ${node}:10250 -verify_hostname ${node} -CAfile ${own}/ca.crt </dev/null 2>/dev/null`;
  return lab.on("server", `${ask} | grep -m1 'Verify return code' || true`);
}

/** The code with which node-1's kubelet answers curl, which comes from server with the API server's own certificate. */
async function answerToServer(lab: Lab, path: string): Promise<string> {
  const credentials = `--cacert ${own}/ca.crt --cert ${own}/kube-api-server.crt --key ${own}/kube-api-server.key`;
  return lab.on("server", `curl --silent --output /dev/null --write-out '%{http_code}' ${credentials} https://node-1:10250${path} || true`);
}

const dataOf = (name: string): string => `sed -n 's/^ *client-${name}-data: //p' ${kubeProxy} | base64 -d`;

export const kubeletAccess: readonly Fault[] = [
  {
    name: "kubelet-access-unbound",
    state: "the API server's user has no rights on the kubelets' API",
    inject: (lab) => lab.kubectl("delete", "clusterrolebinding", binding),
    heal: (lab) =>
      lab.kubectl("create", "clusterrolebinding", binding, "--clusterrole=system:kube-apiserver-to-kubelet", "--user=kubernetes"),
    holds: async (lab) => !(await lab.kubectl("get", "clusterrolebindings", "-o", "name")).includes(`/${binding}\n`),
    ...unreached,
    because: /Forbidden \(user=kubernetes, verb=\w+, resource=nodes, subresource/,
    cause: /^Cause: user kubernetes, as whom kube-apiserver asks the kubelets, has no right to/,
  },
  {
    name: "kubelet-certificate-of-another-authority-on-node-1",
    state: "the kubelet of node-1 has been given no certificate, and serves one that it has made itself",
    ...kubeletOtherwise(
      "node-1",
      [kubeletConfigurationFile],
      () => `sed -i '/^tlsCertFile:/d; /^tlsPrivateKeyFile:/d' ${kubeletConfigurationFile}`,
    ),
    holds: async (lab) => /code: (18|19|20|21) /.test(await verdictOnCertificate(lab, "node-1")),
    ...unreached,
    because: /x509: certificate signed by unknown authority/,
    cause: /^Cause: the serving certificate of the kubelet of node-1 is from another authority/,
  },
  {
    name: "kubelet-certificate-for-another-name-on-node-1",
    state: "the kubelet of node-1 has been given kube-proxy's certificate",
    ...kubeletOtherwise("node-1", certificate, () => {
      const [crt, key] = certificate;
      return `${dataOf("certificate")} > ${crt} && ${dataOf("key")} > ${key}`;
    }),
    holds: async (lab) => /code: 62 /.test(await verdictOnCertificate(lab, "node-1")),
    ...unreached,
    because: /x509: certificate is valid for kube-proxy, not node-1/,
    cause: /^Cause: the serving certificate of the kubelet of node-1 is not for the name node-1/,
  },
  {
    name: "kubelet-trusts-another-authority-on-node-1",
    state: "the kubelet of node-1 accepts the client certificates of another authority",
    ...kubeletOtherwise(
      "node-1",
      [`${kubeletFolder}/ca.crt`],
      () => `openssl req -x509 -newkey ed25519 -nodes -subj /CN=CA -keyout /dev/null -out ${kubeletFolder}/ca.crt 2>/dev/null`,
    ),
    holds: async (lab) => (await answerToServer(lab, "/healthz")) === "401",
    ...unreached,
    because: /Unauthorized|the server has asked for the client to provide credentials/,
    cause: /^Cause: the kubelet of node-1 does not accept the client certificate of kube-apiserver/,
  },
  {
    name: "kubelet-debugging-handlers-off-on-node-1",
    state: "the kubelet of node-1 has its debugging handlers off, by which it serves logs, exec and port-forward",
    ...kubeletOtherwise("node-1", [kubeletConfigurationFile], () => `echo 'enableDebuggingHandlers: false' >> ${kubeletConfigurationFile}`),
    holds: async (lab) => (await answerToServer(lab, "/containerLogs/default/none/none")) === "405",
    ...unreached,
    because: /Debug endpoints are disabled|the server does not allow this method/,
    cause: /^Cause: the kubelet of node-1 has its debugging handlers off/,
  },
];
