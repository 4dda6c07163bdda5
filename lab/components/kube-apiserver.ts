import { serviceCIDR } from "../topology.ts";
import { unit, unitPath, type ServerComponent } from "./component.ts";

const folder = "/var/lib/kubernetes";
const own = [
  "ca.crt",
  "ca.key",
  "kube-api-server.crt",
  "kube-api-server.key",
  "service-accounts.crt",
  "service-accounts.key",
  "encryption-config.yaml",
];

/** The API server: the guide's chapter 8. */
export const kubeAPIServer: ServerComponent = ({ topology }) => ({
  files: {
    "/usr/local/bin/kube-apiserver": { binary: "kube-apiserver" },
    "/usr/local/bin/kubectl": { binary: "kubectl" },
    ...Object.fromEntries(own.map((file) => [`${folder}/${file}`, { pki: file }])),
    "/root/admin.kubeconfig": { pki: "admin.kubeconfig" },
    [unitPath("kube-apiserver.service")]: unit({
      description: "Kubernetes API Server",
      after: ["etcd.service"],
      command: [
        "/usr/local/bin/kube-apiserver",
        "--allow-privileged=true",
        "--audit-log-maxage=30",
        "--audit-log-maxbackup=3",
        "--audit-log-maxsize=100",
        "--audit-log-path=/var/log/audit.log",
        "--authorization-mode=Node,RBAC",
        "--bind-address=0.0.0.0",
        // Deviation: the guide lets the API server find its address by the default route.
        `--advertise-address=${topology.server.address}`,
        `--client-ca-file=${folder}/ca.crt`,
        "--enable-admission-plugins=NamespaceLifecycle,NodeRestriction,LimitRanger,ServiceAccount,DefaultStorageClass,ResourceQuota",
        "--etcd-servers=http://127.0.0.1:2379",
        "--event-ttl=1h",
        `--encryption-provider-config=${folder}/encryption-config.yaml`,
        `--kubelet-certificate-authority=${folder}/ca.crt`,
        `--kubelet-client-certificate=${folder}/kube-api-server.crt`,
        `--kubelet-client-key=${folder}/kube-api-server.key`,
        "--runtime-config=api/all=true",
        `--service-account-key-file=${folder}/service-accounts.crt`,
        `--service-account-signing-key-file=${folder}/service-accounts.key`,
        "--service-account-issuer=https://server.kubernetes.local:6443",
        // Deviation: the guide has lost this flag, so that ClusterIPs come from 10.0.0.0/24 and its certificate does not fit them.
        `--service-cluster-ip-range=${serviceCIDR}`,
        "--service-node-port-range=30000-32767",
        `--tls-cert-file=${folder}/kube-api-server.crt`,
        `--tls-private-key-file=${folder}/kube-api-server.key`,
        "--v=2",
      ],
    }),
  },
  units: ["kube-apiserver.service"],
});
