import { stringify } from "yaml";
import { unit, unitPath, type ServerComponent } from "./component.ts";

const configuration = {
  apiVersion: "kubescheduler.config.k8s.io/v1",
  kind: "KubeSchedulerConfiguration",
  clientConnection: { kubeconfig: "/var/lib/kubernetes/kube-scheduler.kubeconfig" },
  leaderElection: { leaderElect: true },
};

/** The scheduler: the guide's chapter 8. */
export const kubeScheduler: ServerComponent = () => ({
  files: {
    "/usr/local/bin/kube-scheduler": { binary: "kube-scheduler" },
    "/var/lib/kubernetes/kube-scheduler.kubeconfig": { pki: "kube-scheduler.kubeconfig" },
    "/etc/kubernetes/config/kube-scheduler.yaml": { text: stringify(configuration) },
    [unitPath("kube-scheduler.service")]: unit({
      description: "Kubernetes Scheduler",
      after: ["kube-apiserver.service"],
      command: ["/usr/local/bin/kube-scheduler", "--config=/etc/kubernetes/config/kube-scheduler.yaml", "--v=2"],
    }),
  },
  units: ["kube-scheduler.service"],
});
