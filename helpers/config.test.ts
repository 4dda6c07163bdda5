import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { readSettings, settingNames } from "./config.ts";
import { SettingsError } from "./errors.ts";

const folder = mkdtempSync(join(tmpdir(), "settings-"));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const secret = Buffer.alloc(32).toString("base64");
const encryptionConfiguration = (providers: object[]): string =>
  JSON.stringify({
    kind: "EncryptionConfiguration",
    apiVersion: "apiserver.config.k8s.io/v1",
    resources: [{ resources: ["secrets"], providers }],
  });

const kubeconfigOf = (context: string): string =>
  JSON.stringify({
    clusters: [{ name: "c", cluster: { server: "https://192.0.2.1:6443" } }],
    contexts: [{ name: context, context: { cluster: "c" } }],
  });

/** The problems that an environment has; none when it is taken. */
const problemsOf = (variables: Record<string, string>): readonly string[] => {
  try {
    readSettings(variables);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as SettingsError).problems;
  }
};

test("without any variable every setting has its default", () => {
  expect(readSettings({})).toEqual({
    kubeconfig: undefined,
    contextName: undefined,
    server: "server",
    hosts: {},
    workers: [],
    ssh: { user: "root", privateKeyPath: undefined, knownHostsPath: join(homedir(), ".ssh/known_hosts"), port: 22, timeoutMs: 10_000 },
    etcdctlFlags: [],
    encryption: { provider: "aescbc", version: "v1", keyName: "key1", configurationPath: undefined },
    image: "nginx:latest",
    imagePort: 80,
    pullSecretPath: undefined,
    tolerations: [],
    namespace: undefined,
    podCIDRs: {},
    serviceCIDRs: [],
    readyTimeoutMs: 60_000,
    pullTimeoutMs: 180_000,
    requestTimeoutMs: 5_000,
    cleanupTimeoutMs: 60_000,
    evidencePath: "smoke-report/evidence",
    junitPath: undefined,
  });
});

test("every variable is read", () => {
  const [key, knownHosts, pullSecret] = [write("id_ed25519", ""), write("known_hosts", ""), write("config.json", "{}")];
  const kubeconfig = write("kubeconfig", kubeconfigOf("lab"));
  const configuration = write("encryption-config.yaml", encryptionConfiguration([{ aescbc: { keys: [{ name: "key1", secret }] } }]));
  const variables = {
    KUBECONFIG: kubeconfig,
    SMOKE_CONTEXT: "lab",
    SMOKE_SERVER: "controller",
    SMOKE_HOSTS: "controller=192.0.2.1, node-0=192.0.2.2",
    SMOKE_WORKERS: "node-0,node-1",
    SMOKE_SSH_USER: "admin",
    SMOKE_SSH_KEY: key,
    SMOKE_SSH_KNOWN_HOSTS: knownHosts,
    SMOKE_SSH_PORT: "2222",
    SMOKE_ETCDCTL_FLAGS: " --endpoints=https://127.0.0.1:2379   --cacert=/etc/etcd/ca.crt ",
    SMOKE_ENCRYPTION_PROVIDER: "secretbox",
    SMOKE_ENCRYPTION_KEY_NAME: "key2",
    SMOKE_ENCRYPTION_CONFIG: configuration,
    SMOKE_IMAGE: "registry.example/nginx:1.27",
    SMOKE_IMAGE_PORT: "8080",
    SMOKE_PULL_SECRET: pullSecret,
    SMOKE_TOLERATIONS: "dedicated=smoke:NoSchedule",
    SMOKE_NAMESPACE: "default",
    SMOKE_POD_CIDRS: "node-0=10.200.0.0/24,node-0=fd00:10::/64,node-1=10.200.1.0/24",
    SMOKE_SERVICE_CIDR: "10.32.0.0/24,fd00:32::/112",
    SMOKE_READY_TIMEOUT_SECONDS: "1",
    SMOKE_PULL_TIMEOUT_SECONDS: "2",
    SMOKE_REQUEST_TIMEOUT_SECONDS: "3",
    SMOKE_SSH_TIMEOUT_SECONDS: "4",
    SMOKE_CLEANUP_TIMEOUT_SECONDS: "3600",
    SMOKE_JUNIT: join(folder, "out/junit.xml"),
    SMOKE_EVIDENCE: join(folder, "out/evidence"),
  };

  expect(Object.keys(variables).toSorted()).toEqual(settingNames.toSorted());
  expect(readSettings(variables)).toEqual({
    kubeconfig,
    contextName: "lab",
    server: "controller",
    hosts: { controller: "192.0.2.1", "node-0": "192.0.2.2" },
    workers: ["node-0", "node-1"],
    ssh: { user: "admin", privateKeyPath: key, knownHostsPath: knownHosts, port: 2222, timeoutMs: 4_000 },
    etcdctlFlags: ["--endpoints=https://127.0.0.1:2379", "--cacert=/etc/etcd/ca.crt"],
    encryption: { provider: "secretbox", version: "v1", keyName: "key2", configurationPath: configuration },
    image: "registry.example/nginx:1.27",
    imagePort: 8080,
    pullSecretPath: pullSecret,
    tolerations: [{ key: "dedicated", operator: "Equal", value: "smoke", effect: "NoSchedule" }],
    namespace: "default",
    podCIDRs: { "node-0": ["10.200.0.0/24", "fd00:10::/64"], "node-1": ["10.200.1.0/24"] },
    serviceCIDRs: ["10.32.0.0/24", "fd00:32::/112"],
    readyTimeoutMs: 1_000,
    pullTimeoutMs: 2_000,
    requestTimeoutMs: 3_000,
    cleanupTimeoutMs: 3_600_000,
    evidencePath: join(folder, "out/evidence"),
    junitPath: join(folder, "out/junit.xml"),
  });
});

