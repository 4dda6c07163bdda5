import { expect, test } from "vitest";
import { all, api, causeOf, lookalikes, type Case } from "../recorded.ts";

const refused = (message: string) =>
  api(({ events }) => ({ events: [...events, { object: "ReplicaSet/nginx-1", reason: "FailedCreate", message }] }));
const callFailed =
  'Internal error occurred: failed calling webhook "pods.example.com": Post "https://10.32.0.9:443/": dial tcp 10.32.0.9:443: connect: connection refused';
/** One Pod is there, where two should be. */
const oneMissing = api(({ pods }) => ({ pods: pods.slice(1) }));
const withoutAccount = refused(
  'pods "x" is forbidden: error looking up service account smoke-1/default: serviceaccount "default" not found',
);
const deniedByWebhook = 'admission webhook "policy.example.com" denied the request: no latest';

const cases: readonly Case[] = [
  {
    rule: "webhook-unreachable",
    check: "replicas-ready",
    change: refused(callFailed),
    cause: /^the admission webhook "pods\.example\.com" cannot be called/,
    // What happens to Pods explains nothing of a Secret.
    butNot: [{ check: "secret-encrypted", change: refused(callFailed) }],
  },
  { rule: "webhook-unreachable", check: "secret-read-back", message: `answered 500: ${callFailed}`, cause: /cannot be called/ },
  {
    rule: "webhook-refuses",
    check: "replicas-ready",
    change: refused(deniedByWebhook),
    cause: /^the admission webhook "policy\.example\.com" refuses what the run creates: no latest$/,
    butNot: [{ change: refused(callFailed) }, { check: "secret-encrypted", change: refused(deniedByWebhook) }],
  },
  {
    rule: "admission-policy-refuses",
    check: "replicas-ready",
    change: refused("pods \"x\" is forbidden: ValidatingAdmissionPolicy 'no-pods' with binding 'no-pods' denied request: none today"),
    cause: /^the ValidatingAdmissionPolicy "no-pods" refuses what the run creates: none today$/,
    butNot: [{ change: refused(deniedByWebhook) }],
  },
  {
    rule: "quota-exceeded",
    check: "replicas-ready",
    change: refused('pods "x" is forbidden: exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0'),
    cause: /^ResourceQuota none of namespace smoke-1 leaves no room for what the run creates$/,
    butNot: [{ change: refused('pods "x" is forbidden: failed quota: some: must specify limits.cpu for: nginx') }],
  },
  {
    rule: "pod-security-refuses",
    check: "replicas-ready",
    change: refused('pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'),
    cause: /^Pod Security "restricted:latest" of namespace smoke-1 refuses the Pods$/,
    butNot: [{ change: refused('Warning: would violate PodSecurity "restricted:latest": runAsNonRoot != true') }],
  },
  {
    rule: "controllers-share-a-user",
    check: "replicas-ready",
    change: refused('pods "x" is forbidden: User "system:kube-controller-manager" cannot create resource "pods" in API group ""'),
    cause: /^the controllers act as system:kube-controller-manager, which has no right to create pods$/,
    butNot: [
      {
        change: refused(
          'pods "x" is forbidden: User "system:serviceaccount:kube-system:replicaset-controller" cannot create resource "pods"',
        ),
      },
    ],
  },
  {
    rule: "service-account-missing",
    check: "replicas-ready",
    change: all(oneMissing, withoutAccount),
    cause: /^namespace smoke-1 has no ServiceAccount default/,
    butNot: [
      { change: all(oneMissing, refused('MountVolume.SetUp failed for volume "x": secret "default" not found')) },
      // It has come since, and so have the Pods.
      { change: withoutAccount },
    ],
  },
  {
    rule: "pods-not-created",
    check: "pod-replaced",
    message: "1 of 2 Pods Ready; Deployment nginx: MissingPods, its ReplicaSet has created 1 of 2 Pods",
    cause: /^the ReplicaSet of Deployment nginx has created 1 of 2 Pods, and its controller creates no other$/,
    // There they are, and do not start.
    butNot: [{ message: "1 of 2 Pods Ready; Pod nginx-1 on node-0: Pending, not Ready" }],
  },
];

test.for(cases)("$rule is named when $check fails", (given) => {
  expect(causeOf(given)).toEqual({ rule: given.rule, cause: expect.stringMatching(given.cause) });
  expect(lookalikes(given)).not.toContain(given.rule);
});
