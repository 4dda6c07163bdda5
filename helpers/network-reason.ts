/**
 * Why a server has not answered, in words, from the codes of Node, OpenSSL and undici.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { reasonOf } from "./errors.ts";

const remedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused. Is kube-apiserver running there, and is the port right?",
  ENOTFOUND: "its name does not resolve. Add it to /etc/hosts, or use an address in the kubeconfig.",
  EAI_AGAIN: "its name does not resolve now. Is the name server reachable?",
  EHOSTUNREACH: "no route to it. Is the host up, and on this network?",
  ENETUNREACH: "no route to its network.",
  ETIMEDOUT: "no connection. Is the host up, and does a firewall drop the port?",
  UND_ERR_CONNECT_TIMEOUT: "no connection. Is the host up, and does a firewall drop the port?",
  ECONNRESET: "the connection was reset. Did kube-apiserver just stop?",
  EPIPE: "the connection was closed. Did kube-apiserver just stop?",
  UND_ERR_SOCKET: "the connection was closed. Did kube-apiserver just stop?",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed, and not the kubeconfig's certificate-authority.",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not from the kubeconfig's certificate-authority. Was the cluster built anew?",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not from the kubeconfig's certificate-authority. Was the cluster built anew?",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not from the kubeconfig's certificate-authority. Was the cluster built anew?",
  CERT_SIGNATURE_FAILURE: "its certificate is from another authority of the same name. Was the cluster built anew?",
  CERT_HAS_EXPIRED: "its certificate has expired. Renew it, and compare this machine's clock with the server's.",
  CERT_NOT_YET_VALID: "its certificate is not valid yet. Compare this machine's clock with the server's.",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name. Use one of its names in the kubeconfig, or tls-server-name.",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "it demands a client certificate, and the kubeconfig's user has none.",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS. Is the port right, and should the address begin with http?",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS. Is the port right, and should the address begin with http?",
};

/** A sentence or two: what is wrong, and where a remedy is known, that. */
export function networkReason(error: unknown): string {
  const code = codeOf(error);
  const remedy = remedies[code];
  // Only the error itself knows which names the certificate has.
  if (remedy !== undefined) return code === "ERR_TLS_CERT_ALTNAME_INVALID" ? `${remedy} (${reasonOf(error)})` : remedy;
  if (error instanceof SyntaxError) return "what came is not JSON. Is this the address of a Kubernetes API?";
  return `${reasonOf(error)}.`;
}

/** What fails before a request has been sent. */
const beforeSending =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_.*|ERR_TLS_.*|ERR_SSL_.*|UNABLE_TO_.*|.*_CERT.*)$/;

/** Whether a request has certainly not reached the server: there was no connection, or none that could be trusted. */
export const neverArrived = (error: unknown): boolean => beforeSending.test(codeOf(error));

const connectTimeout = "UND_ERR_CONNECT_TIMEOUT";

/**
 * Whether a server that did not get through TLS in time hangs: its port takes connections all the same, because that is the kernel's work.
 * Where it takes none, a host or a way to it is missing.
 */
export async function hangs(error: unknown, server: string, timeoutMs = 1_000): Promise<boolean> {
  if (codeOf(error) !== connectTimeout) return false;
  const { hostname, port } = new URL(server);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 443) });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(timeoutMs) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Libraries wrap the system's error, and Node bundles those of several addresses. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const { code, cause, errors } = error as Error & { code?: unknown; errors?: unknown[] };
  return typeof code === "string" ? code : codeOf(cause ?? errors?.[0]);
}
