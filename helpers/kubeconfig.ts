/**
 * A cluster and its credentials from the value of KUBECONFIG, as kubectl understands it.
 * https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { openPlugin, usesPlugin } from "./credentials-plugin.ts";
import { reasonOf, SettingsError } from "./errors.ts";
import { readKubeconfig, type Cluster, type Entry, type User } from "./kubeconfig-file.ts";

type TLS = {
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  servername?: string | undefined;
  rejectUnauthorized: boolean;
};

export type ClusterAccess = {
  contextName: string;
  clusterName: string;
  userName: string;
  /** The address of the API, without a slash at its end. */
  server: string;
  tls: TLS;
  /** The Authorization header, asked for anew with each request, because tokens change. */
  authorization: () => Promise<string | undefined>;
  proxyURL?: string | undefined;
};

/**
 * @param kubeconfig the value of KUBECONFIG: one path, or several as in PATH
 * @param contextName the context to use; current-context is not looked at
 * @throws SettingsError that says which file, context or credential is wrong
 */
export async function loadKubeconfig(kubeconfig: string, contextName: string): Promise<ClusterAccess> {
  const { clusterName, cluster, userName, user, tls } = readContext(kubeconfig, contextName);
  const plugin = usesPlugin(user.is) ? await openPlugin(userName, user) : undefined;
  const { cert = tls.cert, key = tls.key } = (await plugin?.()) ?? {};
  return {
    contextName,
    clusterName,
    userName,
    server: (cluster.is.server ?? "").replace(/\/+$/, ""),
    tls: { ...tls, cert, key },
    authorization: plugin === undefined ? authorizationOf(user) : async () => (await plugin()).authorization,
    proxyURL: cluster.is["proxy-url"] ?? undefined,
  };
}

/** What is wrong with a context and its files, all of it, without asking a plugin for credentials. Nothing is, where one is not given. */
export function kubeconfigProblems(kubeconfig: string | undefined, contextName: string | undefined): readonly string[] {
  if (kubeconfig === undefined || contextName === undefined) return [];
  try {
    readContext(kubeconfig, contextName);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

type Context = { clusterName: string; cluster: Entry<Cluster>; userName: string; user: Entry<User>; tls: TLS };

/** @throws SettingsError */
function readContext(kubeconfig: string, contextName: string): Context {
  const { clusters, users, contexts } = readKubeconfig(kubeconfig);
  const named = <Kind>(entries: Map<string, Kind>, name: string, role: string): Kind => {
    const entry = entries.get(name);
    if (entry !== undefined) return entry;
    throw new SettingsError([
      `KUBECONFIG=${kubeconfig}: ${role}, "${name}", is not in it. It has: ${[...entries.keys()].join(", ") || "none"}.`,
    ]);
  };
  const { cluster: clusterName, user: userName } = named(contexts, contextName, "the context that SMOKE_CONTEXT names").is;
  const cluster = named(clusters, clusterName ?? "", `the cluster of context "${contextName}"`);
  // A context may do without a user, who is then anonymous.
  const user = userName ? named(users, userName, `the user of context "${contextName}"`) : { path: cluster.path, is: {} };

  const problems = [...addressProblems(cluster), ...impersonationProblems(user)];
  const tls = tlsOf(cluster, user, problems);
  if (problems.length > 0) throw new SettingsError(problems.map((problem) => `KUBECONFIG: ${problem}`));
  return { clusterName: clusterName ?? "", cluster, userName: userName ?? "", user, tls };
}

function addressProblems({ path, is: { server, "proxy-url": proxy } }: Entry<Cluster>): string[] {
  const expected: [string, string | null | undefined, RegExp, string][] = [
    ["server", server ?? "", /^https?:$/, "https://127.0.0.1:6443"],
    ["proxy-url", proxy, /^(https?|socks5):$/, "http://127.0.0.1:3128"],
  ];
  return expected.flatMap(([name, value, protocol, example]) => {
    if (value === null || value === undefined || protocol.test(URL.parse(value)?.protocol ?? "")) return [];
    return [`${path}: ${name} is "${value}", expected an address such as ${example}.`];
  });
}

/** To pass over this would be to act with more rights than the person has asked for. */
function impersonationProblems({ path, is: { as } }: Entry<User>): string[] {
  return as ? [`${path}: its user acts as "${as}", which this suite cannot do. Name a context whose user has the rights itself.`] : [];
}

function tlsOf(cluster: Entry<Cluster>, user: Entry<User>, problems: string[]): TLS {
  const ca = dataOf(cluster, "certificate-authority", problems);
  const cert = dataOf(user, "client-certificate", problems);
  const key = dataOf(user, "client-key", problems);
  if (ca !== undefined) problems.push(...certificateProblems(cluster.path, "certificate-authority", ca));
  if (cert !== undefined) problems.push(...certificateProblems(user.path, "client-certificate", cert, key));
  return {
    ca,
    cert,
    key,
    servername: cluster.is["tls-server-name"] || undefined,
    rejectUnauthorized: cluster.is["insecure-skip-tls-verify"] !== true,
  };
}

/** What is given inline wins over a path; a path is relative to its file's folder. */
function dataOf<Name extends string>(
  { path, is }: Entry<{ [_ in Name | `${Name}-data`]?: string | null | undefined }>,
  name: Name,
  problems: string[],
): string | undefined {
  const [data, file] = [is[`${name}-data`], is[name]];
  if (data) return Buffer.from(data, "base64").toString("utf8");
  if (!file) return undefined;
  try {
    return readFileSync(resolve(dirname(path), file), "utf8");
  } catch (error) {
    problems.push(`${path} names ${file} as ${name}, which cannot be read: ${reasonOf(error)}`);
    return undefined;
  }
}

/** A certificate that is none would show only with the first connection, as an error of OpenSSL's. */
function certificateProblems(path: string, name: string, pem: string, key?: string): string[] {
  try {
    const certificate = new X509Certificate(pem);
    if (key === undefined || certificate.checkPrivateKey(createPrivateKey(key))) return [];
    return [`${path}: ${name} and client-key do not belong together.`];
  } catch (error) {
    return [`${path}: ${name}${key === undefined ? "" : " or client-key"} is not in PEM: ${reasonOf(error)}`];
  }
}

function authorizationOf({ path, is: { token, tokenFile, username, password } }: Entry<User>): () => Promise<string | undefined> {
  if (tokenFile) return async () => `Bearer ${readToken(path, tokenFile)}`;
  if (token) return async () => `Bearer ${token}`;
  if (username) return async () => `Basic ${Buffer.from(`${username}:${password ?? ""}`).toString("base64")}`;
  return async () => undefined;
}

function readToken(path: string, tokenFile: string): string {
  try {
    return readFileSync(resolve(dirname(path), tokenFile), "utf8").trim();
  } catch (error) {
    throw new SettingsError([`KUBECONFIG: ${path} names ${tokenFile} as tokenFile, which cannot be read: ${reasonOf(error)}`]);
  }
}

/** A client certificate that has run out shows as a bare 401; its own dates tell more. Undefined when there is nothing wrong. */
export function clientCertificateProblem(
  { tls: { cert }, userName }: Pick<ClusterAccess, "tls" | "userName">,
  now = new Date(),
): string | undefined {
  if (cert === undefined) return undefined;
  const { validFrom, validTo } = new X509Certificate(cert);
  if (new Date(validTo) < now) return `the client certificate of user "${userName}" has expired on ${validTo}`;
  if (new Date(validFrom) > now) return `the client certificate of user "${userName}" is not valid before ${validFrom}`;
  return undefined;
}