test.for([
  ["SMOKE_SSH_PORT", "0", "expected a whole number from 1 to 65535."],
  ["SMOKE_SSH_PORT", "65536", "expected a whole number from 1 to 65535."],
  ["SMOKE_SSH_PORT", "ssh", "expected a whole number from 1 to 65535."],
  ["SMOKE_IMAGE_PORT", "-1", "expected a whole number from 1 to 65535."],
  ["SMOKE_IMAGE_PORT", "8e1", "expected a whole number from 1 to 65535."],
  ["SMOKE_READY_TIMEOUT_SECONDS", "1.5", "expected a whole number from 1 to 3600."],
  ["SMOKE_CLEANUP_TIMEOUT_SECONDS", "3601", "expected a whole number from 1 to 3600."],
  ["SMOKE_SSH_KEY", "/nowhere/id_ed25519", "no such file."],
  ["SMOKE_SSH_KNOWN_HOSTS", "~/nowhere/known_hosts", "no such file."],
  ["SMOKE_SSH_KEY", "/etc", "it is no file."],
  ["SMOKE_PULL_SECRET", "/nowhere/config.json", "no such file."],
  ["SMOKE_ENCRYPTION_CONFIG", "/nowhere/encryption-config.yaml", "no such file."],
  ["SMOKE_ENCRYPTION_PROVIDER", "rot13", "expected one of aescbc, aesgcm, secretbox, kms."],
  ["SMOKE_NAMESPACE", "Default", "expected the name of an existing namespace."],
  ["SMOKE_NAMESPACE", "kube/system", "expected the name of an existing namespace."],
  ["SMOKE_JUNIT", "/proc/reports/junit.xml", "nothing can be written in /proc (no such file or directory)."],
  ["SMOKE_JUNIT", "/etc", "it is a folder, expected the path of a file."],
  ["SMOKE_EVIDENCE", "/proc/evidence", "nothing can be written in /proc (no such file or directory)."],
  ["SMOKE_HOSTS", "node-0", '"node-0" is not of the form name=value.'],
  ["SMOKE_HOSTS", "=192.0.2.1", '"=192.0.2.1" is not of the form name=value.'],
  ["SMOKE_HOSTS", "node-0=", '"node-0=" is not of the form name=value.'],
  ["SMOKE_HOSTS", "node-0=192.0.2.1 node-1=192.0.2.2", '"node-0=192.0.2.1 node-1=192.0.2.2" is not of the form name=value.'],
  ["SMOKE_HOSTS", "node-0=192.0.2.1,node-0=192.0.2.2", '"node-0" has 2 addresses, expected one.'],
  ["SMOKE_POD_CIDRS", "10.200.0.0/24", '"10.200.0.0/24" is not of the form name=value.'],
  ["SMOKE_POD_CIDRS", "node-0=10.200.0.0", "expected node=range pairs such as node-0=10.200.0.0/24."],
  ["SMOKE_SERVICE_CIDR", "10.32.0.1", "expected address ranges such as 10.32.0.0/24, separated by commas."],
  ["SMOKE_SERVICE_CIDR", "10.32.0.0/33", "expected address ranges such as 10.32.0.0/24, separated by commas."],
  ["SMOKE_SERVICE_CIDR", "10.32/16", "expected address ranges such as 10.32.0.0/24, separated by commas."],
  ["SMOKE_POD_CIDRS", "node-0=10.200/16", "expected node=range pairs such as node-0=10.200.0.0/24."],
  ["SMOKE_TOLERATIONS", "dedicated:Never", '"dedicated:Never" is not of the form key=value:NoSchedule.'],
  ["SMOKE_TOLERATIONS", "=smoke", '"=smoke" is not of the form key=value:NoSchedule.'],
] as const)("%s=%s is refused: %s", ([name, value, problem]) => {
  expect(problemsOf({ [name]: value })).toEqual([`${name}=${JSON.stringify(value)}: ${problem}`]);
});

