import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { prelude, standingCommands } from "./host-commands.ts";

const folder = mkdtempSync(join(tmpdir(), "encryption-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a host prints of an EncryptionConfiguration. */
function printedOf(configuration: string): string {
  const path = join(folder, "encryption-config.yaml");
  writeFileSync(path, configuration);
  return execFileSync("sh", ["-c", `encryption_config=${path}; ${standingCommands.encryption}`], { encoding: "utf8" });
}

/** Of 32 bytes, and made up here. */
const key = "UGxhbnRlZFBsYW50ZWRQbGFudGVkUGxhbnRlZFBsYW4=";
const withKey = (secret: string) => `
kind: EncryptionConfiguration
apiVersion: apiserver.config.k8s.io/v1
resources:
- resources: [secrets]
  providers:
  - aescbc:
      keys:
      - name: key1
        ${secret}
  - identity: {}
`;

test.for([
  ["plain", `secret: ${key}`],
  ["behind a space", `secret : ${key}`],
  ["in quotes", `secret: "${key}"`],
  ["in single quotes", `secret: '${key}'`],
  ["in quotes, as its name", `"secret": "${key}"`],
  ["with a tag", `secret: !!str ${key}`],
  ["with an anchor", `secret: &a ${key}`],
  ["on the next line", `secret:\n          ${key}`],
  ["in a block", `secret: |\n          ${key.slice(0, 20)}\n          ${key.slice(20)}`],
  ["folded", `secret: >-\n          ${key.slice(0, 20)}\n          ${key.slice(20)}`],
  ["in quotes over two lines", `secret: "${key.slice(0, 20)}\n          ${key.slice(20)}"`],
  ["of another name", `Secret: ${key}`],
  ["as a name", `${key}: 1`],
  ["as a name in question", `? secret\n        : ${key}`],
  ["in a comment", `secret: eA==  # was ${key}`],
] as const)("a key does not leave the host: %s", ([, secret]) => {
  const printed = printedOf(withKey(secret));

  expect(printed).not.toContain(key.slice(0, 20));
  expect(printed).not.toContain(key.slice(20, 40));
  expect(printed).toContain("name: key1");
});

const shape = {
  kind: "EncryptionConfiguration",
  apiVersion: "apiserver.config.k8s.io/v1",
  resources: [
    {
      resources: ["secrets", "customresources.example.com", "*.apps", "*.*"],
      providers: [
        {
          aescbc: {
            keys: [
              { secret: key, name: "key1" },
              { name: "a:b", secret: key },
            ],
          },
        },
        { kms: { apiVersion: "v2", name: "vault", endpoint: "unix:///run/kms.sock" } },
        { identity: {} },
      ],
    },
  ],
};
const inBlocks = `# of the guide
kind: EncryptionConfiguration
apiVersion: "apiserver.config.k8s.io/v1"
resources:
  - resources:
      - secrets
      - 'customresources.example.com'
      - "*.apps"
      - '*.*'   # all the rest
    providers: &providers
      - aescbc:
          keys:
            - secret: ${key}
              name: &name key1
            - {name: 'a:b', secret: '${key}'}
      - kms:
          apiVersion: v2
          name: vault
          endpoint: unix:///run/kms.sock
      - identity: {}
`;

test.for([
  ["in block style", inBlocks],
  ["with the line ends of Windows", inBlocks.replaceAll("\n", "\r\n")],
  ["as JSON on one line", JSON.stringify(shape)],
  ["as JSON", JSON.stringify(shape, undefined, 2)],
] as const)("resources, providers and names of keys are printed, and can be read: %s", ([, configuration]) => {
  const hidden = JSON.stringify(shape).replaceAll(key, "x").replace("unix:///run/kms.sock", "x");

  expect(parse(printedOf(configuration))).toEqual(JSON.parse(hidden));
});

test.for([
  ["a value behind an equals sign", ["kube-apiserver", "--v=2", "--bind-address=0.0.0.0"], ["--v=2", "--bind-address=0.0.0.0"]],
  [
    "a value as a word of its own",
    ["kube-apiserver", "--v", "2", "--etcd-servers", "http://127.0.0.1:2379"],
    ["--v=2", "--etcd-servers=http://127.0.0.1:2379"],
  ],
  ["no value", ["kube-apiserver", "--allow-privileged", "--v=2", "--profiling"], ["--allow-privileged", "--v=2", "--profiling"]],
  [
    "no value, and behind it a short one",
    ["kube-apiserver", "--allow-privileged", "-v", "2", "--profiling"],
    ["--allow-privileged", "--profiling"],
  ],
  ["what is no flag", ["kube-apiserver", "word", "--v=2", "word", "-x"], ["--v=2"]],
] as const)("the flags of a process are read with %s", ([, words, expected]) => {
  const read = execFileSync("sh", ["-c", `${prelude}\nflags_of kube-apiserver`], {
    input: words.map((word) => `${word}\0`).join(""),
    encoding: "utf8",
  });

  expect(read.trim().split("\n")).toEqual(expected.map((flag) => `kube-apiserver ${flag}`));
});
