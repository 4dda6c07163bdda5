/**
 * Certificates, kubeconfigs and the encryption key: the guide's chapters 4, 5 and 6.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { clusterName, type Instance } from "./instance.ts";
import { run } from "./run.ts";
import { kubernetesServiceIP } from "./topology.ts";

type Certificate = { name: string; subject: string; alternativeNames?: readonly string[] };

/** The guide's ca.conf, as data. */
function certificates({ topology }: Instance): Certificate[] {
  const local = "IP:127.0.0.1";
  return [
    { name: "admin", subject: "/CN=admin/O=system:masters" },
    { name: "service-accounts", subject: "/CN=service-accounts" },
    ...topology.workers.map(({ name }) => ({
      name,
      subject: `/CN=system:node:${name}/O=system:nodes`,
      alternativeNames: [`DNS:${name}`, local],
    })),
    { name: "kube-proxy", subject: "/CN=system:kube-proxy/O=system:node-proxier", alternativeNames: ["DNS:kube-proxy", local] },
    {
      name: "kube-controller-manager",
      subject: "/CN=system:kube-controller-manager/O=system:kube-controller-manager",
      alternativeNames: ["DNS:kube-controller-manager", local],
    },
    {
      name: "kube-scheduler",
      // The guide's own spelling; the rights hang on the user's name.
      subject: "/CN=system:kube-scheduler/O=system:system:kube-scheduler",
      alternativeNames: ["DNS:kube-scheduler", local],
    },
    {
      name: "kube-api-server",
      subject: "/CN=kubernetes",
      alternativeNames: [
        local,
        `IP:${kubernetesServiceIP}`,
        // Deviation: the guide's jumpbox finds server.kubernetes.local in its /etc/hosts. The lab leaves this machine's alone, so the
        // certificate is valid for the address as well.
        `IP:${topology.server.address}`,
        "DNS:kubernetes",
        "DNS:kubernetes.default",
        "DNS:kubernetes.default.svc",
        "DNS:kubernetes.default.svc.cluster",
        // Deviation: the guide writes kubernetes.svc.cluster.local, a name that nothing asks for.
        "DNS:kubernetes.default.svc.cluster.local",
        "DNS:server.kubernetes.local",
        "DNS:api-server.kubernetes.local",
      ],
    },
  ];
}

/** Everything under `pki/` of the instance's folder. */
export async function createPKI(instance: Instance): Promise<void> {
  const folder = join(instance.folder, "pki");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await createAuthority(folder);
  await Promise.all(certificates(instance).map((certificate) => issue(folder, certificate)));
  await Promise.all(kubeconfigs(instance).map((kubeconfig) => writeKubeconfig(folder, kubeconfig)));
  await writeFile(join(folder, "encryption-config.yaml"), stringify(encryptionConfiguration()));
  await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", `lab ${instance.name}`, "-f", join(folder, "id_ed25519")]);
}

// Deviation: the guide's keys are RSA of 4096 bits, which take a minute to make; elliptic ones take none.
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const days = ["-days", "3653"];

async function createAuthority(folder: string): Promise<void> {
  const usage = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,cRLSign,keyCertSign"];
  const subject = ["-subj", "/CN=CA/C=US/ST=Washington/L=Seattle"];
  await run(["openssl", "req", "-x509", ...newKey, ...days, ...subject, ...usage, "-keyout", "ca.key", "-out", "ca.crt"], { folder });
}

/** A key and a certificate of the instance's authority, valid as client and as server, as the guide's are. */
async function issue(folder: string, { name, subject, alternativeNames = [] }: Certificate): Promise<void> {
  const extensions = [
    "basicConstraints=CA:FALSE",
    "keyUsage=critical,digitalSignature,keyEncipherment",
    "extendedKeyUsage=clientAuth,serverAuth",
    ...(alternativeNames.length > 0 ? [`subjectAltName=${alternativeNames.join(",")}`] : []),
  ].flatMap((extension) => ["-addext", extension]);
  const signer = ["-CA", "ca.crt", "-CAkey", "ca.key"];
  await run(
    [
      "openssl",
      "req",
      "-x509",
      ...newKey,
      ...days,
      "-subj",
      subject,
      ...extensions,
      ...signer,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.crt`,
    ],
    { folder },
  );
}

type Kubeconfig = { name: string; user: string; server: string };

function kubeconfigs({ topology }: Instance): Kubeconfig[] {
  const server = "https://server.kubernetes.local:6443";
  return [
    ...topology.workers.map(({ name }) => ({ name, user: `system:node:${name}`, server })),
    { name: "kube-proxy", user: "system:kube-proxy", server },
    { name: "kube-controller-manager", user: "system:kube-controller-manager", server },
    { name: "kube-scheduler", user: "system:kube-scheduler", server },
    { name: "admin", user: "admin", server: `https://${topology.server.address}:6443` },
  ];
}

async function writeKubeconfig(folder: string, { name, user, server }: Kubeconfig): Promise<void> {
  const base64 = async (file: string) => (await readFile(join(folder, file))).toString("base64");
  const cluster = { server, "certificate-authority-data": await base64("ca.crt") };
  const credentials = { "client-certificate-data": await base64(`${name}.crt`), "client-key-data": await base64(`${name}.key`) };
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: clusterName, cluster }],
    users: [{ name: user, user: credentials }],
    contexts: [{ name: clusterName, context: { cluster: clusterName, user } }],
    "current-context": clusterName,
  };
  await writeFile(join(folder, `${name}.kubeconfig`), stringify(kubeconfig), { mode: 0o600 });
}

const encryptionConfiguration = () => ({
  kind: "EncryptionConfiguration",
  apiVersion: "apiserver.config.k8s.io/v1",
  resources: [
    {
      resources: ["secrets"],
      providers: [{ aescbc: { keys: [{ name: "key1", secret: randomBytes(32).toString("base64") }] } }, { identity: {} }],
    },
  ],
});
