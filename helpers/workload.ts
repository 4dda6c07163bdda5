/**
 * The objects of the chapter, under the chapter's names, as the API takes them. They ask for little, so that they fit on the smallest
 * cluster, and satisfy what admission usually wants: limits, the default seccomp profile, no token.
 */
import { readFileSync } from "node:fs";
import type { V1ConfigMap, V1Deployment, V1Secret, V1Service } from "@kubernetes/client-node";
import { labelsOf, type Run } from "./run.ts";

export const names = {
  deployment: "nginx",
  service: "nginx",
  secret: "kubernetes-the-hard-way",
  calibration: "smoke-calibration",
  pullSecret: "smoke-pull",
};
export const containerName = "nginx";
/** How many Pods the Deployment is scaled to. */
export const replicas = 2;
const servicePort = 80;

const metadata = (run: Run, name: string) => ({ name, namespace: run.namespace, labels: { app: name, ...labelsOf(run) } });

/** The Deployment of the chapter, created with one replica; `kubectl create deployment nginx --image=nginx:latest`. */
export function deployment(run: Run): V1Deployment {
  const { settings } = run;
  const matchLabels = { app: names.deployment, ...labelsOf(run) };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadata(run, names.deployment),
    spec: {
      replicas: 1,
      selector: { matchLabels },
      template: {
        metadata: { labels: matchLabels },
        spec: {
          automountServiceAccountToken: false,
          // What the Pods answer is over in milliseconds, so nothing is gained by a longer farewell.
          terminationGracePeriodSeconds: 1,
          securityContext: { seccompProfile: { type: "RuntimeDefault" } },
          tolerations: settings.tolerations,
          ...(settings.pullSecretPath && { imagePullSecrets: [{ name: names.pullSecret }] }),
          // Without it the scheduler may put both Pods on one worker, and a check of "spread over the workers" would be luck. Tainted and
          // cordoned workers do not count, as no Pod could go there.
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: "kubernetes.io/hostname",
              whenUnsatisfiable: "DoNotSchedule",
              nodeTaintsPolicy: "Honor",
              labelSelector: { matchLabels },
            },
          ],
          containers: [
            {
              name: containerName,
              image: settings.image,
              ports: [{ containerPort: settings.imagePort }],
              securityContext: { allowPrivilegeEscalation: false },
              resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "500m", memory: "256Mi" } },
            },
          ],
        },
      },
    },
  };
}

/** `kubectl expose deployment nginx --port 80 --type NodePort`. */
export function service(run: Run): V1Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata(run, names.service),
    spec: {
      type: "NodePort",
      selector: { app: names.deployment, ...labelsOf(run) },
      ports: [{ port: servicePort, targetPort: run.settings.imagePort, protocol: "TCP" }],
    },
  };
}

/** `kubectl create secret generic kubernetes-the-hard-way --from-literal=mykey=mydata`, and beside it a canary nobody could guess. */
export function secret(run: Run, canary: string): V1Secret {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: metadata(run, names.secret),
    type: "Opaque",
    data: { mykey: base64("mydata"), canary: base64(canary) },
  };
}

/** Something that is in etcd, and in plaintext unless ConfigMaps are encrypted, too: by it a probe of etcd shows that it can see. */
export function calibration(run: Run): V1ConfigMap {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: metadata(run, names.calibration), data: { plaintext: `plaintext of ${run.id}` } };
}

/** The Secret by which the Nodes may pull SMOKE_IMAGE, from a file of the form of ~/.docker/config.json. */
export function pullSecret(run: Run, path: string): V1Secret {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: metadata(run, names.pullSecret),
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": readFileSync(path).toString("base64") },
  };
}

const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");
