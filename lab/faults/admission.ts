/**
 * Pods that the API server does not let in: by a policy of the namespace, which says nothing of the cluster, or because what has to be
 * asked first cannot be.
 */
import { objectsThere, ofRuns, podsCreated, tryPod } from "./api-objects.ts";
import { needingPods, type Fault } from "./fault.ts";

/** A namespace that is there before the run, which is given its name. */
const namespace = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels },
});

const quota = {
  apiVersion: "v1",
  kind: "ResourceQuota",
  metadata: { name: "no-pods", namespace: "quota-of-zero" },
  spec: { hard: { pods: "0" } },
};

/** A webhook that is asked about every Pod it selects, at an address where nobody listens. */
const unreachableWebhook = (name: string, objectSelector: object) => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: { name },
  webhooks: [
    {
      name: `${name}.example.com`,
      clientConfig: { url: "https://127.0.0.1:9/" },
      rules: [podsCreated],
      objectSelector,
      failurePolicy: "Fail",
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
      timeoutSeconds: 1,
    },
  ],
});

export const admission: readonly Fault[] = [
  {
    name: "quota-of-zero",
    state: "the quota of the run's namespace allows no Pods",
    ...objectsThere(
      [namespace("quota-of-zero"), quota],
      // The quota counts from the moment at which its controller has copied it to its status.
      async (lab) => (await lab.kubectl("-n", "quota-of-zero", "get", "resourcequotas", "-o", "jsonpath={..status.hard.pods}")) === "0",
    ),
    environment: { SMOKE_NAMESPACE: "quota-of-zero" },
    fails: [],
    inconclusive: ["replicas-ready", ...needingPods],
    because: /exceeded quota: no-pods/,
    cause: /^Cause: ResourceQuota no-pods of namespace quota-of-zero leaves no room/,
  },
  {
    name: "pod-security-restricted",
    state: "the run's namespace enforces Pod Security restricted, and the image needs root",
    ...objectsThere([namespace("pod-security-restricted", { "pod-security.kubernetes.io/enforce": "restricted" })], async (lab) =>
      (await tryPod(lab, "pod-security-restricted")).includes("violates PodSecurity"),
    ),
    environment: { SMOKE_NAMESPACE: "pod-security-restricted" },
    fails: [],
    inconclusive: ["replicas-ready", ...needingPods],
    because: /violates PodSecurity "restricted:latest"/,
    cause: /^Cause: Pod Security "restricted:latest" of namespace pod-security-restricted refuses the Pods/,
  },
  {
    name: "admission-webhook-unreachable",
    state: "the webhook that is asked about every Pod cannot be called",
    ...objectsThere([unreachableWebhook("admission-webhook-unreachable", ofRuns)], async (lab) =>
      (await tryPod(lab)).includes("failed calling webhook"),
    ),
    fails: ["replicas-ready"],
    inconclusive: needingPods,
    because: /failed calling webhook "admission-webhook-unreachable\.example\.com"/,
    cause: /^Cause: the admission webhook "admission-webhook-unreachable\.example\.com" cannot be called/,
  },
];