test("everything that is wrong, missing or unknown is told in one error", () => {
  const broken = write("broken.yaml", "kind: EncryptionConfiguration\napiVersion: v1\n");
  const variables = {
    KUBECONFIG: "/etc/kubeconfig",
    SMOKE_SSH_PORT: "none",
    SMOKE_HOSTS: "server,node-0",
    SMOKE_ENCRYPTION_CONFIG: broken,
    SMOKE_IMAGES: "nginx",
  };

  expect(problemsOf(variables)).toEqual([
    expect.stringMatching(/^SMOKE_IMAGES is not a setting. Known are KUBECONFIG, SMOKE_CONTEXT, .*SMOKE_EVIDENCE\.$/),
    expect.stringMatching(/^SMOKE_CONTEXT is not set\./),
    'SMOKE_HOSTS="server,node-0": "server" is not of the form name=value.',
    'SMOKE_HOSTS="server,node-0": "node-0" is not of the form name=value.',
    'SMOKE_SSH_PORT="none": expected a whole number from 1 to 65535.',
    expect.stringContaining(`SMOKE_ENCRYPTION_CONFIG=${JSON.stringify(broken)}: expected kind EncryptionConfiguration of apiserver`),
  ]);
});

test("what is wrong with the kubeconfig is told with the rest", () => {
  expect(problemsOf({ KUBECONFIG: "/nowhere/kubeconfig", SMOKE_CONTEXT: "lab", SMOKE_SSH_PORT: "none" })).toEqual([
    expect.stringContaining("/nowhere/kubeconfig"),
    expect.stringContaining("SMOKE_SSH_PORT"),
  ]);
});

test("a KUBECONFIG without SMOKE_CONTEXT is refused, with the line to add", () => {
  expect(problemsOf({ KUBECONFIG: "/root/.kube/config" })).toEqual([
    expect.stringMatching(
      /^SMOKE_CONTEXT is not set. An exported KUBECONFIG is no consent .* SMOKE_CONTEXT=<one of: kubectl config get-contexts/,
    ),
  ]);
});

test("a SMOKE_CONTEXT without KUBECONFIG is refused, since the lab would be used instead", () => {
  expect(problemsOf({ SMOKE_CONTEXT: "prod" })).toEqual([
    expect.stringMatching(/^KUBECONFIG is not set, but SMOKE_CONTEXT names a context/),
  ]);
});

test("an empty variable is an unset one, an unknown one too", () => {
  const empty = Object.fromEntries([...settingNames, "SMOKE_IMAGES", "CI"].map((name) => [name, " "]));
  expect(readSettings(empty)).toEqual(readSettings({}));
});

test("variables of other programs are none of ours", () => {
  expect(readSettings({ PATH: "/usr/bin", SMOKEHOUSE: "1", HTTP_PROXY: undefined })).toEqual(readSettings({}));
});

test("the workers are every configured host but the server, unless they are named", () => {
  const SMOKE_HOSTS = "server=192.0.2.1,node-0=192.0.2.2,node-1=192.0.2.3";
  expect(readSettings({ SMOKE_HOSTS }).workers).toEqual(["node-0", "node-1"]);
  expect(readSettings({ SMOKE_HOSTS, SMOKE_SERVER: "node-1" }).workers).toEqual(["server", "node-0"]);
  expect(readSettings({ SMOKE_HOSTS, SMOKE_WORKERS: "node-9" }).workers).toEqual(["node-9"]);
});

test("hosts may have IPv6 addresses and names, and commas too many", () => {
  const SMOKE_HOSTS = ",server=server.kubernetes.local , node-0=fd00::20,";
  expect(readSettings({ SMOKE_HOSTS }).hosts).toEqual({ server: "server.kubernetes.local", "node-0": "fd00::20" });
});

