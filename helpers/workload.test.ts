import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readSettings } from "./config.ts";
import { labelsOf, newRun } from "./run.ts";
import { calibration, deployment, names, pullSecret, secret, service } from "./workload.ts";

const folder = mkdtempSync(join(tmpdir(), "workload-"));
afterAll(() => rmSync(folder, { recursive: true }));

const runWith = (variables: Record<string, string> = {}) => newRun(readSettings(variables));
const decoded = (data: Record<string, string> | undefined) =>
  Object.fromEntries(Object.entries(data ?? {}).map(([name, value]) => [name, Buffer.from(value, "base64").toString("utf8")]));

const pullSecretPath = join(folder, "config.json");
writeFileSync(pullSecretPath, '{"auths":{}}');

test("every object lies in the run's namespace, bears the chapter's name and the run's labels", () => {
  const run = runWith({ SMOKE_NAMESPACE: "default" });
  const objects = [deployment(run), service(run), secret(run, "canary"), calibration(run), pullSecret(run, pullSecretPath)];
  expect(objects.map(({ kind, metadata }) => `${kind} ${metadata?.name}`)).toEqual([
    "Deployment nginx",
    "Service nginx",
    "Secret kubernetes-the-hard-way",
    "ConfigMap smoke-calibration",
    "Secret smoke-pull",
  ]);
  for (const { metadata } of objects) {
    expect(metadata?.namespace).toBe("default");
    expect(metadata?.labels).toMatchObject(labelsOf(run));
  }
});

test("the Deployment selects the Pods of its run and of no other, and so does the Service", () => {
  const [run, other] = [runWith(), runWith()];
  const { selector, template } = deployment(run).spec ?? {};
  expect(template?.metadata?.labels).toEqual({ app: "nginx", ...labelsOf(run) });
  expect(selector?.matchLabels).toEqual(template?.metadata?.labels);
  expect(service(run).spec?.selector).toEqual(template?.metadata?.labels);
  expect(service(other).spec?.selector).not.toEqual(template?.metadata?.labels);
});

test("the Deployment begins with one replica of the configured image, spread over the Nodes that it may use", () => {
  const run = runWith({ SMOKE_IMAGE: "registry.example/web:1", SMOKE_IMAGE_PORT: "8080", SMOKE_TOLERATIONS: "dedicated:NoSchedule" });
  const { replicas, template } = deployment(run).spec ?? {};
  const { containers, tolerations, topologySpreadConstraints } = template?.spec ?? {};
  expect(replicas).toBe(1);
  expect(containers).toMatchObject([{ name: "nginx", image: "registry.example/web:1", ports: [{ containerPort: 8080 }] }]);
  expect(tolerations).toEqual([{ key: "dedicated", operator: "Exists", effect: "NoSchedule" }]);
  expect(topologySpreadConstraints).toMatchObject([
    {
      maxSkew: 1,
      topologyKey: "kubernetes.io/hostname",
      whenUnsatisfiable: "DoNotSchedule",
      nodeTaintsPolicy: "Honor",
      labelSelector: { matchLabels: template?.metadata?.labels },
    },
  ]);
});

test("a Pod asks for little, and has what admission usually wants", () => {
  const { spec } = deployment(runWith()).spec?.template ?? {};
  expect(spec).toMatchObject({
    automountServiceAccountToken: false,
    securityContext: { seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        securityContext: { allowPrivilegeEscalation: false },
        resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "500m", memory: "256Mi" } },
      },
    ],
  });
});

test("the pull Secret is named by the Pods where there is one, and holds the file as it is", () => {
  const run = runWith({ SMOKE_PULL_SECRET: pullSecretPath });
  expect(deployment(run).spec?.template.spec?.imagePullSecrets).toEqual([{ name: names.pullSecret }]);
  expect(pullSecret(run, pullSecretPath).type).toBe("kubernetes.io/dockerconfigjson");
  expect(decoded(pullSecret(run, pullSecretPath).data)).toEqual({ ".dockerconfigjson": '{"auths":{}}' });
  expect(deployment(runWith()).spec?.template.spec).not.toHaveProperty("imagePullSecrets");
});

test("the Service maps its port 80 to the image's port, on every Node", () => {
  const run = runWith({ SMOKE_IMAGE_PORT: "8080" });
  expect(service(run).spec).toMatchObject({ type: "NodePort", ports: [{ port: 80, targetPort: 8080, protocol: "TCP" }] });
});

test("the Secret holds the chapter's value and the canary, and the calibration its plaintext", () => {
  const run = runWith();
  expect(decoded(secret(run, "canary-ü").data)).toEqual({ mykey: "mydata", canary: "canary-ü" });
  expect(calibration(run).data).toEqual({ plaintext: `plaintext of ${run.id}` });
});
