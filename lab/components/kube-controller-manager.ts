import { clusterCIDR, serviceCIDR } from "../topology.ts";
import { unit, unitPath, type ServerComponent } from "./component.ts";

const folder = "/var/lib/kubernetes";

/** The controller manager: the guide's chapter 8. It elects a leader, as is the default, so its Lease tells whether it lives. */
export const kubeControllerManager: ServerComponent = () => ({
  files: {
    "/usr/local/bin/kube-controller-manager": { binary: "kube-controller-manager" },
    [`${folder}/kube-controller-manager.kubeconfig`]: { pki: "kube-controller-manager.kubeconfig" },
    [unitPath("kube-controller-manager.service")]: unit({
      description: "Kubernetes Controller Manager",
      after: ["kube-apiserver.service"],
      command: [
        "/usr/local/bin/kube-controller-manager",
        "--bind-address=0.0.0.0",
        `--cluster-cidr=${clusterCIDR}`,
        "--cluster-name=kubernetes",
        `--cluster-signing-cert-file=${folder}/ca.crt`,
        `--cluster-signing-key-file=${folder}/ca.key`,
        `--kubeconfig=${folder}/kube-controller-manager.kubeconfig`,
        `--root-ca-file=${folder}/ca.crt`,
        `--service-account-private-key-file=${folder}/service-accounts.key`,
        `--service-cluster-ip-range=${serviceCIDR}`,
        "--use-service-account-credentials=true",
        "--v=2",
      ],
    }),
  },
  units: ["kube-controller-manager.service"],
});
