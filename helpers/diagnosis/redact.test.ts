import { expect, test } from "vitest";
import { redact } from "./redact.ts";

// Made up here, and of nothing that exists.
const key = "MHcCAQEEIGvT5Ug1P1Q0ZJ0kzv7c9Yd1PlantedPlantedPlantedoAoGCCqGSM49";
const base64 = Buffer.from(`-----BEGIN RSA PRIVATE KEY-----\n${key}\n-----END RSA PRIVATE KEY-----\n`).toString("base64");
const provider = "UGxhbnRlZFBsYW50ZWRQbGFudGVkUGxhbnRlZFBsYW4=";

test.for([
  ["a private key", `before\n-----BEGIN EC PRIVATE KEY-----\n${key}\n-----END EC PRIVATE KEY-----\nafter`, key],
  ["a private key that is cut off", `-----BEGIN PRIVATE KEY-----\n${key}`, key],
  ["a private key with its line breaks written out", String.raw`"-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n"`, key],
  ["a private key in base64", `data: ${base64}`, base64.slice(0, 60)],
  ["the key of a kubeconfig", `    client-key-data: ${provider}`, provider],
  ["the key of a kubeconfig in JSON", `{"client-key-data":"${provider}"}`, provider],
  ["a ServiceAccount's token", "eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiJQbGFudGVkIn0.c2lnbmVkLXBsYW50ZWQ", "eyJpc3MiOiJQbGFudGVkIn0"],
  ["a bearer token", "curl -H 'Authorization: Bearer planted-planted-planted'", "planted-planted"],
  ["a password in a header", "authorization: Basic cGxhbnRlZA==", "cGxhbnRlZA"],
  ["a bootstrap token", "kubeadm join --discovery abcdef.012345678planted", "012345678planted"],
  ["the key of an encryption provider", `- name: key1\n  secret: ${provider}\n`, provider],
  ["the key of an encryption provider in JSON", `{"name":"key1","secret":"${provider}"}`, provider],
  [
    "the key of an encryption provider over several lines",
    `  secret: |\n    ${provider.slice(0, 20)}\n    ${provider.slice(20)}\nnext: 1`,
    provider.slice(20),
  ],
  ["a token in a kubeconfig", "    token: planted-planted", "planted"],
  ["a password in a file", 'password: "planted planted"', "planted"],
  ["a password in a URL", "HTTPS_PROXY=http://alice:planted@192.0.2.1:3128", "planted"],
  ["the data of a Secret in YAML", "apiVersion: v1\ndata:\n  mykey: cGxhbnRlZA==\n  other: cGxhbnRlZDI=\nkind: Secret\n", "cGxhbnRlZ"],
  [
    "the data of a Secret in JSON",
    '{"kind":"Secret","apiVersion":"v1","data":{"mykey":"cGxhbnRlZA==","other":"cGxhbnRlZDI="}}',
    "cGxhbnRlZ",
  ],
  ["the credentials of a registry", '{"auths":{"registry.example.com":{"auth":"cGxhbnRlZA=="}}}', "cGxhbnRlZ"],
] as const)("%s does not get through", ([_what, text, planted]) => {
  expect(text).toContain(planted);

  expect(redact(text)).not.toContain(planted);
});

test.for([
  "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
  "node-1 10.200.1.0/24 via 10.91.7.21 dev eth0",
  "canary-0123456789abcdef0123456789abcdef",
  "Secret smoke-1/kubernetes-the-hard-way, decoded: expected { mykey: 'mydata' } to deeply equal { mykey: 'others' }",
  "kube-apiserver --encryption-provider-config=/var/lib/kubernetes/encryption-config.yaml",
  "curl --head http://10.91.7.20:31410/smoke-0123456789abcdef",
  "https://server.kubernetes.local:6443 answered 401: Unauthorized. Are the kubeconfig's credentials of this cluster?",
])("what is no secret stays as it is: %s", (text) => {
  expect(redact(text)).toBe(text);
});