test.for([
  ["dedicated=smoke:NoSchedule", { key: "dedicated", operator: "Equal", value: "smoke", effect: "NoSchedule" }],
  ["dedicated=smoke", { key: "dedicated", operator: "Equal", value: "smoke" }],
  ["dedicated=:NoExecute", { key: "dedicated", operator: "Equal", effect: "NoExecute" }],
  [
    "node.kubernetes.io/disk-pressure:PreferNoSchedule",
    { key: "node.kubernetes.io/disk-pressure", operator: "Exists", effect: "PreferNoSchedule" },
  ],
  ["dedicated", { key: "dedicated", operator: "Exists" }],
] as const)("SMOKE_TOLERATIONS takes the notation of kubectl taint: %s", ([notation, toleration]) => {
  expect(readSettings({ SMOKE_TOLERATIONS: notation }).tolerations).toStrictEqual([toleration]);
});

test("a path may begin in the home folder", () => {
  const home = mkdtempSync(join(homedir(), ".settings-"));
  try {
    mkdirSync(join(home, "keys"));
    writeFileSync(join(home, "keys/id"), "");
    expect(readSettings({ SMOKE_SSH_KEY: `~${home.slice(homedir().length)}/keys/id` }).ssh.privateKeyPath).toBe(join(home, "keys/id"));
  } finally {
    rmSync(home, { recursive: true });
  }
});

test.for([
  [[{ secretbox: { keys: [{ name: "alpha", secret }] } }, { identity: {} }], { provider: "secretbox", version: "v1", keyName: "alpha" }],
  [[{ identity: {} }, { aescbc: { keys: [{ name: "key1", secret }] } }], { provider: "identity", version: "v1", keyName: "" }],
  [[{ kms: { apiVersion: "v2", name: "vault", endpoint: "unix:///run/vault" } }], { provider: "kms", version: "v2", keyName: "vault" }],
] as const)("the first provider of SMOKE_ENCRYPTION_CONFIG is expected: %j", ([providers, expected]) => {
  const path = write("encryption-config.yaml", encryptionConfiguration([...providers]));
  expect(readSettings({ SMOKE_ENCRYPTION_CONFIG: path }).encryption).toEqual({ ...expected, configurationPath: path });
});

test("another provider than that of SMOKE_ENCRYPTION_CONFIG has no key of its", () => {
  const path = write("encryption-config.yaml", encryptionConfiguration([{ aescbc: { keys: [{ name: "alpha", secret }] } }]));
  expect(readSettings({ SMOKE_ENCRYPTION_CONFIG: path, SMOKE_ENCRYPTION_PROVIDER: "secretbox" }).encryption).toMatchObject({
    provider: "secretbox",
    keyName: "key1",
  });
});

test("a KMS that is set without a configuration is expected to be of version 2, the one that is still served", () => {
  expect(readSettings({ SMOKE_ENCRYPTION_PROVIDER: "kms", SMOKE_ENCRYPTION_KEY_NAME: "vault" }).encryption).toMatchObject({
    version: "v2",
    provider: "kms",
    keyName: "vault",
  });
});

test("in CI the results go to a file, unless another is named", () => {
  expect(readSettings({ CI: "true" }).junitPath).toBe("smoke-report/junit.xml");
  const elsewhere = join(folder, "elsewhere.xml");
  expect(readSettings({ CI: "true", SMOKE_JUNIT: elsewhere }).junitPath).toBe(elsewhere);
});

test("in CI a place for the results where nothing can be written is refused, with the setting that names another", () => {
  const before = process.cwd();
  process.chdir("/proc");
  onTestFinished(() => process.chdir(before));

  expect(() => readSettings({ CI: "true" })).toThrow(
    "SMOKE_JUNIT is not set, and where CI is, JUnit goes to smoke-report/junit.xml: nothing can be written in /proc (no such file or directory). Set it.",
  );
});

test("CI=false is no CI", () => {
  expect(readSettings({ CI: "true" }).junitPath).toBe("smoke-report/junit.xml");
  expect(readSettings({ CI: "false" }).junitPath).toBeUndefined();
});

test("the agent that ssh would ask is asked", () => {
  expect(readSettings({ SSH_AUTH_SOCK: "/tmp/agent.sock" }).ssh.agentSocket).toBe("/tmp/agent.sock");
});
