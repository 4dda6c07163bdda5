/**
 * What is not admitted into the cluster. Whoever refuses tells why.
 */
import { gettingPods, guide } from "../checks.ts";
import type { Rule } from "../model.ts";
import { lacksPods } from "../reading.ts";
import { told } from "../saying.ts";

export const creationRules: readonly Rule[] = [
  told({
    id: "webhook-unreachable",
    explains: gettingPods,
    andWhoeverSaysIt: true,
    guide: guide.controlPlane,
    pattern: /failed calling webhook "([^"]+)"/,
    what: ({ found: [name] }) => `the admission webhook "${name}" cannot be called, and without it nothing is admitted`,
    mend: () => "kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations  # start what it calls, or delete it",
  }),
  told({
    id: "webhook-refuses",
    explains: gettingPods,
    andWhoeverSaysIt: true,
    guide: guide.smokeTest,
    pattern: /admission webhook "([^"]+)" denied the request: ?(.*)/,
    what: ({ found: [name, reason] }) => `the admission webhook "${name}" refuses what the run creates: ${reason}`,
    mend: () => "SMOKE_NAMESPACE with a namespace in which the policy allows it",
  }),
  told({
    id: "admission-policy-refuses",
    explains: gettingPods,
    andWhoeverSaysIt: true,
    guide: guide.smokeTest,
    pattern: /ValidatingAdmissionPolicy '([^']+)'.* denied request: ?(.*)/,
    what: ({ found: [name, reason] }) => `the ValidatingAdmissionPolicy "${name}" refuses what the run creates: ${reason}`,
    mend: () => "SMOKE_NAMESPACE with a namespace in which the policy allows it",
  }),
  told({
    id: "quota-exceeded",
    explains: gettingPods,
    andWhoeverSaysIt: true,
    guide: guide.smokeTest,
    pattern: /exceeded quota: ([^,\s]+)/,
    what: ({ found: [name] }, { given }) => `ResourceQuota ${name} of namespace ${given.namespace} leaves no room for what the run creates`,
    mend: ({ found: [name] }, { given }) => `kubectl -n ${given.namespace} describe resourcequota ${name}`,
  }),
  told({
    id: "pod-security-refuses",
    explains: gettingPods,
    andWhoeverSaysIt: true,
    guide: guide.smokeTest,
    pattern: /violates PodSecurity "([^"]+)"/,
    what: ({ found: [level] }, { given }) => `Pod Security "${level}" of namespace ${given.namespace} refuses the Pods`,
    mend: (_said, { given }) => `kubectl label --overwrite namespace ${given.namespace} pod-security.kubernetes.io/enforce=baseline`,
  }),
  told({
    id: "controllers-share-a-user",
    explains: gettingPods,
    guide: guide.controlPlane,
    pattern: /User "system:kube-controller-manager" cannot (\w+) resource "([^"]+)"/,
    what: ({ found: [verb, resource] }) =>
      `the controllers act as system:kube-controller-manager, which has no right to ${verb} ${resource}`,
    mend: () => "--use-service-account-credentials=true for kube-controller-manager, so that each controller has its own user and rights",
  }),
  told({
    id: "service-account-missing",
    explains: gettingPods,
    stillSo: lacksPods,
    guide: guide.controlPlane,
    pattern: /serviceaccount "?([\w-]+)"? not found|service account \S+: .*not found/i,
    what: ({ found: [name = "default"] }, { given }) =>
      `namespace ${given.namespace} has no ServiceAccount ${name}, without which no Pod is created`,
    mend: (_said, { given }) => `kubectl -n ${given.namespace} get serviceaccounts  # the controllers of kube-controller-manager create it`,
  }),
  told({
    id: "pods-not-created",
    explains: ["replicas-ready", "pod-replaced"],
    guide: guide.controlPlane,
    pattern: /its ReplicaSet has created (\d) of (\d) Pods/,
    what: ({ found: [created, wanted] }) =>
      `the ReplicaSet of Deployment nginx has created ${created} of ${wanted} Pods, and its controller creates no other`,
    mend: (_said, { given }) => `ssh ${given.server} journalctl -u kube-controller-manager -n 50`,
  }),
];
